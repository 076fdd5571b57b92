"""The seam of a resumed slice and the best value that holds, found in metrics.jsonl with bounded reading."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from backprop_tui.model.events import Metric, Progress
from backprop_tui.model.run import Run, Seam, Slice
from backprop_tui.model.spec import SliceSpec
from backprop_tui.model.states import RunState
from backprop_tui.store.metriclines import MetricFile
from backprop_tui.supervisor import lookback
from backprop_tui.supervisor.continuity import Continuity
from backprop_tui.supervisor.recorder import Recorder
from backprop_tui.supervisor.tally import with_metrics, with_progress
from tests.unit.made_slices import History, Value
from tests.unit.test_supervisor_loop import FakePublisher, ManualClock


def falling(n: int, step: int) -> float:
    """A loss that goes on with every slice, and scatters."""
    return 2.0 + 5.0 * math.exp(-step / 300) + 0.02 * ((step * 7919) % 13 - 6) + n * 1e-6


class Resumed:
    """A slice that was resumed at a step, and its supervisor's record."""

    def __init__(self, history: History, *, saved: int | None = 500, how: str = "flag", main: str = "loss") -> None:
        self.history = history
        self.piece = Slice(
            n=len(history.slices) + 1, state=RunState.RUNNING, started=9000, box_s=600,
            metrics_start=history.path.stat().st_size, resumed_from="/ck/500.pt" if how == "flag" else None,
        )  # fmt: skip
        spec = SliceSpec(
            run_id="r", n=self.piece.n, created=0, command=("x",), is_command=True, cwd="/", interpreter=None,
            interpreter_origin="", framework="unknown", declared_flags=(), settings={}, env={}, recorded_env={},
            resume_from="/ck/500.pt" if how == "flag" else None, resume_how=how, resume_step=saved,
        )  # fmt: skip
        publisher: Any = FakePublisher()
        run = history.run.replace(state=RunState.RUNNING, slices=(*history.slices, self.piece), best_loss=0.5)
        self.recorder = Recorder(history.run_folder, run, spec, publisher, ManualClock())
        self.continuity = Continuity(self.recorder, str(history.path), spec)

    def take(self, *steps: int, value: Value | None = None) -> None:
        """The script prints these steps."""
        value = value or self.history.value
        self.recorder.take([Metric(step, {self.history.name: float(value(self.piece.n, step))}) for step in steps])

    @property
    def seam(self) -> Seam | None:
        newest = self.recorder.run.slice
        return newest.seam if newest else None

    def events(self) -> list[dict[str, Any]]:
        return [event for event in self.history.run_folder.events() if event["event"] in ("seam", "warning")]


def test_a_faithful_seam_is_recorded_once_there_is_enough_to_judge_by(tmp_path: Path) -> None:
    resumed = Resumed(History(tmp_path, range(1, 538), value=falling))
    resumed.continuity.look()
    resumed.take(501, 502, 503, 504)
    resumed.continuity.look()
    assert resumed.events() == []
    resumed.take(505)
    resumed.continuity.look()
    seam = resumed.seam
    assert seam is not None
    assert (seam.verdict, seam.step, seam.redone) == ("faithful", 501, 37)
    assert seam.text == (
        "went on at step 501 from checkpoint step 500, redone 37 steps: the same loss at the steps done again (2.91): faithful"
    )
    resumed.take(*range(506, 600), value=lambda _n, _step: 99.0)
    resumed.continuity.look(final=True)
    assert resumed.seam == seam
    assert resumed.events() == [
        {
            "t": resumed.events()[0]["t"],
            "event": "seam",
            "slice": 2,
            "verdict": "faithful",
            "text": f"slice 2 {seam.text}",
        }
    ]
    assert resumed.recorder.run.warnings == ()
    resumed.recorder.flush(force=True)
    assert resumed.history.run_folder.read_run().slices[-1].seam == seam


def test_a_suspicious_seam_is_a_warning(tmp_path: Path) -> None:
    resumed = Resumed(History(tmp_path, range(1, 538), value=falling))
    resumed.take(*range(1, 7))
    resumed.continuity.look()
    seam = resumed.seam
    assert seam is not None
    assert seam.verdict == "suspicious"
    assert seam.text.startswith(
        "began at step 1, not at 500, redone 537 steps: the script did not take up the checkpoint"
    )
    assert resumed.recorder.run.warnings == (f"slice 2 {seam.text}",)
    assert [event["event"] for event in resumed.events()] == ["seam", "warning"]


