"""The field that filters the history while one types."""

from __future__ import annotations

from textual.binding import Binding

from backprop_tui.tui.widgets.field import Field

FIELDS = ("status:", "tag:", "script:", "loss<", "age<")
HINT = "words, status:failed, tag:x, loss<2, age<2d, -word, *"


class FilterField(Field):
    """Tab goes through the fields that a word can name."""

    BINDINGS = [Binding("tab", "field", show=False)]  # noqa: RUF012  # Textual reads it once

    def __init__(self) -> None:
        super().__init__(id="history-filter", compact=True, placeholder=HINT, select_on_focus=False)
        self.cursor_blink = False

    def action_field(self) -> None:
        """The next field in place of the one that nothing was typed for; else one more word."""
        self.value = with_next_field(self.value)
        self.cursor_position = len(self.value)


def with_next_field(text: str) -> str:
    """The text with the next field as its last word."""
    before, _blank, last = text.rpartition(" ")
    if last in FIELDS:
        following = FIELDS[(FIELDS.index(last) + 1) % len(FIELDS)]
        return f"{before} {following}".lstrip()
    return f"{text} {FIELDS[0]}".lstrip() if last else f"{text}{FIELDS[0]}"
