"""A question with a few one-line fields."""

from __future__ import annotations

from textual import on
from textual.binding import Binding
from textual.containers import Container, Horizontal
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Label

from backprop_tui.frozen import Frozen
from backprop_tui.tui.draw.line import Line, showable
from backprop_tui.tui.widgets.canvas import Canvas
from backprop_tui.tui.widgets.field import Field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.app import ComposeResult

    from backprop_tui.tui.palette import Palette

WIDTH = 68


class Asked(Frozen):
    """One field."""

    key: str
    label: str
    value: str
    hint: str = ""


class FieldsDialog(ModalScreen["dict[str, str]"]):
    """Dismissed with what was typed, by key; with None when it was left."""

    DEFAULT_CLASSES = "dialog"
    BINDINGS = [  # noqa: RUF012  # Textual reads it once
        Binding("escape", "leave", show=False),
        Binding("down", "app.focus_next", show=False),
        Binding("up", "app.focus_previous", show=False),
    ]

    def __init__(
        self,
        palette: Palette,
        title: str,
        fields: Sequence[Asked],
        check: Callable[[dict[str, str]], str] = lambda _values: "",
        *,
        said: Sequence[str] = (),
    ) -> None:
        """
        Args:
            palette: the colours.
            title: what it is about.
            fields: from top to bottom; the first has the focus.
            check: what is wrong with what was typed, "" if nothing is.
            said: lines above the fields.
        """
        super().__init__()
        self._palette, self._title, self._fields, self._check = palette, title, fields, check
        self._said = said
        self.below = Canvas(palette, id="below")

    def compose(self) -> ComposeResult:
        with Container(id="box", classes="box"):
            if self._said:
                yield Canvas(self._palette, id="said")
            for field in self._fields:
                with Horizontal(classes="field"):
                    yield Label(field.label)
                    yield Field(field.value, id=field.key, compact=True, placeholder=field.hint, select_on_focus=False)
            yield self.below

    def on_mount(self) -> None:
        box = self.query_one("#box")
        box.styles.width, box.styles.height = WIDTH, "auto"
        box.styles.padding = (1, 0, 0, 0)
        box.border_title = Content(showable(self._title))  # text, never markup
        for field in self.query(Input):
            field.cursor_blink = False
        self.call_after_refresh(self._draw, "")

    def _draw(self, wrong: str) -> None:
        width = self.query_one("#box").content_size.width
        if self._said:
            canvas = self.query_one("#said", Canvas)
            canvas.styles.height = len(self._said) + 1
            canvas.show([Line(width, base="panel").put(1, text, "", room=width - 2) for text in (*self._said, "")])
        hints = Line(width, base="panel").put(1, "enter", "key").add(" keep", "muted")
        if len(self._fields) > 1:
            hints.put(hints.at + 3, "tab", "key").add(" next field", "muted")
        hints.put(hints.at + 3, "esc", "key").add(" cancel", "muted")
        self.below.styles.height = 3
        blank = Line(width, base="panel").put(1, wrong, "bad bold", room=width - 2)
        self.below.show([blank, Line(width, base="panel"), hints])

    @on(Input.Submitted)
    def _submitted(self) -> None:
        values = {field.key: self.query_one(f"#{field.key}", Input).value for field in self._fields}
        if wrong := self._check(values):
            self._draw(wrong)
        else:
            self.dismiss(values)

    def action_leave(self) -> None:
        """Change nothing."""
        self.dismiss(None)
