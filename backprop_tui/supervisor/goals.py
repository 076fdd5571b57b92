"""Ends a run that has reached what it was to go on to."""

from __future__ import annotations

from backprop_tui.governor.going_on import goals_of, met_text, value_of
from backprop_tui.model.goals import NO_IMPROVE
from backprop_tui.model.run import Reason
from backprop_tui.supervisor.overseer import Order, Overseer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.model.events import Metric
    from backprop_tui.model.goals import Goal
    from backprop_tui.model.spec import SliceSpec
    from backprop_tui.supervisor.recorder import Recorder


class Goals(Overseer):
    """Looks at each report of one slice; what was reached before the slice began is not waited for again."""

    def __init__(self, spec: SliceSpec, recorder: Recorder) -> None:
        self._recorder = recorder
        self._met = ""
        goals = (goal for goal in goals_of(spec) if goal.metric != NO_IMPROVE)
        self._goals = tuple(goal for goal in goals if not self._is_met(goal, spec))
        recorder.listeners.append(self._hear)

    def look(self, now: float) -> Order | None:
        """A stop once a condition was met."""
        if not self._met:
            self._judge()  # steps and epochs are also told by counters alone
        if not self._met:
            return None
        return Order(verb="stop", reason=Reason(code="goal", text=self._met, by="governor"))

    def ended(self) -> None:
        """Say it where a condition names what the training never reports."""
        last = self._recorder.run.last
        for goal in self._goals:
            if last and value_of(self._recorder.run, goal.metric) is None:
                names = ", ".join(list(last)[:8])
                self._recorder.warn(f"{goal.text} cannot be reached: no {goal.metric} was reported, only {names}")

    def _is_met(self, goal: Goal, spec: SliceSpec) -> bool:
        run = self._recorder.run
        value = value_of(run, goal.metric)
        if value is None and goal.metric == "step" and spec.resume_step is not None:
            value = float(spec.resume_step)
        return value is not None and goal.is_met_by(value)

    def _hear(self, batch: list[Metric]) -> None:
        """Each report counts, not only the newest at a look."""
        for goal in self._goals:
            for metric in batch:
                value = float(metric.step) if goal.metric == "step" else metric.values.get(goal.metric)
                if value is not None and goal.is_met_by(value):
                    self._met = self._met or met_text(goal, value)

    def _judge(self) -> None:
        run = self._recorder.run
        for goal in self._goals:
            value = value_of(run, goal.metric)
            if value is not None and goal.is_met_by(value):
                self._met = self._met or met_text(goal, value)