def test_at_the_end_of_the_slice_it_is_judged_by_what_there_is(tmp_path: Path) -> None:
    resumed = Resumed(History(tmp_path, range(1, 538), value=falling))
    resumed.take(501, 502)
    resumed.continuity.look()
    assert resumed.events() == []
    resumed.continuity.look(final=True)
    assert resumed.seam is not None
    assert resumed.seam.text.endswith("too few values of the loss to compare (500 before, 2 after)")


def test_of_a_slice_that_printed_nothing_there_is_nothing_to_say(tmp_path: Path) -> None:
    resumed = Resumed(History(tmp_path, range(1, 538), value=falling))
    resumed.continuity.look(final=True)
    assert resumed.seam is None
    assert resumed.events() == []


@pytest.mark.parametrize(("how", "has_seam"), [("none", False), ("rerun", True), ("flag", True)])
def test_only_a_slice_that_should_go_on_is_judged(tmp_path: Path, how: str, has_seam: bool) -> None:
    resumed = Resumed(History(tmp_path, range(1, 538), value=falling), how=how)
    resumed.take(*range(1, 9))
    resumed.continuity.look(final=True)
    assert (resumed.seam is not None) is has_seam


def test_a_run_that_shows_no_loss_is_unclear(tmp_path: Path) -> None:
    resumed = Resumed(History(tmp_path, range(1, 538), value=lambda _n, step: step / 600, name="accuracy"))
    resumed.take(*range(501, 530))
    resumed.continuity.look()
    resumed.continuity.look(final=True)
    assert resumed.seam is not None
    assert (resumed.seam.verdict, resumed.seam.before) == ("unclear", None)
    assert resumed.seam.text.endswith("there is no loss to compare")


@pytest.mark.parametrize("saved", [500, 90_000, 180_000])
def test_the_seam_is_found_wherever_it_is_in_a_long_history(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, saved: int
) -> None:
    """Three slices of 100,000 steps: only what lies about the seam is read."""
    slow = lambda n, step: falling(n, step // 100)  # noqa: E731
    history = History(tmp_path, range(1, 100_000), range(99_001, 200_000), value=slow)
    read = 0
    real = MetricFile.read

    def counted(self: MetricFile, start: int, end: int) -> bytes:
        nonlocal read
        data = real(self, start, end)
        read += len(data)
        return data

    monkeypatch.setattr(MetricFile, "read", counted)
    resumed = Resumed(history, saved=saved)
    resumed.take(*range(saved + 1, saved + 9))
    monkeypatch.setattr(lookback, "PORTION", 0)
    monkeypatch.setattr(lookback.Lookback, "_look_for_best", lambda *_args, **_more: None)
    resumed.continuity.look()
    assert resumed.seam is not None
    assert (resumed.seam.verdict, resumed.seam.redone) == ("faithful", 199_999 - saved)
    assert resumed.seam.before == pytest.approx(slow(1, saved), rel=0.05)
    assert read < 600_000


def test_what_was_best_is_looked_for_among_what_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookback, "PORTION", 4096)
    lowest = {1: 300, 2: 450, 3: 900}
    history = History(
        tmp_path, range(1, 800), range(401, 1200), value=lambda n, step: 0.1 * n if step == lowest[n] else 3.0 + n / 1000 + step / 1e6
    )  # fmt: skip
    resumed = Resumed(history, saved=450)
    resumed.take(451)
    assert resumed.recorder.run.best_loss == pytest.approx(3.003451), "what was best before may not hold any more"
    looks = 0
    while resumed.recorder.run.best_loss != 0.1:
        resumed.continuity.look()
        looks += 1
        assert looks < 100
    assert looks > 3, "a little at a time"
    resumed.take(900)
    assert resumed.recorder.run.best_loss == 0.1


@pytest.mark.parametrize(("first", "best"), [(451, 0.2), (450, 0.3), (401, 0.3), (400, 0.3), (301, 0.3), (300, 3.001)])
def test_at_the_end_the_best_value_is_known(tmp_path: Path, first: int, best: float) -> None:
    def value(n: int, step: int) -> float:
        return {(1, 300): 0.3, (1, 420): 0.1, (2, 450): 0.2}.get((n, step), 3.0 + n / 1000)

    resumed = Resumed(History(tmp_path, range(1, 500), range(400, 800), value=value), saved=first - 1)
    resumed.take(first, value=lambda _n, _step: 5.0)
    resumed.continuity.look(final=True)
    assert resumed.recorder.run.best_loss == pytest.approx(best)


