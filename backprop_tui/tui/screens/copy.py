"""One line that asks what to copy."""

from __future__ import annotations

from textual.screen import ModalScreen

from backprop_tui.tui.draw.line import Line
from backprop_tui.tui.widgets.canvas import Canvas

TYPE_CHECKING = False
if TYPE_CHECKING:
    from textual import events
    from textual.app import ComposeResult

    from backprop_tui.tui.palette import Palette

CHOICES = (
    ("i", "id", "id"),
    ("c", "command", "command"),
    ("n", "name", "name"),
    ("p", "path", "path"),
    ("l", "log lines", "lines"),
    ("t", "traceback", "traceback"),
)


class CopyBar(ModalScreen[str]):
    """Dismissed with what is to be copied, or None."""

    CSS_PATH = "copy.tcss"
    AUTO_FOCUS = ""

    def __init__(self, palette: Palette) -> None:
        super().__init__()
        self.bar = Canvas(palette, id="bar")

    def compose(self) -> ComposeResult:
        yield self.bar

    def on_mount(self) -> None:
        self._draw()

    def _draw(self) -> None:
        line = Line(self.app.size.width, base="band").put(1, "copy:", "title")
        for key, words, _what in CHOICES:
            line.put(line.at + 1, key, "key").add(f" {words} ")
        self.bar.show([line.put(line.at + 1, "esc", "key")])

    def on_resize(self) -> None:
        self._draw()

    def on_key(self, event: events.Key) -> None:
        """A letter chooses; any other key leaves."""
        event.stop()
        if self.is_current:
            self.dismiss(next((what for key, _words, what in CHOICES if event.key == key), None))
