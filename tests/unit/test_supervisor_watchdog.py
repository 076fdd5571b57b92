"""The watchdog within the real loop, with a manual clock."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from backprop_tui.frozen import Frozen
from backprop_tui.model.run import Checkpoint
from backprop_tui.model.samples import GpuSample
from backprop_tui.model.spec import SettingValue
from backprop_tui.model.states import RunState
from backprop_tui.supervisor.watchdog import Watchdog
from tests.unit.test_supervisor_loop import GRACEFUL, Stage

GIB = 1024**3


class Snapshot(Frozen):
    t: float
    gpus: tuple[GpuSample, ...]
    tree_bytes: dict[str, int]
    is_device: bool = False


def staged(tmp_path: Path, **settings: Any) -> tuple[Stage, Watchdog]:
    stage = Stage(tmp_path, GRACEFUL)
    values = {
        f"watchdog.{name}": SettingValue(value=value, origin="flag")
        for name, value in settings.items()
        if name != "snapshot"
    }
    spec, parts = stage.spec.replace(settings=values), stage.supervision._p
    watchdog = Watchdog(
        spec, stage.recorder, stage.clock, parts.box, lambda _text: None, settings.get("snapshot", lambda: None)
    )
    parts.overseers = (watchdog,)
    return stage, watchdog


def tell(stage: Stage, *losses: str, first: int = 1) -> None:
    lines = [f'{{"step": {first + n}, "loss": {loss}}}\n' for n, loss in enumerate(losses)]
    stage.engine.output += "".join(lines).encode()


def test_reports_that_come_at_once_are_counted_one_by_one(tmp_path: Path) -> None:
    """A streak within a burst counts, also when the burst ends with a number."""
    stage, _ = staged(tmp_path)
    tell(stage, "1.0", "0.5", "NaN", "NaN", "0.4", "NaN", "Infinity", "NaN", "0.3")
    stage.turn()
    run = stage.end()
    assert run.state is RunState.DIVERGED
    assert run.reason is not None
    assert run.reason.text == (
        "the loss has been no finite number for 3 reports in a row, from step 6 on (nan); the last one was 0.4 at step 5"
    )
    assert run.failure is not None
    assert run.failure.kind == "nan"


def test_fewer_or_none_do_not_end_it(tmp_path: Path) -> None:
    stage, _ = staged(tmp_path, nanSteps=None)
    tell(stage, "1.0", *["NaN"] * 20)
    stage.turn(0.1)
    assert stage.state() == "running"
    newest = stage.recorder.run.slice
    assert newest is not None
    assert newest.rise is not None
    assert newest.rise.step == 1
    tell(stage, "0.9", first=50)
    stage.turn(0.1)
    newest = stage.recorder.run.slice
    assert newest is not None
    assert newest.rise is None


def test_other_metrics_say_nothing_of_the_loss(tmp_path: Path) -> None:
    stage, _ = staged(tmp_path)
    for step in range(1, 9):
        stage.engine.output += json.dumps({"step": step, "loss": 1.0, "grad_norm": float("nan")}).encode() + b"\n"
        stage.engine.output += json.dumps({"step": step, "eval_perplexity": float("inf")}).encode() + b"\n"
    stage.turn(0.1)
    assert stage.state() == "running"


def test_where_another_metric_turns_out_to_be_the_main_one_its_reports_count(tmp_path: Path) -> None:
    stage, _ = staged(tmp_path)
    stage.engine.output = b'{"step": 1, "val_loss": NaN}\n{"step": 2, "val_loss": NaN}\n'
    stage.turn(0.1)
    tell(stage, "NaN", first=3)
    stage.turn(0.1)
    assert stage.state() == "running"
    tell(stage, "NaN", "NaN", first=4)
    stage.turn(0.1)
    assert stage.state() == "stopping"


def test_the_rise_is_in_the_record_also_of_a_slice_that_ends_by_itself(tmp_path: Path) -> None:
    from backprop_tui.engines.base import Exit

    stage, _ = staged(tmp_path)
    saved = tuple(Checkpoint(path=f"/c{n}", step=n, t=stage.clock.epoch(), slice=1, good=True) for n in (1, 2, 3))
    tell(stage, "2.0", "1.0", "5.0", "NaN")
    stage.turn(0.1)
    stage.recorder.amend(checkpoints=saved)
    stage.engine.exit = Exit(code=0)
    run = stage.end()
    assert run.state is RunState.DIVERGED
    assert run.sound_checkpoint == saved[1]


def test_a_stall_is_said_taken_back_and_ended_when_that_is_asked(tmp_path: Path) -> None:
    stage, _ = staged(tmp_path, stallMinutes=5)
    for step in range(1, 20):
        tell(stage, "1.0", first=step)
        stage.turn(1.0)
    for _ in range(70):
        stage.turn(1.0)
    assert [text for text in stage.recorder.run.warnings if text.startswith("no step for 60 s: step 19 was the last")]
    tell(stage, "1.0", first=20)
    stage.turn(1.0)
    stage.turn(1.0)
    assert stage.recorder.run.warnings == ()
    for _ in range(305):
        stage.turn(1.0)
    run = stage.end()
    assert run.state is RunState.STOPPED
    assert run.reason is not None
    assert (run.reason.code, run.reason.by) == ("stall", "watchdog")


def test_what_stands_still_does_not_stall(tmp_path: Path) -> None:
    stage, _ = staged(tmp_path, stallMinutes=1)
    tell(stage, "1.0", "1.0", "1.0", "1.0")
    stage.turn(1.0)
    stage.ask("pause")
    for _ in range(200):
        stage.turn(1.0)
    stage.ask("continue")
    for _ in range(50):
        stage.turn(1.0)
    assert stage.state() == "running"
    for _ in range(15):
        stage.turn(1.0)
    assert stage.state() == "stopping"


@pytest.mark.parametrize("is_stale", [False, True])
def test_an_idle_gpu_is_said_by_fresh_samples_only(tmp_path: Path, is_stale: bool) -> None:
    util = 1

    def snapshot() -> Snapshot:
        gpu = GpuSample(index="0", mask="0", uuid="GPU-0", name="x", util_percent=util)
        return Snapshot(t=stage.clock.epoch() - (60 if is_stale else 1), gpus=(gpu,), tree_bytes={"0": 3 * GIB})

    stage, _ = staged(tmp_path, snapshot=snapshot)
    for _ in range(310):
        stage.turn(1.0)
    said = "GPU 0 has been idle for 5 min, while the run holds 3.0 GB of its memory"
    assert stage.recorder.run.warnings == (() if is_stale else (said,))
    util = 90
    stage.turn(1.0)
    stage.turn(1.0)
    assert stage.recorder.run.warnings == ()


def test_a_fault_in_it_is_told_and_ends_nothing(tmp_path: Path) -> None:
    def snapshot() -> Snapshot:
        raise RuntimeError("no such thing")

    stage, _ = staged(tmp_path, snapshot=snapshot)
    stage.turn(1.0)
    stage.turn(1.0)
    assert stage.state() == "running"
    assert any(
        "a fault of backprop: RuntimeError with whether it goes on" in text for text in stage.recorder.run.warnings
    )
