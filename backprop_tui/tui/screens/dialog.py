"""A question over the screen: what it is about, and the keys that answer it."""

from __future__ import annotations

from textual.binding import Binding
from textual.containers import Container
from textual.content import Content
from textual.screen import ModalScreen

from backprop_tui.frozen import Frozen
from backprop_tui.tui.draw.line import Line, cells, showable
from backprop_tui.tui.widgets.canvas import Canvas

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events
    from textual.app import ComposeResult

    from backprop_tui.tui.palette import Palette


class Choice(Frozen):
    """An answer: its key, its words, and what it means to the program."""

    key: str
    """As Textual names it."""
    label: str
    value: str
    shown: str = ""
    """The key as people read it."""

    @property
    def sign(self) -> str:
        return self.shown or self.key


class Said(Frozen):
    """A line of a dialog."""

    text: str = ""
    style: str = ""


class Dialog(ModalScreen[str]):
    """Dismissed with the value of the choice; the first choice has the focus, and Esc always means "cancel"."""

    DEFAULT_CLASSES = "dialog"
    AUTO_FOCUS = ""
    BINDINGS = [  # noqa: RUF012  # Textual reads it once
        Binding("escape", "answer('')", show=False),
        Binding("enter", "enter", show=False),
        Binding("tab,right", "next(1)", show=False),
        Binding("shift+tab,left", "next(-1)", show=False),
    ]
    WIDTH = 68

    focused_choice = 0

    def __init__(
        self, palette: Palette, title: str, said: Sequence[Said], choices: Sequence[Choice], *, is_bad: bool = False
    ) -> None:
        super().__init__()
        self._palette, self._title = palette, title
        self.said, self.choices = list(said), list(choices)
        self._is_bad = is_bad

    def compose(self) -> ComposeResult:
        with Container(id="box", classes="box bad" if self._is_bad else "box"):
            yield Canvas(self._palette, id="said")

    def on_mount(self) -> None:
        self.query_one("#box").border_title = Content(showable(self._title))  # text, never markup
        self.draw()

    def draw(self) -> None:
        """Draw what is asked now."""
        width = max(20, min(self.WIDTH, self.app.size.width) - 2)
        lines = [line for said in self.said for line in _wrapped(said, width)]
        buttons = self.buttons(width)
        lines = lines[: max(1, self.app.size.height - len(buttons) - 4)]  # what can be answered is always in sight
        lines = [Line(width, base="panel"), *lines, Line(width, base="panel"), *buttons]
        box = self.query_one("#box")
        box.styles.width = width + 2
        box.styles.height = len(lines) + 2
        self.query_one("#said", Canvas).styles.height = len(lines)
        self.query_one("#said", Canvas).show(lines)

    def buttons(self, width: int) -> list[Line]:
        """The choices, the one with the focus in reverse."""
        if self.is_numbered:
            return [
                Line(width, base="panel")
                .put(2, f"{n}", "key")
                .put(5, f"{choice.label or choice.value} ({choice.sign})")
                for n, choice in enumerate(self.choices, 1)
            ]
        lines = [Line(width, base="panel")]
        for n, choice in enumerate(self.choices):
            room = cells(choice.sign) + cells(choice.label) + 3
            line = lines[-1]
            if line.at and line.at + 3 + room > width:
                line = Line(width, base="panel")
                lines.append(line)
            at = line.at + 3 if line.at else 2
            if n == self.focused_choice:
                line.put(at, f" {choice.sign} {choice.label} ", "focused")
            else:
                line.put(at, f" {choice.sign}", "key").add(f" {choice.label} ", "")
        return lines

    @property
    def is_numbered(self) -> bool:
        """For who hears the screen: the choices by number, unless digits mean something already."""
        look = getattr(self.app, "look", None)
        return bool(look and look.accessible) and not any(choice.key.isdigit() for choice in self.choices)

    def on_resize(self) -> None:
        self.draw()

    def on_key(self, event: events.Key) -> None:
        """An answer by its key."""
        if event.key.startswith("alt+"):
            self.action_answer("")  # Esc, and another key before the terminal was sure that it was Esc
            return
        for n, choice in enumerate(self.choices, 1):
            if self.is_numbered and event.key == str(n):
                event.stop()
                self.action_answer(choice.value)
                return
            if event.key == choice.key or (event.character and event.character == choice.key):
                event.stop()
                self.action_answer(choice.value)
                return
        if event.key == "n":
            self.action_answer("")  # no
        else:
            self.other_key(event.key)
        if not self.is_current:
            event.stop()  # what is below must not hear it too

    def other_key(self, key: str) -> None:
        """A key that answers nothing."""

    def action_enter(self) -> None:
        self.action_answer(self.choices[self.focused_choice].value)

    def action_next(self, by: int) -> None:
        self.focused_choice = (self.focused_choice + by) % len(self.choices)
        self.draw()

    def action_answer(self, value: str) -> None:
        """Answer, and go; "" cancels. Once: what is below is not to be closed by a second key."""
        if self.is_current:
            self.dismiss(value)


def _wrapped(said: Said, width: int) -> list[Line]:
    import textwrap

    texts = textwrap.wrap(said.text, width - 4, break_on_hyphens=False, drop_whitespace=False) or [""]
    first, *more = texts
    return [
        Line(width, base="panel").put(2, text, said.style, room=width - 4) for text in (first, *map(str.lstrip, more))
    ]
