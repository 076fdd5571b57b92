"""The resolved settings as rows for people."""

from __future__ import annotations

from backprop_tui.config.settings import SETTINGS
from backprop_tui.config.values import printable
from backprop_tui.frozen import Frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.config.resolve import Resolved
    from backprop_tui.config.settings import Setting


class Row(Frozen):
    """One setting, ready to be printed."""

    key: str
    value: str
    origin: str


def describe(resolved: Resolved) -> tuple[Row, ...]:
    """Every setting in the table's order, with its value as text and its origin."""
    return tuple(
        Row(key=s.key, value=_text(s, resolved.settings[s.key].value), origin=resolved.settings[s.key].origin)
        for s in SETTINGS
    )


def _text(setting: Setting, value: object) -> str:
    if value is None:
        return setting.none_word
    if isinstance(value, bool):
        return "true" if value else "false"
    text = printable(str(value))
    return f"{text} {setting.unit}" if setting.unit else text
