"""Why a run in progress is not simply running, short enough for 80 columns, and longer."""

from __future__ import annotations

from typing import Any

import pytest

from backprop_tui.config.settings import SETTINGS
from backprop_tui.model.decisions import Decision
from backprop_tui.model.run import Checkpoint, Notes, Reason, Run, Slice
from backprop_tui.model.spec import SettingValue, SliceSpec
from backprop_tui.model.states import RunState
from backprop_tui.tui.draw.chain import follows, mark
from backprop_tui.tui.reasons import SHORT_ROOM, reasons
from backprop_tui.watch.record import Record

G = float(1 << 30)
NOW = 10_000.0
GPU_0 = Decision(rule="gpu_memory", ok=False, text="GPU 0: 2.7 GB free, 16.0 GB wanted", value=2.7 * G, limit=16 * G)
GPU_1 = GPU_0.replace(text="GPU 1: 12.2 GB free, 16.0 GB wanted", value=12.2 * G)
SLOTS = Decision(rule="slots", ok=False, text="4 runs in progress, 4 allowed", value=4, limit=4)
RAM = Decision(rule="ram", ok=False, text="RAM: 20.0 GB free, 32.0 GB wanted", value=20 * G, limit=32 * G)
DISK = Decision(rule="disk", ok=False, text="disk: 4.0 GB free", value=4 * G, limit=10 * G)
CPU = Decision(rule="cpu", ok=False, text="CPU: other programs' load", value=0.91, limit=0.7)
HEAT = Decision(rule="gpu_temp", ok=False, text="GPU 1: 84 °C, limit 83 °C", value=84, limit=83)
ODD = Decision(rule="probe", ok=False, text="no GPU probe answers")


def record(state: str, text: str = "", *, code: str = "waiting", by: str = "governor", **more: Any) -> Record:
    settings = {
        s.key: SettingValue(value=more.get("settings", {}).get(s.key, s.default), origin="default") for s in SETTINGS
    }
    spec = SliceSpec(
        run_id="a", n=3, created=0, command=("t.py",), is_command=False, cwd="/", interpreter=None, interpreter_origin="",
        framework="unknown", declared_flags=(), settings=settings, env={}, recorded_env={},
    )  # fmt: skip
    piece = Slice(
        n=3,
        state=RunState(state),
        started=NOW - more.get("since", 12),
        box_s=600,
        resumed_from=more.get("resumed_from"),
    )
    run = Run(
        id="a", state=RunState(state), created=0, updated=0, slices=(*EARLIER, piece), held=more.get("held", ""),
        goes_on=more.get("goes_on", False), checkpoints=more.get("checkpoints", ()),
        reason=Reason(code=code, text=text, by=by) if text else None,
    )  # fmt: skip
    return Record(run=run, spec=spec, notes=Notes(), t=NOW, folder="")


EARLIER = tuple(
    Slice(n=n, state=RunState.TIMEBOXED, started=0.0, ended=600.0, box_s=600.0, used_s=600.0) for n in (1, 2)
)
PLACE = "; first in line, about 8 min"


@pytest.mark.parametrize(
    ("decisions", "text", "short", "long"),
    [
        ((GPU_0, GPU_1), f"waits: GPU 0: 2.7 GB free (x has 12.0 GB){PLACE}", "needs 16.0G VRAM, 12.2G free; 1st, 8 min",
         f"needs 16.0G VRAM; free: GPU 0 2.7G, GPU 1 12.2G{PLACE}"),
        ((GPU_1,), "waits: no place told", "needs 16.0G VRAM, 12.2G free", "needs 16.0G VRAM, 12.2G free"),
        ((SLOTS,), f"waits: 4 runs{PLACE}", "4 of 4 runs in progress; 1st, about 8 min", f"4 of 4 runs in progress{PLACE}"),
        ((RAM,), "waits: RAM; second in line", "needs 32.0G RAM, 20.0G free; 2nd",
         "needs 32.0G RAM, 20.0G free; second in line"),
        ((DISK,), "waits: disk; 12th in line", "disk: 4.0G free, 10.0G must stay free", None),
        ((CPU,), "waits: load; third in line", "others' load 0.91 a core, limit 0.70; 3rd", None),
        ((HEAT,), "waits: heat; first in line", "GPU 1 at 84°, starts below 83°; 1st", None),
        ((SLOTS, RAM), "waits: 4 runs; RAM; first in line", "4 of 4 runs in progress; 1st", "4 runs; RAM; first in line"),
        ((ODD,), "waits: no GPU probe answers", "no GPU probe answers", "no GPU probe answers"),
        ((), "waits: its turn", "its turn", "its turn"),
    ],
)  # fmt: skip
def test_a_run_that_waits(decisions: tuple[Decision, ...], text: str, short: str, long: str | None) -> None:
    found = reasons(record("queued", text), decisions)
    assert found[0] == short
    assert len(found[0]) <= SHORT_ROOM
    assert long is None or found[1] == long


