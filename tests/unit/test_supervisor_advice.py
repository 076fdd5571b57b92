"""Words in time: what is said of a slice that tells too little or saves too seldom, and when it is taken back."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from backprop_tui.model.run import Checkpoint, Run, Slice
from backprop_tui.model.spec import SliceSpec
from backprop_tui.model.states import RunState
from backprop_tui.protocol.reading import Reading
from backprop_tui.store.home import Home
from backprop_tui.supervisor.advice import Adviser, Look, no_checkpoint, no_metrics, rare_checkpoints
from backprop_tui.supervisor.advising import Advising, saved_when_stopped
from backprop_tui.supervisor.clock import Clock
from backprop_tui.supervisor.habits import HABITS, OTHER, Habit, habit_of
from backprop_tui.supervisor.intake import Intake
from backprop_tui.supervisor.recorder import Recorder

TRAINER = next(habit for habit in HABITS if habit.option == "save_steps")
LIGHTNING = next(habit for habit in HABITS if habit.name == "Lightning")


def look(used_s: float, box_s: float = 600.0, **more: Any) -> Look:
    return Look(used_s=used_s, box_s=box_s, **more)


@pytest.mark.parametrize(
    ("seen", "part"),
    [
        (look(59), ""),
        (look(60), "nothing that it prints was understood as a metric, so there is no step"),
        (look(60, has_printed=False), "it has printed nothing so far"),
        (look(60, step=12), "its steps are seen, but nothing that it prints"),
        (look(60, has_metrics=True), ""),
        (look(60, reads_metrics=False), ""),
        # A fifth of a short box, but not before twenty seconds.
        (look(19, 40), ""),
        (look(20, 40), "nothing that it prints"),
        (look(29, 150), ""),
        (look(30, 150), "nothing that it prints"),
        # Metric files that are written late.
        (look(149, has_files=True), ""),
        (look(150, has_files=True), "nothing that it prints"),
    ],
)  # fmt: skip
def test_no_metrics(seen: Look, part: str) -> None:
    said = no_metrics(seen)
    assert part in said
    assert bool(part) == bool(said)
    assert not said or "--metric-pattern" in said


@pytest.mark.parametrize(
    ("seen", "part"),
    [
        (look(299), ""),
        (look(300), "no checkpoint was seen in 5 minutes of a time box of 10 minutes; what it does is lost when the box ends, "
                    "unless it saves when it is asked to stop: let it save every few minutes"),
        (look(300, saves_when_stopped=False), "is lost when the box ends: let it save"),
        (look(300, saves_when_stopped=True), ""),
        (look(300, saved_s=(100.0,)), ""),
        (look(19, 30), ""),
        (look(20, 30), "no checkpoint was seen in 20 s of a time box of 30 s"),
        # Half of a day is too late.
        (look(3600, 86_400), "no checkpoint was seen in 60 minutes of a time box of 24.0 hours"),
        (look(300, habit=LIGHTNING), "Lightning saves once an epoch; what it does is lost"),
        # By the pace it is known early that the first one comes too late.
        (look(59, step=30, speed=0.5, habit=TRAINER), ""),
        (look(60, step=30, speed=0.5, habit=TRAINER),
         "the first checkpoint comes after 17 minutes, the time box ends after 10 minutes: the Hugging Face Trainer saves every "
         "500 steps by default, and it makes 0.5 a second; set save_steps=N"),
        (look(60, step=30, speed=0.5, habit=TRAINER), "or give it more time: -m 21"),
        # Or that it comes in time: then there is nothing to say, not even at half of the box.
        (look(60, step=126, speed=2.1, habit=TRAINER), ""),
        (look(300, step=499, speed=1.6, habit=TRAINER), ""),
        # While the pace is not known, half of the box decides.
        (look(299, habit=TRAINER), ""),
        (look(300, habit=TRAINER), "no checkpoint was seen in 5 minutes"),
        # Somebody chose the number.
        (look(60, step=30, speed=0.5, habit=TRAINER.replace(steps=1000, is_default=False)), "saves every 1,000 steps, and it makes"),
    ],
)  # fmt: skip
def test_no_checkpoint(seen: Look, part: str) -> None:
    said = no_checkpoint(seen)
    assert part in said
    assert bool(part) == bool(said)


@pytest.mark.parametrize(
    ("seen", "part"),
    [
        (look(250), ""),
        (look(250, saved_s=(250.0,)), ""),  # at 500 s comes another, and 100 s are left
        (look(290, saved_s=(290.0,)), ""),
        (look(400, saved_s=(400.0,)), "it saves about every 7 minutes: the last 3 minutes of the time box would be lost, unless "
                                      "it saves when it is asked to stop; let it save every few minutes"),
        (look(400, saved_s=(200.0, 400.0)), ""),
        (look(230, saved_s=(230.0,)), "it saves about every 4 minutes: the last 2 minutes of the time box would be lost"),
        (look(400, saved_s=(400.0,), saves_when_stopped=True), ""),
        (look(400, saved_s=(400.0,), saves_when_stopped=False), "would be lost; let it save"),
        (look(400, saved_s=(400.0,), habit=LIGHTNING), "every_n_train_steps=N"),
        (look(400, saved_s=(100.0, 200.0, 300.0, 400.0)), ""),
        # A box so short that nothing much is lost.
        (look(25, 30, saved_s=(20.0,)), ""),
    ],
)  # fmt: skip
def test_rare_checkpoints(seen: Look, part: str) -> None:
    said = rare_checkpoints(seen)
    assert part in said
    assert bool(part) == bool(said)


def test_what_was_said_of_rare_checkpoints_is_not_taken_back_at_once() -> None:
    seen = look(500, saved_s=(250.0,))
    assert rare_checkpoints(seen) == ""
    assert rare_checkpoints(seen, True) != ""
    assert rare_checkpoints(look(500, saved_s=(290.0,)), True) == ""


def test_each_is_said_once_and_taken_back_when_it_is_not_so_any_more() -> None:
    adviser = Adviser()
    assert adviser.look(look(10)) == ([], [])
    (said,), gone = adviser.look(look(60))
    assert gone == []
    assert adviser.look(look(62)) == ([], [])
    assert adviser.look(look(64, has_metrics=True)) == ([], [said])
    assert adviser.look(look(66)) == ([], []), "not a second time in this slice"
    (late,), _ = adviser.look(look(300, has_metrics=True))
    assert adviser.look(look(600, has_metrics=True), is_last=True) == ([], [])
    assert adviser.look(look(600, has_metrics=True, saved_s=(599.0,)), is_last=True) == ([], [late])


@pytest.mark.parametrize(
    ("modules", "text", "arguments", "name", "steps"),
    [
        (["transformers.trainer"], "Trainer(model)", [], TRAINER.name, 500),
        (["trl"], "SFTTrainer(model)", ["--save_steps", "50"], TRAINER.name, 50),
        (["transformers"], "Trainer(", ["--save-steps=200"], TRAINER.name, 200),
        (["transformers"], "Trainer(", ["--save_steps", "often"], TRAINER.name, 500),
        (["transformers"], "Trainer(", ["--save_steps"], TRAINER.name, 500),
        # A model of theirs in a loop of one's own.
        (["transformers", "accelerate"], "AutoModel.from_pretrained", ["--checkpointing_steps", "100"], "Accelerate", 100),
        (["torch", "transformers"], "AutoModel.from_pretrained", [], "", None),
        (["lightning.pytorch"], "L.Trainer(", [], "Lightning", None),
        (["tensorflow.keras"], "model.fit", [], "Keras", None),
        (["torch", "os"], "torch.save", [], "", None),
        ([], "", [], "", None),
    ],
)  # fmt: skip
def test_habits(modules: list[str], text: str, arguments: list[str], name: str, steps: int | None) -> None:
    found = habit_of(modules, text, arguments)
    assert (found.name, found.steps) == (name, steps)
    assert found.todo


@pytest.mark.parametrize("habit", [*HABITS, OTHER], ids=lambda habit: habit.name)
def test_every_habit_says_when_and_what_to_do(habit: Habit) -> None:
    assert habit.todo
    assert habit is OTHER or bool(habit.steps) != bool(habit.usually)


def piece(n: int, state: RunState, last_step: int = 100, ended: float = 1000.0, *, forced: bool = False) -> Slice:
    return Slice(n=n, state=state, started=0.0, box_s=600, last_step=last_step, ended=ended, forced=forced)


@pytest.mark.parametrize(
    ("slices", "saved", "expected"),
    [
        ([], [], None),
        ([piece(1, RunState.COMPLETED)], [], None),
        ([piece(1, RunState.TIMEBOXED, forced=True)], [], None),
        ([piece(1, RunState.TIMEBOXED)], [], False),
        ([piece(1, RunState.TIMEBOXED)], [(1, 50, 500.0)], False),
        ([piece(1, RunState.TIMEBOXED)], [(1, 100, 990.0)], True),
        ([piece(1, RunState.STOPPED)], [(1, None, 998.0)], True),
        ([piece(1, RunState.TIMEBOXED), piece(2, RunState.TIMEBOXED, 200)], [(1, 100, 990.0)], False),
    ],
)  # fmt: skip
def test_what_earlier_slices_show(
    slices: list[Slice], saved: list[tuple[int, int | None, float]], expected: bool | None
) -> None:
    checkpoints = tuple(Checkpoint(path=f"/{n}", step=step, t=t, slice=n) for n, step, t in saved)
    newest = Slice(n=len(slices) + 1, state=RunState.RUNNING, started=2000.0, box_s=600)
    run = Run(id="r", state=RunState.RUNNING, created=0, updated=0, slices=(*slices, newest), checkpoints=checkpoints)
    assert saved_when_stopped(run) is expected


class ManualClock(Clock):
    now = 0.0

    def monotonic(self) -> float:
        return self.now

    def epoch(self) -> float:
        return 1_700_000_000 + self.now


class Nobody:
    owes = False

    def changed(self, run: Run, now: float) -> list[str]:
        return []


class Stage:
    """A slice with a time box of 600 s, looked at every two seconds."""

    def __init__(self, tmp_path: Path, source: str) -> None:
        (tmp_path / "train.py").write_text(source)
        home = Home(str(tmp_path / "home"))
        home.ensure()
        self.folder = home.new_run("r1")
        self.clock = ManualClock()
        spec = SliceSpec(
            run_id="r1", n=1, created=0, command=("train.py",), is_command=False, cwd=str(tmp_path), interpreter="python",
            interpreter_origin="", framework="unknown", declared_flags=(), settings={}, env={}, recorded_env={},
        )  # fmt: skip
        newest = Slice(n=1, state=RunState.RUNNING, started=self.clock.epoch(), box_s=600)
        run = Run(id="r1", state=RunState.RUNNING, created=0, updated=0, slices=(newest,), output_bytes=100)
        nobody: Any = Nobody()
        self.recorder = Recorder(self.folder, run, spec, nobody, self.clock)
        intake = Intake(self.recorder, Reading(), self.clock)
        self.said: list[str] = []
        self.advising = Advising(spec, self.recorder, self.clock, intake, self.said.append)

    def until(self, used_s: float, **fields: Any) -> tuple[str, ...]:
        """Go on up to there with these changes to the slice; what is warned of then."""
        while self.clock.now < used_s:
            self.clock.now += 2.0
            self.recorder.amend_slice(used_s=self.clock.now, **fields)
            self.advising.look()
        return self.recorder.run.warnings

    def events(self) -> list[str]:
        return [str(event["event"]) for event in self.folder.events(100)]


def test_said_recorded_and_taken_back(tmp_path: Path) -> None:
    stage = Stage(tmp_path, "import torch\n")
    assert stage.until(58) == ()
    (warning,) = stage.until(60)
    assert stage.said == [warning]
    assert stage.until(80, metric_lines=3, last_step=3) == ()
    assert stage.until(298) == ()
    (missing,) = stage.until(300)
    stage.recorder.amend(checkpoints=(Checkpoint(path="/a.pt", step=3, t=stage.clock.epoch(), slice=1, good=True),))
    stage.advising.conclude()
    assert stage.recorder.run.warnings == ()
    assert stage.said == [warning, missing]
    stage.recorder.flush(force=True)
    assert stage.events() == ["warning", "withdrawn", "warning", "withdrawn"]


def test_a_loss_that_is_no_number(tmp_path: Path) -> None:
    stage = Stage(tmp_path, "import torch\n")
    assert stage.until(4, metric_lines=9, last_step=20, last_loss=math.nan) == ()
    (warning,) = stage.until(20, last_step=80, last_loss=math.nan)
    assert warning.startswith("its loss is nan (seen at step 20): ")
    assert stage.said == [warning]
    assert stage.until(22, last_loss=2.5) == ()
    stage.recorder.flush(force=True)
    assert stage.events() == ["warning", "withdrawn"]


def test_the_pace_of_the_script_s_own_library(tmp_path: Path) -> None:
    stage = Stage(tmp_path, "from transformers import Trainer, TrainingArguments\nTrainer()\n")
    for used_s in range(2, 62, 2):
        warnings = stage.until(used_s, metric_lines=1, last_step=used_s)
    assert warnings == (), "it comes after 8 minutes"


def test_the_pace_shows_that_the_first_checkpoint_comes_too_late(tmp_path: Path) -> None:
    stage = Stage(tmp_path, "from transformers import Trainer, TrainingArguments\nTrainer()\n")
    warnings: tuple[str, ...] = ()
    for used_s in range(2, 82, 2):
        warnings = stage.until(used_s, metric_lines=1, last_step=used_s // 2)
    (warning,) = warnings
    assert warning.startswith("the first checkpoint comes after 17 minutes, the time box ends after 10 minutes")


def test_a_script_that_handles_the_stop_signal_is_left_alone(tmp_path: Path) -> None:
    stage = Stage(tmp_path, "import signal\nsignal.signal(signal.SIGINT, save)\n")
    assert stage.until(400, metric_lines=1) == ()


def test_a_paused_slice_is_told_nothing(tmp_path: Path) -> None:
    stage = Stage(tmp_path, "")
    stage.recorder.amend(state=RunState.PAUSED)
    assert stage.until(400) == ()
