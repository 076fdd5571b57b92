"""The box, the rules and the queue as the command line shows them."""

from __future__ import annotations

import pytest

from backprop_tui.cli import boxlines, output
from backprop_tui.cli.commands.status import governed
from backprop_tui.cli.rules import show_rules
from backprop_tui.model.decisions import Admission, Decision
from backprop_tui.model.run import MemoryLimit, Notes, Reason, Run, Slice
from backprop_tui.model.samples import DiskSample, GpuProcess, GpuReport, GpuSample, HostSample, Lease
from backprop_tui.model.spec import SettingValue, SliceSpec
from backprop_tui.model.states import RunState
from backprop_tui.tui.draw.facts import event_words
from backprop_tui.watch.box import BoxSample
from backprop_tui.watch.going_on import going_on_text
from backprop_tui.watch.hooks import hook_text
from backprop_tui.watch.orders import Orders
from backprop_tui.watch.picking import Pick
from backprop_tui.watch.record import Record
from backprop_tui.watch.situation import Situation, Waiting
from backprop_tui.watch.why import limit_text, past_from, value_text, verdict

GIB = 1 << 30
GB = 1 << 30
RULES = (
    Decision(rule="slots", ok=True, text="1 run in progress, 2 allowed (k7x2ab)", value=1.0, limit=2.0),
    Decision(rule="cpu", ok=True, text="CPU: load is 0.25 per core", value=0.25, limit=1.5),
    Decision(
        rule="gpu_memory",
        ok=False,
        text="GPU 0: 3.1 GB free beside what a-run-with-a-long-name may take, 16.0 GB wanted",
        value=3.1 * GIB,
        limit=16.0 * GIB,
        help="free GPU memory, or lower --gpu-min-vram",
        age_s=2.4,
    ),
    Decision(rule="gpu_temp", ok=False, is_final=True, text="GPU 0: \x1b[31m90 °C", value=90.0, limit=85.0),
)


@pytest.mark.parametrize(
    ("decision", "figures"),
    [
        (RULES[0], ("ok", "1", "2")),
        (RULES[1], ("ok", "0.25", "1.50")),
        (RULES[2], ("no", "3.1 GB", "16.0 GB")),
        (RULES[3], ("never", "90 °C", "85 °C")),
        (RULES[1].replace(rule="paused", value=126.0, limit=600.0), ("ok", "2:06", "10:00")),
        (RULES[1].replace(rule="yield", value=18.3, limit=None), ("ok", "0:18", "")),
        (RULES[3].replace(ok=True, is_aside=True), ("--", "90 °C", "85 °C")),
    ],
    ids=lambda value: value.rule if isinstance(value, Decision) else "",
)
def test_figures_have_the_unit_of_their_rule(decision: Decision, figures: tuple[str, ...]) -> None:
    assert (verdict(decision), value_text(decision), limit_text(decision)) == figures


def test_lines_end_between_words() -> None:
    text = "no checkpoint was seen: /a/very/long/path/that/has/no/blank/in/it and so on"
    assert output.wrapped("  ", text, 24, keeps_words=True) == [
        "  no checkpoint was",
        "  seen:",
        "  /a/very/long/path/that/has/no/blank/in/it",
        "  and so on",
    ]
    assert max(map(output.width, output.wrapped("  ", text, 24))) == 24


def test_what_is_kept_for_a_run_that_starts() -> None:
    gpu = GpuSample(index="0", mask="0", uuid="", name="One", total_bytes=24 * GB, free_bytes=20 * GB)
    lease = Lease(run_id="r1", pid=1, since=90.0, gpus=("0",), gpu_bytes=4 * GB, gpu_used={"0": GB}, name="x")
    found = Pick(report=GpuReport(t=100.0, probe="nvml", gpus=(gpu,)), leases=(lease,), wanted=1, decisions=())
    assert found.kept(gpu) == [("x", 3 * GB)]
    assert found.kept(gpu.replace(index="1")) == []


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ({"hook": "start", "exit_code": 0, "seconds": 0.04, "killed": ""}, "on start: exit code 0 after 0.0 s"),
        ({"hook": "end", "exit_code": -9, "seconds": 60.0, "killed": "it took too long"},
         "on end: ended by signal 9 after 60.0 s, killed: it took too long"),
        ({}, "on ?"),
    ],
)  # fmt: skip
def test_hooks_in_words(event: dict[str, object], said: str) -> None:
    assert hook_text(event) == said
    assert event_words({"event": "hook", **event}) == f"hook {said}"


