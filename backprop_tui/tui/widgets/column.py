"""The page of the run under the cursor, beside the lists of a wide screen."""

from __future__ import annotations

import time

from backprop_tui.tui.draw.column import column
from backprop_tui.tui.draw.place import Place
from backprop_tui.tui.widgets.pane import Pane

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.tui.detail import Detail
    from backprop_tui.tui.draw.glyphs import Glyphs
    from backprop_tui.tui.palette import Palette
    from backprop_tui.watch.box import BoxSample


class Column(Pane):
    """Follows the cursor."""

    def __init__(self, palette: Palette, glyphs: Glyphs, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(palette, glyphs, id=id)
        self.box: BoxSample | None = None
        self._detail: Detail | None = None

    def take(self, detail: Detail | None) -> None:
        """Show this run from now on."""
        self._detail = detail
        self.redraw()

    def redraw(self) -> None:
        """Draw what is known now."""
        width, height = self.size
        if not self.display or not width or not height:
            return
        if self._detail is None:
            self.show([])
            return
        place = Place(width=width, height=height, glyphs=self.glyphs, now=time.time(), box=self.box)
        self.show(column(self._detail, place)[:height])