def test_what_people_ordered_is_said_as_it_stands() -> None:
    assert reasons(record("queued", "anna drains", code="drained"), (SLOTS,))[0] == "the box is drained; H ends that"
    assert reasons(record("queued", "anna asked", code="yielded"))[0] == "GPUs given back; Y brings it back"
    assert reasons(record("queued", "waits: x", held="anna@box"))[0] == "held by anna; h releases"


def test_a_pause_for_heat_says_what_it_waits_for() -> None:
    hot = record("paused", "GPU 1: 84 °C", code="heat", settings={"gpu.maxTempC": 83, "gpu.resumeTempC": 75})
    assert reasons(hot, (HEAT,)) == (
        "GPU 1 hit 84°, limit 83; waits for 75°",
        "GPU 1 hit 84°C, its limit is 83; continues by itself at 75",
    )
    default = record("paused", "GPU 1: 84 °C", code="heat", settings={"gpu.maxTempC": 85})
    assert reasons(default, (HEAT,))[0].endswith("waits for 75°")
    above = record("paused", "GPU 1: 84 °C", code="heat", settings={"gpu.resumeTempC": 120})
    assert reasons(above, (HEAT,))[0].endswith("waits for 82°"), "never above the limit"
    assert reasons(record("paused", "RAM is short", code="ram"), (RAM,))[0] == "RAM is short"
    assert reasons(record("paused", "paused by anna", by="person"))[0] == "by you; p continues"


def test_a_start() -> None:
    assert reasons(record("starting"))[0] == "loading, 12 s so far"
    saved = (Checkpoint(path="/c.pt", step=8200, t=0, slice=2),)
    going = record("starting", resumed_from="/c.pt", checkpoints=saved)
    assert reasons(going) == ("loading step 8,200, 12 s so far", "resuming from step 8,200: loading, 12 s so far")
    assert reasons(record("starting", since=130))[0] == "no first step after 2:10; l shows why"


def test_between_two_slices() -> None:
    short, long = reasons(record("timeboxed", "its box ended", code="timebox", by="timebox", goes_on=True))
    assert short == long == "the next slice follows by itself"
    assert "exited with code 1" in reasons(record("failed", "exited with code 1", goes_on=True))[1]


@pytest.mark.parametrize(
    ("more", "sign", "words"),
    [
        ({}, "", ""),
        ({"settings": {"slices": 6}, "goes_on": True}, "3/6", "The next slice follows by itself."),
        ({"settings": {"totalMinutes": 180}, "goes_on": True}, "#3", "The next slice follows by itself."),
        ({"settings": {"slices": 3}}, "3/3", ""),
        ({"settings": {"retries": 2}, "goes_on": True}, "#3", "The next slice follows by itself."),
        ({"settings": {"slices": 6}, "goes_on": True, "held": "anna@box"}, "3/6",
         "Held by anna: the next slice waits until h releases it."),
    ],
)  # fmt: skip
def test_a_run_that_goes_on(more: dict[str, Any], sign: str, words: str) -> None:
    going = record("running", **more)
    assert mark(going) == sign
    assert follows(going) == words


def test_a_run_that_goes_on_no_more_or_has_given_way() -> None:
    chain = record("timeboxed", settings={"slices": 3})
    assert mark(chain) == ""
    assert mark(chain.replace(run=chain.run.replace(goes_on=True))) != ""
    gave_way = EARLIER[1].replace(reason=Reason(code="yield", text="", by="person"), state=RunState.STOPPED)
    again = record("running", settings={"slices": 2})
    again = again.replace(run=again.run.replace(slices=(EARLIER[0], gave_way, again.run.slices[-1])))
    assert mark(again) == "2/2", "what gave way counts for nothing"
    assert mark(record("running", settings={"slices": 2})) == "#3", "one more than were asked for"
