"""Reads what a training prints, line by line: metrics, checkpoints, progress.

Our own JSON is read many lines at once. All other lines go to general recognisers (`protocol.plain`), which are
loaded with the first of them. A script that tells a loss or a score as JSON is believed: no other metrics of it
are read.
"""

from __future__ import annotations

from backprop_tui.frozen import Frozen
from backprop_tui.model.events import RECOGNISERS, Metric, Progress
from backprop_tui.protocol.parse import parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from collections.abc import Mapping
    from typing import Any

    from backprop_tui.protocol.axis import Axis
    from backprop_tui.protocol.names import MainLoss
    from backprop_tui.protocol.parse import Found
    from backprop_tui.protocol.placing import Placing
    from backprop_tui.protocol.plain import Plain
    from backprop_tui.protocol.telling import Telling


_ENOUGH = 1000
"""After so many JSON metrics without a measure there is no use in looking for one."""
_SIGNS = (*"0123456789", "loss", "sav", "Sav", "--", "Traceback")
"""A line without any of these changes nothing, as long as no other came before it."""


class Rules(Frozen):
    """What a person wants to be read."""

    without: tuple[str, ...] = ()
    """Recognisers that are left out; "all" leaves JSON and the pattern."""
    pattern: str | None = None
    """A regular expression of one's own."""


