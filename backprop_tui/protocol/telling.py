"""Turns what lines say into metrics: at which step, under which name, and each only once."""

from __future__ import annotations

import math

from backprop_tui.model.events import Metric
from backprop_tui.protocol.names import MEASURE, MainLoss, is_eval_name, kind_of, says_its_data

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from backprop_tui.protocol.axis import Axis
    from backprop_tui.protocol.parse import Found
    from backprop_tui.protocol.recognise.report import Report

_OF_TRAINING = frozenset(["lr", "learning_rate"])
"""Not measured by an evaluation, though its line may tell it."""
_WAIT_LINES = 20
"""A report without a step waits for so many lines for the bar that tells it."""


class _Held:
    """The newest drawing of a bar, kept until the next one counts on."""

    __slots__ = ("is_whole", "report", "step")

    def __init__(self, report: Report, step: float, *, is_whole: bool) -> None:
        self.report = report
        self.step = step
        self.is_whole = is_whole


class Telling:
    """Gathers metrics in the order in which they were printed."""

    def __init__(self, axis: Axis, main: MainLoss) -> None:
        self.found: list[Found] = []
        self.sources: tuple[str, ...] = ()
        self._axis = axis
        self._main = main
        self._held: _Held | None = None
        self._waiting: Report | None = None
        self._waited = 0
        self._first: Callable[[], None] | None = None
        self._told: dict[str, float] = {}
        """Values told at the newest step."""
        self._told_by_lines: set[str] = set()
        self._told_at: float | None = None
        self._shown: dict[str, float] = {}
        """Values of the bar's last drawing but one: a bar repeats them until there are new ones."""

    @property
    def is_waiting(self) -> bool:
        return self._waiting is not None

    def take(self, report: Report) -> None:
        """A line with values that are new with it."""
        self.end_waiting()
        axis = self._axis
        step = axis.now(report.counters) if report.evaluation else axis.advance(report.counters)
        held = self._held
        if held is not None and held.step == step:
            # The line is exact, where a bar rounds.
            values = report.values if report.evaluation else self._main.preview(report.values)
            for name in values:
                held.report.values.pop(name, None)
        self.end_holding()
        self._tell(report, step)

    def wait(self, report: Report) -> None:
        """A report whose step the next drawing of the training's bar will tell."""
        self.end_waiting()
        self._waiting, self._waited = report, 0

    def grow_older(self) -> None:
        """One more line was printed."""
        if self._waiting is not None:
            self._waited += 1
            if self._waited > _WAIT_LINES:
                self.end_waiting()

    def end_waiting(self) -> None:
        """Tell what waited, at the step where the training stands."""
        report, self._waiting = self._waiting, None
        if report is not None:
            self.take(report)

    def hold(self, report: Report, step: float, *, is_whole: bool = True) -> None:
        """One drawing of something that is drawn again and again; the last at a step counts.

        Args:
            is_whole: an evaluation that goes on batch by batch is told only once it is through.
        """
        held = self._held
        same = (
            held is not None
            and held.report.source == report.source
            and held.report.evaluation == report.evaluation
            and (held.step == step or report.evaluation)
        )
        if not same:
            self.end_holding()
        elif held is not None:
            report.values = {**held.report.values, **report.values}
        self._held = _Held(report, step, is_whole=is_whole)

    def end_holding(self) -> None:
        """Tell what was held."""
        held, self._held = self._held, None
        if held is None or not held.is_whole:
            return
        report = held.report
        if report.source != "keras" and not report.evaluation:
            report.values = self._news(report.values)
        self._tell(report, held.step, is_bar=True)

    def flush(self) -> None:
        """Nothing more comes for now: tell everything."""
        self.end_waiting()
        self.end_holding()
        self._end_first()

    def _news(self, values: dict[str, float]) -> dict[str, float]:
        """The values without those that a bar only repeats."""
        shown = self._shown
        training = [name for name in values if not (is_eval_name(name) or name.endswith("_epoch"))]
        is_new = any(not _same(shown.get(name), values[name]) for name in training)
        news = {
            name: value
            for name, value in values.items()
            if (is_new if name in training else not _same(shown.get(name), value))
        }
        self._shown = values
        return news

    def _tell(self, report: Report, step: float, *, is_bar: bool = False) -> None:
        """Name the values and record them; the first report waits for the next to know the run's loss."""
        values = report.values
        if report.evaluation:
            self._end_first()
            values = {
                name if says_its_data(name) else report.evaluation + name: value
                for name, value in values.items()
                if name not in _OF_TRAINING
            }
            self._record(report.source, step, values, is_bar=is_bar)
            return
        if "loss" in values:
            self._main.settle(values)
        self._end_first()
        is_exact = not is_bar and report.counters.is_exact
        if report.source == "pattern":
            self._record(report.source, step, values, is_bar=is_bar)
        elif self._main.is_open_to(values):
            self._first = lambda: self._record(
                report.source, step, self._main.settle(values), is_bar=is_bar, is_exact=is_exact
            )
        else:
            self._record(report.source, step, self._main.settle(values), is_bar=is_bar, is_exact=is_exact)

    def _end_first(self) -> None:
        first, self._first = self._first, None
        if first is not None:
            first()

    def _record(
        self, source: str, step: float, values: dict[str, float], *, is_bar: bool, is_exact: bool = False
    ) -> None:
        given = self._axis.give(step)
        if given is None:
            return
        if given != self._told_at:
            self._told_at, self._told, self._told_by_lines = given, {}, set()
        told = self._told
        if is_bar or is_exact:
            # A bar rounds what a line told; another line of the same step is another rank's.
            values = {name: value for name, value in values.items() if name not in self._told_by_lines}
        if not is_bar:
            self._told_by_lines.update(values)
        values = {name: value for name, value in values.items() if name not in told or not _same(told[name], value)}
        if not values or (is_bar and not any(kind_of(name) == MEASURE for name in values)):
            return
        told.update(values)
        self.found.append(Metric(given, values))
        if source not in self.sources:
            self.sources = (*self.sources, source)


def _same(one: float | None, two: float) -> bool:
    """Whether both are the same number; NaN is the same as NaN."""
    return one == two or (one is not None and math.isnan(one) and math.isnan(two))
