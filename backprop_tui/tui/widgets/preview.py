"""The run under the cursor: its loss and its newest output, side by side."""

from __future__ import annotations

import time

from backprop_tui.tui.draw import chart
from backprop_tui.tui.draw.curves import no_curve
from backprop_tui.tui.draw.facts import NO_OUTPUT
from backprop_tui.tui.draw.line import Line
from backprop_tui.tui.draw.output import line_style
from backprop_tui.tui.draw.page import beside
from backprop_tui.tui.widgets.pane import Pane
from backprop_tui.watch.figures import epoch_words
from backprop_tui.watch.metrics import label

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.tui.detail import Detail
    from backprop_tui.tui.draw.glyphs import Glyphs
    from backprop_tui.tui.palette import Palette

LOG_WIDTH = 58
ROWS = 10
GAP, CHART_EVERY_S = 2, 2.0


class Preview(Pane, can_focus=True):
    """Follows the cursor."""

    def __init__(self, palette: Palette, glyphs: Glyphs, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(palette, glyphs, id=id)
        self._detail: Detail | None = None
        self._drawn_for: object = None
        self._drawn: list[Line] = []

    def take(self, detail: Detail | None) -> None:
        """Show this run from now on."""
        self._detail = detail
        self.redraw()

    def redraw(self) -> None:
        """Draw what is known now; the chart every other second, as long as it is the same run's."""
        if not self.display or self.size.width < LOG_WIDTH * 2 or self.size.height < 3:
            return
        height, detail = self.size.height, self._detail
        left = self.size.width - LOG_WIDTH - GAP
        if detail is None:
            self.show([])
            return
        record = detail.record
        name = (record.notes.name if record else None) or detail.run_id
        is_live = record is not None and not record.run.state.is_ended
        moment = int(time.time() // CHART_EVERY_S) if is_live and not detail.is_loading else time.time()
        due = detail.run_id, left, height, self.glyphs, moment, self.has_focus
        if due != self._drawn_for:
            self._drawn_for, self._drawn = due, self._chart(detail, name, left, height)
        logs = [self._line(LOG_WIDTH, "band").put(0, f" LOG  {name}", "title")]
        said = detail.lines[-(height - 1) :] or (NO_OUTPUT,)
        logs += [self._line(LOG_WIDTH).put(1, text, line_style(text), room=LOG_WIDTH - 2) for text in said]
        logs += [Line(LOG_WIDTH) for _ in range(height - len(logs))]
        self.show([beside(one, two, self.size.width) for one, two in zip(self._drawn, logs, strict=False)])

    def _chart(self, detail: Detail, name: str, width: int, height: int) -> list[Line]:
        names = tuple(detail.curves)[:1]
        plan = detail.chart(names)
        title = f"{label(names[0] if names else 'loss').upper()}  {name}"
        epoch = epoch_words(detail.record.run) if detail.record else ""
        drawn = [chart.legend(plan, width, self.glyphs, title=title, note=epoch, focused=self.has_focus)]
        return drawn + chart.lines(plan, width, height - 1, self.glyphs, empty=no_curve(detail))

    def _line(self, width: int, base: str = "") -> Line:
        return Line(width, base=base, glyphs=self.glyphs)
