"""What the parts of the main screen that draw themselves have in common."""

from __future__ import annotations

from textual.message import Message

from backprop_tui.tui.widgets.canvas import Canvas

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.tui.draw.glyphs import Glyphs
    from backprop_tui.tui.palette import Palette


class Pane(Canvas):
    """Draws anew what it knows when its size or its focus changes."""

    def __init__(self, palette: Palette, glyphs: Glyphs, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(palette, id=id)
        self.glyphs = glyphs

    def redraw(self) -> None:
        """Draw what is known now."""
        raise NotImplementedError

    def watch_has_focus(self, _has_focus: bool) -> None:
        """Focus and Blur themselves come before this is known."""
        super().watch_has_focus(_has_focus)
        self.redraw()

    def on_resize(self) -> None:
        self.redraw()


class ListPane(Pane, can_focus=True):
    """A list of runs with a cursor."""

    class Moved(Message):
        """The cursor is on another run, or on none."""

    class Chosen(Message):
        """The run under the cursor was double-clicked."""
