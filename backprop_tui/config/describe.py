"""The resolved settings as rows for people."""

from __future__ import annotations

from backprop_tui.config.screen import DASHBOARD
from backprop_tui.config.settings import SETTINGS
from backprop_tui.frozen import Frozen
from backprop_tui.text import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from backprop_tui.config.settings import Setting
    from backprop_tui.model.spec import SettingValue


class Row(Frozen):
    """One setting, ready to be printed."""

    key: str
    value: str
    origin: str


def describe(settings: Mapping[str, SettingValue]) -> tuple[Row, ...]:
    """Every setting that has a value, in the tables' order, with its value as text and its origin."""
    return tuple(
        Row(key=s.key, value=value_text(s, settings[s.key].value), origin=settings[s.key].origin)
        for s in (*SETTINGS, *DASHBOARD)
        if s.key in settings
    )


def value_text(setting: Setting, value: object) -> str:
    """A setting's value as people read it, with its unit."""
    if value is None:
        return setting.none_word
    if isinstance(value, (tuple, list)):
        return printable(", ".join(map(str, value))) or "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    if setting.kind == "minutes" and isinstance(value, float) and 0 < value < 1:
        return f"{value * 60:.3g} s"
    text = f"{value:.6g}" if isinstance(value, float) else printable(str(value))
    return f"{text} {setting.unit}" if setting.unit else text