@pytest.mark.parametrize("value", [None, float("nan"), float("inf")])
def test_what_is_no_number_is_left_out(value: float | None) -> None:
    assert value_text(RULES[0].replace(value=value)) == ""


@pytest.mark.parametrize("room", [20, 40, 80, 200, None])
def test_rules_fit_any_width(
    room: int | None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(output, "columns", lambda: room)
    show_rules(RULES)
    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    words = " ".join(shown.split())
    assert "what helps: free" in words
    if room is None or room >= 80:
        assert "no gpu_memory 3.1 GB 16.0 GB 2s GPU 0" in words
    if room is not None and room >= 40:
        assert max(map(output.width, shown.splitlines())) <= room


GPU = GpuSample(
    index="0",
    mask="0",
    uuid="GPU-1",
    name="NVIDIA GeForce RTX 4090",
    total_bytes=24 * GIB,
    free_bytes=3 * GIB,
    temp_c=71,
    util_percent=98,
    is_slowed=True,
    processes=tuple(GpuProcess(pid=n, name="python", user="anna", used_bytes=3 * GIB) for n in range(21844, 21850)),
)
SITUATION = Situation(
    box=BoxSample(
        t=100.0,
        name="box",
        host=HostSample(t=100.0, cores=16, load1=1.2, ram_total_bytes=64 * GIB, ram_free_bytes=41 * GIB),
        gpus=GpuReport(t=100.0, probe="nvml", gpus=(GPU,)),
    ),
    disks=(DiskSample(path="/h", what="records", free_bytes=212 * GIB, total_bytes=900 * GIB),),
    leases=(Lease(run_id="k7x2ab", pid=1, since=0.0, gpus=("0",), name="llama-lora"),),
    queue=(
        Waiting(run_id="w1", position=1, since=0.0, name="big", home="/h", text="waits: GPU 0: 3.0 GB free"),
        Waiting(run_id="w2", position=2, since=0.0, home="/other", priority=-3),
    ),
    start=Admission(admitted=False, decisions=RULES[:3]),
    orders=Orders(drained_by="anna@box", yield_by="bob@box", until=220.0),
)


def test_the_box_fits_80_columns_and_says_who_uses_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(output, "columns", lambda: 80)
    boxlines.show_box(SITUATION)
    boxlines.show_queue(SITUATION.queue, "/h")
    lines = capsys.readouterr().out.splitlines()
    assert max(map(output.width, lines)) <= 80
    words = " ".join(" ".join(lines).split())
    for part in (
        "box: 16 cores, load 1.20, RAM 41.0 of 64.0 GB free, disk of the records 212 GB free",
        "GPU 0 NVIDIA GeForce RTX 4090: 3.0 of 24.0 GB free, 71 °C, slowed down for heat, 98 % busy; llama-lora",
        "python 21844 (anna) 3.0 GB",
        "2 more processes",
        "by anna@box: nothing new starts until backprop drain --off",
        "by bob@box: the GPUs stay free for another 2 min",
        "1 w1 (big): waits: GPU 0: 3.0 GB free",
        "2 w2, in /other, priority -3: waits",
    ):
        assert part in words


def test_whether_a_new_run_could_start() -> None:
    wanted = f"a new run would wait: {RULES[2].text}"
    assert SITUATION.start_text == wanted
    assert not SITUATION.could_start
    final = Admission(admitted=False, decisions=RULES)
    assert SITUATION.replace(start=final).start_text.startswith("a new run can never start: ")
    yes = Admission(admitted=True, decisions=(), gpus=(GPU, GPU.replace(index="3")))
    assert SITUATION.replace(start=yes).start_text == "a new run could start now on GPUs 0, 3"
    assert SITUATION.replace(start=yes.replace(gpus=())).start_text == "a new run could start now on the CPU"
    assert "not known: no folder" in SITUATION.replace(start=None, problem="no folder").start_text


def test_places_are_found_by_run_and_home() -> None:
    assert SITUATION.waiting("w1", "/h") is SITUATION.queue[0]
    assert SITUATION.waiting("w2", "/h") is None, "a run of the same id in another home"
    assert SITUATION.holders("0") == SITUATION.leases
    assert SITUATION.holders("1") == ()


@pytest.mark.parametrize(
    ("report", "said"),
    [
        (GpuReport(t=9.0, probe="nvml", gpus=(GPU,)), []),
        (GpuReport(t=9.0, probe="none", tried=(("nvml", "no driver"),)), ["none"]),
        (GpuReport(t=9.0, probe="none"), ["none is looked at"]),
        (
            GpuReport(t=9.0, probe="none", failed=True, tried=(("nvml", "it hangs"),), last_good=2.0),
            ["none can be read, last seen 98s ago (nvml: it hangs)"],
        ),
    ],
)
def test_gpus_that_cannot_be_read(report: GpuReport, said: list[str]) -> None:
    assert [line.replace("1m", "98s") for line in boxlines.report_lines(report, 100.0)] == said


def _record(settings: dict[str, object], slices: tuple[Slice, ...], t: float) -> Record:
    spec = SliceSpec(
        run_id="r",
        n=len(slices),
        created=0.0,
        command=("train.py",),
        is_command=False,
        cwd="/",
        interpreter=None,
        interpreter_origin="",
        framework="unknown",
        declared_flags=(),
        settings={key: SettingValue(value=value, origin="flag") for key, value in settings.items()},
        env={},
        recorded_env={},
    )
    run = Run(id="r", state=slices[-1].state, created=0.0, updated=t, slices=slices)
    return Record(run=run, spec=spec, notes=Notes(), t=t, folder="/h/runs/r")


def test_how_far_a_run_that_goes_on_has_come() -> None:
    slices = (
        Slice(n=1, state=RunState.TIMEBOXED, started=0.0, box_s=600.0, used_s=600.0),
        Slice(n=2, state=RunState.RUNNING, started=1000.0, box_s=600.0, paused_s=30.0, used_s=1.0),
    )
    settings: dict[str, object] = {"totalMinutes": 60.0, "slices": 6, "until": ("loss<0.3", "no-improve 3")}
    record = _record(settings, slices, 1130.0)
    assert going_on_text(record) == "slice 2 of 6, 11:40 of 1h00 trained, until loss<0.3 or no-improve 3"
    assert going_on_text(_record({}, slices, 1130.0)) == "", "also of records that are older than these settings"
    chain = _record({"slices": 3, "totalMinutes": None, "until": ()}, slices[:1], 700.0)
    assert going_on_text(chain) == "had 1 of 3 slices", "it does not go on any more"
    assert going_on_text(chain.replace(run=chain.run.replace(goes_on=True))) == "1 of 3 slices done"
    two = _record({"slices": 2, "until": ("loss<0.3",)}, slices[:1], 700.0)
    assert going_on_text(two) == "had 1 of 2 slices"
    gave_way = slices[0].replace(state=RunState.STOPPED, reason=Reason(code="yield", text="", by="person"))
    again = _record({"slices": 1}, (gave_way, slices[1]), 1130.0)
    assert going_on_text(again) == "slice 1 of 1", "what gave way does not count"
    assert going_on_text(_record({"slices": 1}, slices, 1130.0)) == "slice 2, 1 were asked for"


def test_what_status_says_of_how_a_run_is_governed() -> None:
    piece = Slice(n=1, state=RunState.RUNNING, started=0.0, box_s=600.0)
    record = _record({"slices": 3, "priority": 5}, (piece,), 60.0)
    limit = MemoryLimit(bytes=1, means="PyTorch's allocator", text="PyTorch's allocator keeps to 19.2 GB")
    run = record.run.replace(held="anna@box", memory_limit=limit)
    said = [
        "slice 1 of 3",
        "held by anna@box: let it go on with backprop release r",
        "priority 5",
        "PyTorch's allocator keeps to 19.2 GB",
    ]
    assert governed(record.replace(run=run)) == said
    ended = run.replace(state=RunState.STOPPED)
    assert governed(record.replace(run=ended)) == ["had 0 of 3 slices"]
    assert governed(record.replace(run=ended.replace(goes_on=True))) == ["0 of 3 slices done", *said[1:]]


@pytest.mark.parametrize(
    ("event", "text"),
    [
        ({"event": "state", "state": "paused", "reason": {"text": "too hot"}}, "paused: too hot"),
        ({"event": "state", "state": "running", "reason": 3}, "running"),
        ({"event": "request", "verb": "hold", "who": "a@b", "text": "held"}, "hold, asked by a@b: held"),
        ({"event": "held", "by": "a@b"}, "held by a@b"),
        ({"event": "held", "by": ""}, "released"),
        ({"event": "decision", "rule": "ram", "ok": False, "text": "RAM", "value": "x", "limit": True}, "RAM"),
        ({"event": "script", "name": "x"}, None),
        ({"event": ["state"]}, None),
    ],
)
def test_what_was_decided_before(event: dict[str, object], text: str | None) -> None:
    found = past_from({"t": 5.0, **event})
    assert (None if found is None else found.text) == text
    assert past_from(event) is None, "without a time it has no place"
    if event["event"] == "decision":
        assert found is not None
        assert found.decision == Decision(rule="ram", ok=False, text="RAM")
