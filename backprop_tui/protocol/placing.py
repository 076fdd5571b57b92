"""Puts what lines say where it belongs: on the training's axis, beside it, or nowhere."""

from __future__ import annotations

from backprop_tui.protocol.recognise.report import Counters, Report
from backprop_tui.protocol.recognise.training_bar import TrainingBar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from backprop_tui.protocol.axis import Axis
    from backprop_tui.protocol.recognise.bars import Bar
    from backprop_tui.protocol.recognise.keras import KerasLine
    from backprop_tui.protocol.telling import Telling

_HEADERS = ([int, int, int, bool], [int, type(None), int, bool])
_HEADER_LINES = 20
"""Lines under a header that belong to it."""
_EVALUATION_LINES = 2
_SHAPES = 32
_TIMES = 3
"""So often must a line without any counter have come with the same names before it is believed."""
_PURE = 2
"""At most so many words beside its pairs has a line that counts without a counter of its own."""
_INDENT = "    "
"""Lines that stand in so far are quoted, or code, unless they stand under a header."""


class Placing:
    """Knows which reports move the training on, and where the others belong."""

    def __init__(self, axis: Axis, telling: Telling) -> None:
        self._axis = axis
        self._telling = telling
        self._bars = TrainingBar()
        self._header_left = 0
        self._evaluation = ""
        self._evaluation_left = 0
        self._shapes: dict[tuple[str, ...], list[Report]] = {}
        self._epoch: tuple[float, float | None] | None = None
        """Of the header in force, with the number of epochs."""
        self._keras_n = -1
        self._keras_is_over = False

    def state(self) -> dict[str, Any]:
        """What a reader that goes on with the same slice must know beside the axis; plain JSON."""
        state: dict[str, Any] = {"bar": self._bars.state()} if self._bars.key else {}
        if self._epoch is not None:
            state["header"] = [*self._epoch, self._keras_n, self._keras_is_over]
        return state

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on with the same slice; nonsense is passed over."""
        self._bars.restore(state.get("bar"))
        header = state.get("header")
        if isinstance(header, list) and [type(one) for one in header] in _HEADERS:
            epoch, epochs, self._keras_n, self._keras_is_over = header
            self._epoch = (epoch, epochs)

    def grow_older(self) -> None:
        """One more line told nothing."""
        if self._header_left:
            self._header_left -= 1
        if self._evaluation_left:
            self._evaluation_left -= 1

    def header(self, report: Report) -> None:
        """Counters alone: they hold for the lines below."""
        c = report.counters
        if c.epoch is None or report.evaluation:
            return
        self._telling.end_holding()
        self._axis.note_epoch(c)
        self._header_left = _HEADER_LINES
        self._epoch, self._keras_n, self._keras_is_over = (c.epoch, c.epochs), -1, False

    def evaluation_header(self, prefix: str) -> None:
        """The next lines tell of an evaluation."""
        self._evaluation, self._evaluation_left = prefix, _EVALUATION_LINES

    def report(self, report: Report, line: str) -> None:
        """A line with values of its own."""
        c = report.counters
        if not report.values:
            self.header(report)
        elif report.source == "dict":
            self._dict(report)
        elif report.source != "pairs":
            self._telling.take(report)
        elif report.evaluation and c.batches is not None:
            # An evaluation that goes on batch by batch.
            self._evaluation = report.evaluation
            is_whole = c.batch is not None and c.batch >= c.batches - 1
            self._telling.hold(report, self._axis.now(Counters()), is_whole=is_whole)
        elif c.is_empty:
            self._uncounted(report, line)
        elif self._header_left or not line.startswith(_INDENT):
            self._telling.take(report)

    def row(self, report: Report) -> None:
        """A row of a table with a header; one that counts batches is drawn again and again."""
        if report.counters.batch is None or report.evaluation:
            self._telling.take(report)
            return
        self._telling.end_waiting()
        self._telling.hold(report, self._axis.advance(report.counters))

    def bar(self, bar: Bar) -> None:
        """One drawing of a bar."""
        before = self._bars.key
        if not self._bars.accepts(bar):
            if bar.counts_epochs:
                self._axis.epochs = bar.of
                if bar.has_measure:
                    self._telling.take(Report("bar", bar.values))
            return
        if before and before != self._bars.key:
            self._axis.begin_count()
        c = Counters(epoch=bar.epoch, epochs=bar.epochs, batch=bar.n, batches=bar.of)
        step = self._axis.advance(c, is_bar=True)
        self._telling.end_waiting()
        if bar.has_measure:
            self._telling.hold(Report("bar", bar.values, c), step)

    def keras(self, line: KerasLine) -> None:
        """One drawing of Keras's bar, or the line that closes an epoch."""
        n, of = line.n, line.of
        if not line.values and self._epoch is None:
            return  # a download
        if self._keras_is_over and n < self._keras_n and self._epoch is not None:
            # Nothing announced another epoch: an evaluation.
            if line.values and n == of:
                report = Report("keras", line.values, evaluation="test_")
                self._telling.hold(report, self._axis.now(Counters()))
            return
        self._keras_n, self._keras_is_over = n, n == of
        epoch, epochs = self._epoch or (None, None)
        c = Counters(epoch=epoch, epochs=epochs, batch=n, batches=of)
        step = self._axis.advance(c)
        if line.values:
            self._telling.hold(Report("keras", line.values, c), step)

    def _dict(self, report: Report) -> None:
        c = report.counters
        if c.step is not None or c.batch is not None or isinstance(c.epoch, int):
            self._telling.take(report)
        elif self._bars.key:
            if not report.evaluation and self._bars.tie():
                self._axis.begin_count()
            self._telling.wait(report)
        elif c.epoch is not None or self._axis.step is not None:
            self._telling.take(report)
        else:
            self._repeated(report)

    def _uncounted(self, report: Report, line: str) -> None:
        """A line of pairs without a counter of its own."""
        if not report.evaluation and (self._evaluation_left or line.startswith((" *", "*"))):
            report.evaluation = self._evaluation or "val_"
        if self._header_left:
            self._telling.take(report)
        elif report.spare_words > _PURE or line.startswith(("  ", "\t")):
            return
        elif self._axis.step is not None and " = " not in line:
            self._telling.take(report)
        else:
            self._repeated(report)

    def _repeated(self, report: Report) -> None:
        """Believe lines without counters once the same names came several times with other values."""
        key = tuple(report.values)
        if key not in self._shapes and len(self._shapes) >= _SHAPES:
            return
        seen = self._shapes.setdefault(key, [])
        if seen and seen[-1].values == report.values:
            return
        seen.append(report)
        if len(seen) >= _TIMES:
            for one in seen:
                self._telling.take(one)
            seen.clear()