def test_where_nothing_can_be_read_nothing_is_said(tmp_path: Path) -> None:
    resumed = Resumed(History(tmp_path, range(1, 538), value=falling))
    resumed.take(*range(501, 520))
    resumed.history.path.unlink()
    resumed.continuity.look()
    resumed.continuity.look(final=True)
    assert resumed.seam is None


@pytest.mark.parametrize(
    "junk", [b"", b"\n\n", b"x" * 100_000 + b"\n", b'{"step": 1}\n[]\n{"step": "a", "loss": 1}\n', b"[" * 9999]
)
def test_hostile_histories_are_bounded(tmp_path: Path, junk: bytes) -> None:
    history = History(tmp_path, range(1, 50), value=falling)
    with history.path.open("ab") as file:
        file.write(junk)
    resumed = Resumed(history, saved=40)
    resumed.take(*range(41, 50))
    resumed.continuity.look()
    resumed.continuity.look(final=True)
    assert resumed.seam is not None


# --- what the record says after more metrics


def begun(*, reached: int | None = 537, **more: Any) -> Run:
    old = Slice(n=1, state=RunState.TIMEBOXED, started=0, box_s=9, first_step=1, last_step=reached)
    new = Slice(n=2, state=RunState.RUNNING, started=10, box_s=9)
    return Run(id="r", state=RunState.RUNNING, created=0, updated=0, slices=(old, new), **more)


@pytest.mark.parametrize(
    ("before", "metrics", "loss", "best_loss", "best_score", "last_loss"),
    [
        ({}, [{"loss": 3.0}, {"loss": 1.0}, {"loss": 2.0}], 2.0, 1.0, None, 2.0),
        ({"loss": 9.0}, [{"lr": 0.1}], 9.0, None, None, None),
        ({"loss": 9.0}, [{"loss": math.nan}], math.nan, None, None, math.nan),
        ({}, [{"train-logloss": 0.6, "train-auc": 0.7}, {"train-logloss": 0.5}], 0.5, 0.5, None, 0.5),
        ({}, [{"acc": 0.2}, {"acc": 0.9}, {"acc": 0.8}], None, None, 0.9, None),
        ({"acc": 0.9}, [{"acc": 0.8}, {"loss": 2.0}], 2.0, 2.0, None, 2.0),
        ({"val_loss": 0.1}, [{"loss": 2.0}], 2.0, 2.0, None, 2.0),
        ({}, [{"rollout/ep_rew_mean": 20.0, "train/loss": 0.1}], None, None, 20.0, None),
        ({}, [{"lr": 0.1}], None, None, None, None),
    ],
)  # fmt: skip
def test_the_metric_that_speaks_for_a_run_is_tallied(
    before: dict[str, float], metrics: list[dict[str, float]], loss: float | None, best_loss: float | None,
    best_score: float | None, last_loss: float | None,
) -> None:  # fmt: skip
    batch = [Metric(601 + n, values) for n, values in enumerate(metrics)]
    run = with_metrics(begun(last=before), batch)
    newest = run.slices[-1]
    assert [run.loss, newest.last_loss] == pytest.approx([loss, last_loss], nan_ok=True)
    assert (run.best_loss, run.best_score) == (best_loss, best_score)
    assert (run.step, newest.first_step, newest.metric_lines) == (600 + len(metrics), 601, len(metrics))


@pytest.mark.parametrize(("first", "best"), [(538, 0.5), (537, 3.0), (1, 3.0)])
def test_what_was_best_at_steps_that_are_done_again_does_not_hold(first: int, best: float) -> None:
    run = with_metrics(begun(best_loss=0.5, last={"loss": 1.0}), [Metric(first, {"loss": 3.0})])
    assert run.best_loss == best
    assert with_metrics(run, [Metric(first + 1, {"loss": 4.0})]).best_loss == best


def test_counters_alone_begin_a_slice_but_not_at_0() -> None:
    run = with_progress(begun(), Progress(step=0, total=900))
    assert (run.step, run.total_steps, run.slices[-1].first_step) == (0, 900, None)
    run = with_progress(run, Progress(step=501, epoch=2, epochs=3))
    assert (run.step, run.slices[-1].first_step, run.slices[-1].last_step) == (501, 501, 501)
    assert (run.total_steps, run.epoch, run.epochs) == (900, 2, 3)
    assert with_metrics(run, [Metric(510, {"loss": 1.0})]).slices[-1].first_step == 501
