"""Looks at a running slice now and then, and says what its person should know in time."""

from __future__ import annotations

import math

from backprop_tui.model.pace import Steps
from backprop_tui.model.states import RunState
from backprop_tui.supervisor.advice import LEAST_S, Adviser, Look, not_a_number
from backprop_tui.supervisor.careful import beside
from backprop_tui.supervisor.habits import OTHER, habit_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from backprop_tui.model.run import Run, Slice
    from backprop_tui.model.spec import SliceSpec
    from backprop_tui.supervisor.clock import Clock
    from backprop_tui.supervisor.habits import Habit
    from backprop_tui.supervisor.intake import Intake
    from backprop_tui.supervisor.recorder import Recorder

BAD_LOOKS = 3
_AT_END_S = 5.0
"""A checkpoint of the last seconds of a slice was saved because it was asked to end."""
_MAX_SAVED = 256
_HANDLES = ("signal.signal(", "BACKPROP_DEADLINE")
"""A script in which one of these stands most likely saves when its time is over."""


class Advising:
    """Of one slice."""

    def __init__(
        self, spec: SliceSpec, recorder: Recorder, clock: Clock, intake: Intake, say: Callable[[str], None]
    ) -> None:
        """`say` tells the person who watches."""
        self._spec = spec
        self._recorder = recorder
        self._clock = clock
        self._intake = intake
        self._say = say
        self._adviser = Adviser()
        self._steps = Steps()
        self._saved: dict[tuple[str, float], float] = {}
        """When the slice's checkpoints were saved, running time, by path and time."""
        self._knows: tuple[Habit, bool | None] | None = None
        self._bad_looks = 0
        """For so many looks the loss has been no number."""
        self._bad_text = ""

    @beside("what to advise")
    def look(self) -> None:
        """Say what has become so, take back what is not so any more."""
        run, newest = self._recorder.run, self._recorder.run.slice
        if newest is None or run.state is not RunState.RUNNING:
            return
        self._note(run, newest)
        self._look_at_loss(run, newest)
        if newest.used_s < LEAST_S:
            return
        new, gone = self._adviser.look(self._seen(run, newest))
        for text in new:
            self._recorder.warn(text)
            self._say(text)
        for text in gone:
            self._recorder.withdraw(text)

    def _look_at_loss(self, run: Run, newest: Slice) -> None:
        """Say that the loss is no number as soon as it has been none for some looks."""
        loss = newest.last_loss
        if loss is None or math.isfinite(loss):
            if self._bad_looks >= BAD_LOOKS:
                self._recorder.withdraw(self._bad_text)
            self._bad_looks = 0
            return
        if self._bad_looks == 0:
            self._bad_text = not_a_number(loss, newest.last_step)
        self._bad_looks += 1
        if self._bad_looks == BAD_LOOKS:
            self._recorder.warn(self._bad_text)
            self._say(self._bad_text)

    @beside("what to advise")
    def conclude(self) -> None:
        """Everything is known now: what came late after all is not missed any more."""
        run, newest = self._recorder.run, self._recorder.run.slice
        if newest is None or self._knows is None:
            return
        self._note(run, newest)
        for text in self._adviser.look(self._seen(run, newest), is_last=True)[1]:
            self._recorder.withdraw(text)

    def _note(self, run: Run, newest: Slice) -> None:
        epoch = self._clock.epoch()
        if newest.last_step is not None:
            self._steps.add(epoch, newest.last_step)
        for c in run.checkpoints:
            key = c.path, c.t
            if c.slice == newest.n and c.found != "copy" and c.good is not False and key not in self._saved:
                self._saved[key] = max(0.0, newest.used_s - max(0.0, epoch - c.t))
        while len(self._saved) > _MAX_SAVED:
            del self._saved[next(iter(self._saved))]

    def _seen(self, run: Run, newest: Slice) -> Look:
        if self._knows is None:
            self._knows = self._read_script(run)
        habit, saves_when_stopped = self._knows
        without = self._spec.settings.get("metrics.without")
        pace = self._steps.pace(newest.started)
        return Look(
            used_s=newest.used_s,
            box_s=newest.box_s,
            has_printed=run.output_bytes > newest.log_start,
            reads_metrics=without is None or "all" not in (without.value or ()),
            has_metrics=newest.metric_lines > 0,
            has_files=self._intake.has_files,
            step=newest.last_step,
            speed=pace.mean if pace is not None and pace.is_settled else None,
            saved_s=tuple(sorted(self._saved.values())),
            saves_when_stopped=saves_when_stopped,
            habit=habit,
        )

    def _read_script(self, run: Run) -> tuple[Habit, bool | None]:
        """How the script saves: by its library, and when it is asked to stop."""
        from backprop_tui.scripts.command import script_of
        from backprop_tui.scripts.modules import imports_in_lines, project_sources

        saves = saved_when_stopped(run)
        script = script_of(self._spec).script
        if not script:
            return OTHER, saves
        sources = [data for _, data in project_sources(script, self._spec.cwd)]
        text = "\n".join(data.decode("utf-8", "replace") for data in sources)
        if saves is None and any(word in text for word in _HANDLES):
            saves = True
        modules = {name for data in sources for name in imports_in_lines(data, indented=True)}
        return habit_of(modules, text, self._spec.command[1:]), saves


def saved_when_stopped(run: Run) -> bool | None:
    """Whether the slices before saved when they were asked to end; None where none was."""
    asked = [
        piece for piece in run.slices[:-1] if piece.state in (RunState.TIMEBOXED, RunState.STOPPED) and not piece.forced
    ]
    if not asked:
        return None
    newest = asked[-1]
    return any(
        c.slice == newest.n
        and ((c.step is not None and c.step == newest.last_step) or c.t >= (newest.ended or c.t) - _AT_END_S)
        for c in run.checkpoints
    )
