"""The rules of a running slice, and what the Governor does about them in recorded histories."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from backprop_tui.config.settings import SETTINGS
from backprop_tui.governor.governance import Act, Governance, Judgement, Pace
from backprop_tui.governor.pressure import Pressure
from backprop_tui.governor.running import Limits, Reading, findings, limits_of, patience_s, rules_now
from backprop_tui.model.samples import DiskSample, GpuSample, HostSample
from backprop_tui.model.spec import SettingValue, SliceSpec
from backprop_tui.supervisor.gpuwatch import rest_after

GB = 1 << 30
T = 1_700_000_000.0
LIMITS = Limits(
    max_temp_c=83,
    resume_temp_c=75,
    max_load_per_core=1.5,
    min_free_ram_bytes=4 * GB,
    max_ram_bytes=8 * GB,
    min_free_disk_bytes=GB,
    max_paused_s=1800.0,
    gpu_bytes=10 * GB,
)


def gpu(temp_c: int | None = 60, index: str = "0", **more: Any) -> GpuSample:
    return GpuSample(index=index, mask=index, uuid=f"GPU-{index}", name="Stand-In", temp_c=temp_c, **more)


def host(t: float = T, free_gb: float = 32.0) -> HostSample:
    return HostSample(t=t, cores=4, load1=0.0, ram_total_bytes=64 * GB, ram_free_bytes=int(free_gb * GB))


class History:
    """Readings, one every two seconds, into one Governance; a pause and a continue are carried out."""

    def __init__(self, **more: Any) -> None:
        patience_s = more.pop("patience_s", None)
        self.governance = Governance(more.pop("limits", LIMITS), **more)
        self.governance.bear(patience_s)
        self.now = 1000.0
        self.paused_by = ""
        self.acts: list[tuple[float, Act]] = []

    def reading(self, **values: Any) -> Judgement:
        self.now += 2.0
        t = T + self.now
        stamps = {
            "gpus_t": ("gpus", "gpu_tree"),
            "load_t": ("others_load",),
            "ram_t": ("ram_bytes",),
            "disks_t": ("disks",),
        }
        for stamp, names in stamps.items():
            if any(name in values for name in names):
                values.setdefault(stamp, t)
        judgement = self.governance.judge(Reading(t=t, **values), self.now, paused_by=self.paused_by)
        if judgement.act is not None:
            self.acts.append((self.now, judgement.act))
            self.paused_by = {"pause": "governor", "continue": ""}.get(judgement.act.verb, self.paused_by)
        return judgement

    def temperatures(self, values: Iterable[int | None], **more: Any) -> list[str]:
        """The verbs that came of these, "" where nothing did."""
        verbs = []
        for temp_c in values:
            judgement = self.reading(gpus=(gpu(temp_c, **more),))
            verbs.append(judgement.act.verb if judgement.act else "")
        return verbs


def test_heat_pauses_after_two_samples_and_cooling_continues() -> None:
    history = History()
    assert history.temperatures([82, 83]) == ["", ""]
    assert history.temperatures([84]) == ["pause"]
    act = history.acts[-1][1]
    assert act.reason is not None
    assert (act.reason.code, act.reason.by) == ("heat", "governor")
    assert act.reason.text == "GPU 0 was at 84 °C, limit 83 °C; waits for 75 °C"
    assert [(d.rule, d.value, d.limit, d.ok) for d in act.decisions] == [("gpu_temp", 84.0, 83.0, False)]
    # Cool at once, but a pause lasts 30 s; then 76 is not yet 75.
    assert set(history.temperatures([70] * 14)) == {""}
    assert history.temperatures([76, 75]) == ["", "continue"]
    assert history.acts[-1][1].decisions[0].text == "GPU 0: 75 °C, below 83 °C wanted"
    # It has to run for 60 s before the next pause.
    assert set(history.temperatures([90] * 29)) == {""}
    assert history.temperatures([90, 90]) == ["pause", ""]


def test_a_single_hot_sample_and_the_same_sample_twice_do_nothing() -> None:
    history = History()
    assert history.temperatures([90, 70, 90, 70, 90]) == [""] * 5
    once = History()
    for _ in range(4):  # the thread has nothing new yet
        assert once.reading(gpus=(gpu(90),), gpus_t=T + 1001).act is None


@pytest.mark.parametrize(
    ("max_c", "slowdown_c", "resume_c", "hot", "cool"),
    [
        (83, None, 75, 83, 75),
        (83, 90, 75, 83, 75),  # the user's value counts where it is lower
        (95, 90, 85, 87, 85),  # the driver's where that is
        (95, 88, 90, 85, 84),  # on again always below the limit
        (60, 100, 70, 60, 59),
    ],
)
def test_the_lower_of_the_users_limit_and_the_slowdown_point(
    max_c: int, slowdown_c: int | None, resume_c: int, hot: int, cool: int
) -> None:
    limits = LIMITS.replace(max_temp_c=max_c, resume_temp_c=resume_c)
    history = History(limits=limits, pace=Pace().times(0))
    more = {"slowdown_c": slowdown_c}
    assert history.temperatures([hot - 1] * 3, **more) == ["", "", ""]
    assert history.temperatures([hot, hot], **more) == ["", "pause"]
    assert history.temperatures([cool + 1, cool], **more) == ["", "continue"]


def test_all_gpus_must_have_cooled() -> None:
    history = History(pace=Pace().times(0))
    for _ in range(2):
        history.reading(gpus=(gpu(50), gpu(84, "1")))
    assert history.paused_by == "governor"
    assert history.reading(gpus=(gpu(84), gpu(70, "1"))).act is None
    judgement = history.reading(gpus=(gpu(82), gpu(70, "1")))
    assert judgement.act is not None
    assert [d.text[:5] for d in judgement.act.decisions] == ["GPU 1"]


def test_old_values_decide_nothing_and_are_said() -> None:
    history = History()
    history.temperatures([60])
    seen = T + history.now
    texts = set()
    for n in range(30):
        judgement = history.reading(gpus=(gpu(95),), gpus_t=seen)
        assert judgement.act is None
        texts |= set(judgement.warnings.values())
        assert bool(judgement.warnings) == (2 * (n + 1) > 10)
    assert len(texts) == 1
    assert "cannot be read now, last read 12 s ago" in texts.pop()
    assert history.reading(gpus=(gpu(60),)).warnings == {}


@pytest.mark.parametrize("took_s", [0.1, 2.0, 3.0, 4.5, 5.0, 8.0])
def test_a_driver_that_is_slow_to_answer_is_heard_all_the_same(took_s: float) -> None:
    governance, every_s, now = Governance(LIMITS), took_s + rest_after(took_s), took_s
    verbs: list[tuple[float, str]] = []
    while now < took_s + 2.5 * every_s:
        sampled = every_s * ((now - took_s) // every_s)
        reading = Reading(t=T + now, gpus=(gpu(95),), gpus_t=T + sampled, gpus_every_s=every_s)
        judgement = governance.judge(reading, now, paused_by="governor" if verbs else "")
        assert judgement.warnings == {}
        if judgement.act is not None:
            verbs.append((now, judgement.act.verb))
        now += 1.0
    assert [verb for _, verb in verbs] == ["pause"]
    assert took_s + every_s <= verbs[0][0] < took_s + every_s + 1  # with the second sample


@pytest.mark.parametrize(("sizes", "verbs"), [([9.0, 9.0, 9.0], ["stop"]), ([9.0, 9.0, 7.0, 9.0, 9.0], [])])
def test_what_is_measured_seldom_is_counted_all_the_same(sizes: list[float], verbs: list[str]) -> None:
    governance, came, warned = Governance(LIMITS), [], set()
    for second in range(15 * len(sizes)):
        measured = second // 15
        reading = Reading(t=T + second, ram_bytes=int(sizes[measured] * GB), ram_t=T + 15 * measured)
        judgement = governance.judge(reading, float(second))
        if sizes[measured] > 8:
            warned.add(judgement.warnings.get("max_ram"))
        if judgement.act is not None:
            came.append(judgement.act.verb)
            break
    assert came == verbs
    assert warned == {"RAM of the run: 9.0 GB, 8.0 GB allowed: it is stopped if that stays so"}


def test_a_paused_run_waits_for_a_driver_that_answers() -> None:
    history = History(limits=LIMITS.replace(max_paused_s=100.0), pace=Pace().times(0))
    history.temperatures([90, 90])
    seen = T + history.now
    judgements = [history.reading(gpus=(gpu(60),), gpus_t=seen - 20, gpu_trouble="no answer") for _ in range(50)]
    assert [j.act.verb for j in judgements if j.act] == ["stop"]
    reason = history.acts[-1][1].reason
    assert reason is not None
    assert reason.code == "paused_too_long"
    assert "100 s" in reason.text


@pytest.mark.parametrize(
    ("load", "cores", "verbs"),
    [
        ([7.0, 7.0], [3.0, 3.0], ["", "pause"]),
        ([5.9, 5.9], [3.0, 3.0], ["", ""]),
        # The load average says a lot, the processors say that nobody else is busy: it is the run's own.
        ([40.0, 40.0], [0.2, 0.2], ["", ""]),
        ([40.0, 40.0], [None, None], ["", "pause"]),
    ],
)
def test_the_load_of_others(load: list[float], cores: list[float | None], verbs: list[str]) -> None:
    history = History()
    came = []
    for others, busy in zip(load, cores, strict=True):
        act = history.reading(host=host(), others_load=others, others_cores=busy).act
        came.append(act.verb if act else "")
    assert came == verbs


def test_load_must_fall_well_below_its_limit_before_a_run_goes_on() -> None:
    history = History(pace=Pace().times(0))
    for load in (9.0, 9.0):
        history.reading(host=host(), others_load=load)
    assert history.acts[-1][1].verb == "pause"
    assert history.reading(host=host(), others_load=5.0).act is None
    assert history.reading(host=host(), others_load=4.5).act is not None
    assert history.paused_by == ""


def test_a_hot_gpu_keeps_a_run_paused_that_others_load_had_paused() -> None:
    history = History(pace=Pace().times(0))
    for _ in range(2):
        history.reading(host=host(), others_load=9.0, gpus=(gpu(60),))
    assert history.reading(host=host(), others_load=0.0, gpus=(gpu(84),)).act is None
    assert history.reading(host=host(), others_load=0.0, gpus=(gpu(80),)).act is not None


def test_only_the_newest_run_ends_when_memory_runs_out() -> None:
    elder, newest = History(), History()
    for free in (1.2, 0.9, 0.9, 0.9):
        assert elder.reading(host=host(T + elder.now, free), younger=1).act is None
    verbs = []
    for free in (1.2, 0.9, 0.9):
        act = newest.reading(host=host(T + newest.now, free)).act
        verbs.append(act.verb if act else "")
    assert verbs == ["", "", "stop"]
    reason = newest.acts[-1][1].reason
    assert reason is not None
    assert reason.code == "ram"
    assert "0.9 GB free, 1.0 GB are the least" in reason.text
    assert History().reading(host=host(T + 1001, 0.4)).act is not None  # at once


@pytest.mark.parametrize("younger", [1, 2])
def test_an_elder_run_ends_too_when_the_younger_ones_do_not(younger: int) -> None:
    history = History()
    looks = 0
    while not history.acts:
        assert looks < 1000
        history.reading(host=host(T + history.now, 0.4), younger=younger)
        looks += 1
    assert looks == 30 * younger  # one after the other
    assert [(act.verb, act.reason.code) for _, act in history.acts if act.reason] == [("stop", "ram")]


@pytest.mark.parametrize(
    ("sizes", "verbs"),
    [
        ([7.9, 7.9, 7.9], ["", "", ""]),
        ([8.1, 8.1, 8.1], ["", "", "stop"]),
        ([8.1, 7.9, 8.1, 8.1], ["", "", "", ""]),
        ([7.0, 10.1], ["", "stop"]),
    ],
)
def test_ram_of_the_run(sizes: list[float], verbs: list[str]) -> None:
    history = History()
    came, warned = [], []
    for size in sizes:
        judgement = history.reading(ram_bytes=int(size * GB))
        came.append(judgement.act.verb if judgement.act else "")
        warned.append(bool(judgement.warnings))
    assert came == verbs
    assert warned == [size > 8 for size in sizes]


@pytest.mark.parametrize(
    ("free", "checkpoint", "is_saving", "verb"),
    [
        (1.1, 0.0, False, ""),
        (0.9, 0.0, False, "stop"),
        (1.1, 0.5, False, "stop"),
        (1.1, 0.5, True, ""),  # its room is in use already
        (0.9, 0.5, True, "stop"),
    ],
)
def test_the_disk_keeps_room_for_one_more_checkpoint(
    free: float, checkpoint: float, is_saving: bool, verb: str
) -> None:
    history = History()
    disk = DiskSample(path="/d", what="checkpoints", free_bytes=int(free * GB), total_bytes=9 * GB)
    values: dict[str, Any] = {"disks": (disk,), "checkpoint_bytes": int(checkpoint * GB), "is_saving": is_saving}
    assert history.reading(**values).act is None
    act = history.reading(**values).act
    assert (act.verb if act else "") == verb
    nearly_full = disk.replace(free_bytes=GB // 4)
    assert History().reading(disks=(nearly_full,)).act is not None  # at once
    assert not findings(LIMITS.replace(min_free_disk_bytes=0), Reading(t=T, **values))


def test_gpu_memory_may_be_beyond_its_limit_for_a_moment() -> None:
    history = History()
    judgements = [history.reading(gpus=(gpu(),), gpu_tree={"0": 11 * GB}) for _ in range(4)]
    assert [j.act.verb if j.act else "" for j in judgements] == ["", "", "", "stop"]
    assert "the run uses 11.0 GB, 10.0 GB allowed" in judgements[0].warnings["gpu_memory 0"]
    again = History()
    for used in (11, 11, 9, 11, 11, 11):
        judgement = again.reading(gpus=(gpu(),), gpu_tree={"0": used * GB}, is_whole_gpu=True)
        assert judgement.act is None
        assert bool(judgement.warnings) == (used > 10)
    said = "GPU 0: 11.0 GB more in use than before it started, 10.0 GB allowed: it is stopped if that stays so"
    assert judgement.warnings["gpu_memory 0"] == said


def test_memory_that_may_be_another_runs_stops_nobody() -> None:
    shared: dict[str, Any] = {"gpu_tree": {"0": 45 * GB}, "is_whole_gpu": True, "shared_gpus": frozenset({"0"})}
    history = History()
    judgements = [history.reading(gpus=(gpu(),), **shared) for _ in range(30)]
    assert history.acts == []
    assert {j.warnings["gpu_memory 0"] for j in judgements} == {
        "GPU 0: 45.0 GB more in use than before it started, 10.0 GB allowed: "
        "other runs use this GPU, and the driver does not tell whose it is, so the run goes on"
    }
    # What the driver lists as the run's own is, whoever else is there.
    history.reading(gpus=(gpu(),), **{**shared, "is_whole_gpu": False})
    assert [act.verb for _, act in history.acts] == ["stop"]


def test_a_yield_stops_at_once_and_comes_before_all_else() -> None:
    history = History()
    history.reading(ram_bytes=9 * GB)
    act = history.reading(ram_bytes=20 * GB, yield_to="anna").act
    assert act is not None
    assert act.reason is not None
    assert (act.verb, act.reason.code) == ("stop", "yield")
    assert act.reason.text == "anna asked all runs to make room"


def test_a_persons_pause_is_not_the_governors_to_end() -> None:
    history = History(pace=Pace().times(0))
    history.paused_by = "person"
    assert history.temperatures([90, 90, 60, 60]) == [""] * 4
    # A person takes the Governor's pause over: it does not end by itself, however cool it is.
    taken = History(pace=Pace().times(0))
    assert taken.temperatures([90, 90]) == ["", "pause"]
    taken.paused_by = "person"
    assert taken.temperatures([60] * 1000) == [""] * 1000


def test_processes_that_wait_for_each_other_stand_still_no_longer_than_they_bear() -> None:
    history = History(patience_s=60.0)
    history.temperatures([90, 90])
    assert set(history.temperatures([90] * 29)) == {""}
    assert history.temperatures([90]) == ["stop"]
    reason = history.acts[-1][1].reason
    assert reason is not None
    assert reason.code == "paused_too_long"


def test_what_must_not_be_paused_is_stopped_for_heat_and_not_for_load() -> None:
    history = History(patience_s=0.0)
    for _ in range(5):
        assert history.reading(host=host(), others_load=40.0).act is None
    assert history.temperatures([90, 90]) == ["", "stop"]
    reason = history.acts[-1][1].reason
    assert reason is not None
    assert reason.code == "heat"


def test_every_rule_is_told_with_value_limit_and_age() -> None:
    reading = Reading(
        t=T,
        gpus=(gpu(60),),
        gpus_t=T - 3,
        gpu_tree={"0": GB},
        host=host(),
        others_load=1.0,
        load_t=T - 12,
        ram_bytes=GB,
        ram_t=T - 1,
        disks=(DiskSample(path="/d", what="records", free_bytes=3 * GB, total_bytes=9 * GB),),
        disks_t=T,
        paused_s=5.0,
        yield_to="anna",
    )
    told = {d.rule: d for d in rules_now(LIMITS, reading)}
    assert list(told) == ["gpu_temp", "gpu_memory", "ram", "cpu", "max_ram", "disk", "paused", "yield"]
    assert told["gpu_temp"].age_s == 3.0
    assert told["cpu"].age_s == 12.0
    assert "12 s ago: decides nothing" in told["cpu"].text
    assert [rule for rule, d in told.items() if not d.ok] == ["yield"]
    assert all(d.value is not None and d.limit is not None for rule, d in told.items() if rule != "yield")
    assert rules_now(LIMITS, Reading(t=T)) == ()


def made_spec(command: tuple[str, ...], **settings: object) -> SliceSpec:
    values = {setting.key: setting.default for setting in SETTINGS}
    values |= {key.replace("__", "."): value for key, value in settings.items()}
    return SliceSpec(
        run_id="r1", n=1, created=0, command=command, is_command=True, cwd="/", interpreter=None,
        interpreter_origin="", framework="unknown", declared_flags=(), env={}, recorded_env={},
        settings={key: SettingValue(value=value, origin="default") for key, value in values.items()},
    )  # fmt: skip


def test_limits_come_from_the_settings_also_of_an_older_record() -> None:
    old = made_spec(("train.py",))
    for key in ("maxRamGB", "minFreeDiskGB", "maxPausedMinutes", "gpu.resumeTempC"):
        old.settings.pop(key, None)
    limits = limits_of(old)
    assert (limits.resume_temp_c, limits.max_ram_bytes, limits.min_free_disk_bytes) == (limits.max_temp_c - 10, None, 0)
    asked = limits_of(made_spec(("train.py",), maxRamGB=2, maxPausedMinutes=5, gpu__resumeTempC=60), gpu_bytes=7)
    assert (asked.max_ram_bytes, asked.max_paused_s, asked.resume_temp_c, asked.gpu_bytes) == (2 * GB, 300.0, 60, 7)


@pytest.mark.parametrize(
    ("command", "env", "expected"),
    [
        (("train.py",), {}, None),
        (("/opt/bin/torchrun", "train.py"), {}, 240.0),
        (("python", "-m", "torch.distributed.run", "train.py"), {}, 240.0),
        (("accelerate", "launch", "train.py"), {}, 240.0),
        (("train.py",), {"WORLD_SIZE": "8"}, 240.0),
        (("train.py",), {"WORLD_SIZE": "1"}, None),
        (("bash", "train.sh"), {"OMPI_COMM_WORLD_SIZE": "2"}, 240.0),
        (("train.py",), {"JAX_COORDINATOR_ADDRESS": "node:1234"}, 60.0),
        (("train.py",), {"CUDA_MPS_PIPE_DIRECTORY": "/tmp/mps"}, 0.0),
    ],
)
def test_who_can_stand_still_for_how_long(
    command: tuple[str, ...], env: dict[str, str], expected: float | None
) -> None:
    assert patience_s(made_spec(command), env) == expected


def test_own_load_is_taken_away_as_the_kernel_adds_it() -> None:
    """Eight busy workers for five minutes: the kernel's average and ours rise together, so others' part stays 0."""
    pressure, kernel = Pressure(0.0, 0.0), 0.0
    for second in range(1, 301):
        kernel = kernel * 0.98347 + 8.0 * 0.01653  # exp(-1/60)
        if second % 2 == 0:
            pressure.note_tasks(float(second), 8.0)
        if second % 10 == 0:
            pressure.measure(10.0, load1=kernel, busy_s=second * 4.0, own_cpu_s=40.0)
            assert pressure.load is not None
            assert pressure.load < 0.2
            assert pressure.cores in (None, 0.0)
    for second in range(301, 361):  # others come: six tasks that keep two of the four cores busy
        kernel = kernel * 0.98347 + 14.0 * 0.01653
        pressure.note_tasks(float(second), 8.0)
    pressure.measure(60.0, load1=kernel, busy_s=300 * 4.0 + 240.0, own_cpu_s=120.0)
    assert pressure.load == pytest.approx(6 * 0.632, abs=0.2)
    assert pressure.cores == pytest.approx(2.0)
    pressure.measure(10.0, load1=None, busy_s=None, own_cpu_s=0.0)
    assert (pressure.load, pressure.cores) == (None, None)
