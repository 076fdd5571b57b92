"""A field to type in that may hold text of any origin."""

from __future__ import annotations

from rich.cells import cell_len
from rich.text import Text
from textual.widgets import Input


class Field(Input):
    """Shows a sign in the place of each character that would act on a terminal; its value keeps them."""

    @property
    def _value(self) -> Text:
        shown = "".join(sign if sign.isprintable() else "\ufffd" for sign in self.value)
        return Text(shown, no_wrap=True, overflow="ignore", end="")

    def _position_to_cell(self, position: int) -> int:
        return cell_len(self._value.plain[:position])