class Reading:
    """The reader of one slice's output."""

    def __init__(
        self,
        rules: Rules | None = None,
        context: Mapping[str, Any] | None = None,
        resumed_at: int | None = None,
        *,
        goes_on: bool = False,
    ) -> None:
        """
        Args:
            context: what the reader of the slice before left.
            resumed_at: the step of the checkpoint that the slice takes up; None or 0 if it begins anew.
            goes_on: `context` is of this very slice, whose supervisor is gone.
        """
        self._rules = rules or Rules()
        self._resumed_at = resumed_at
        self._goes_on = goes_on
        self._given = dict(context or {})
        self.sources: tuple[str, ...] = ()
        """What gave metrics so far."""
        self.problem = ""
        """What a person should know of the reading itself."""
        self._plain: Plain | None = None
        self._axis: Axis | None = None
        self._main: MainLoss | None = None
        self._telling: Telling | None = None
        self._placing: Placing | None = None
        self._pattern: re.Pattern[str] | None = None
        self.has_pattern = self._rules.pattern is not None
        """The person's pattern is looked for."""
        self._found: list[Found] = []
        self._unread: list[str] = []
        self._knows_json = False
        """Its JSON tells a measure."""
        self._learns = True
        """Whether it does is not known yet."""
        self._json_seen = 0
        self._checked = 0
        """How many of the items of the call at hand are known to be no JSON, or were looked at."""
        self._progress: tuple[object, ...] = (None, None, None)
        self._step: float | None = None

    @property
    def context(self) -> dict[str, Any]:
        """What the next reader must know, plain JSON."""
        if self._axis is None or self._main is None:
            return self._given
        assert self._placing is not None
        main = {"main": self._main.printed} if self._main.printed else {}
        return {**self._axis.state(), **self._placing.state(), **main}

    def feed(self, lines: list[str]) -> list[Found]:
        """What the next lines mean, in their order.

        Whatever interrupts the person's pattern (see `forget_pattern`) passes through; the lines that were not
        read yet are read by the next call.
        """
        is_plain = not self.has_pattern and not self._unread
        found = self._parse(lines) if is_plain else self._feed_with_pattern(lines)
        if self._plain is not None:
            self._end(found)
        return found

    def rest(self, open_line: str = "") -> list[Found]:
        """Nothing was printed for a moment, or nothing comes any more: what was held back.

        `open_line` is what stands behind the last line end; it is fed again when its own end has come.
        """
        found: list[Found] = []
        if self._plain is not None:
            self._plain.rest(open_line)
            self._move(found)
            self._end(found)
        return found

    def forget_pattern(self) -> None:
        """Leave the person's pattern out from here on: it takes too long."""
        self.has_pattern, self._pattern = False, None

    def _parse(self, lines: list[str]) -> list[Found]:
        self._checked = 0
        found = parse(lines, self._other)
        if self._learns:
            self._learn_json(found)
        return found

    def _feed_with_pattern(self, lines: list[str]) -> list[Found]:
        self._unread += lines
        at = 0
        try:
            while at < len(self._unread):
                line = self._unread[at]
                if not self._matches(line):
                    self._found += self._parse([line])
                at += 1
        finally:
            del self._unread[:at]
        found, self._found = self._found, []
        return found

    def _matches(self, line: str) -> bool:
        """Whether the person's pattern knows the line; its metrics are taken."""
        if not self.has_pattern:
            return False
        from backprop_tui.protocol.recognise.pattern import compiled, read_pattern

        if self._pattern is None:
            self._pattern = compiled(self._rules.pattern or "")
            if self._pattern is None:
                self.forget_pattern()
                return False
        report = read_pattern(self._pattern, line)
        if report is None:
            return False
        if report.values:
            self._load()
            assert self._telling is not None
            self._telling.take(report)
            self._move(self._found)
        return True

    def _other(self, line: str, found: list[Found]) -> None:
        """A line that is no JSON of ours."""
        if self._learns and len(found) > self._checked:
            self._learn_json(found)
        plain = self._plain
        if plain is None:
            if not any(sign in line for sign in _SIGNS):
                return
            plain = self._load()
        plain.line(line)
        self._move(found)
        self._checked = len(found)

    def _load(self) -> Plain:
        if self._plain is None:
            from backprop_tui.protocol.axis import Axis
            from backprop_tui.protocol.names import MainLoss
            from backprop_tui.protocol.placing import Placing
            from backprop_tui.protocol.plain import Plain
            from backprop_tui.protocol.telling import Telling

            without = RECOGNISERS if "all" in self._rules.without else self._rules.without
            self._axis = Axis(self._given, self._resumed_at, goes_on=self._goes_on)
            main = self._given.get("main")
            self._main = MainLoss(main if isinstance(main, str) else "")
            self._telling = Telling(self._axis, self._main)
            self._placing = Placing(self._axis, self._telling)
            if self._goes_on:
                self._placing.restore(self._given)
            self._plain = Plain(self._telling, self._placing, without)
            self._plain.is_muted = self._knows_json
        return self._plain

    def _move(self, found: list[Found]) -> None:
        assert self._telling is not None
        if self._telling.found:
            found += self._telling.found
            self._telling.found.clear()

    def _learn_json(self, found: list[Found]) -> None:
        """Whether the script's JSON tells a measure: then nothing else of it is read for metrics."""
        for item in found[self._checked :]:
            if type(item) is Metric:
                self._json_seen += 1
                if _tells_measure(item.values):
                    self._knows_json = True
                    if self._plain is not None:
                        self._plain.is_muted = True
                    break
        self._checked = len(found)
        if self._json_seen and "json" not in self.sources:
            self.sources = (*self.sources, "json")
        self._learns = not self._knows_json and self._json_seen < _ENOUGH

    def _end(self, found: list[Found]) -> None:
        assert self._plain is not None
        assert self._axis is not None
        assert self._telling is not None
        sources = self._telling.sources
        if sources and sources[-1] not in self.sources:
            self.sources = (*self.sources, *(name for name in sources if name not in self.sources))
        if self._plain.is_muted:
            return
        step, total, epoch, epochs = self._axis.progress()
        now = (total, epoch, epochs)
        is_ahead = step is not None and step not in (self._step, self._axis.last)
        if now != self._progress or is_ahead:
            self._progress, self._step = now, step
            found.append(Progress(step=step, total=total, epoch=epoch, epochs=epochs))


def _tells_measure(values: dict[str, float]) -> bool:
    if "loss" in values:
        return True
    from backprop_tui.protocol.names import MEASURE, kind_of

    return any(kind_of(name) == MEASURE for name in values)
