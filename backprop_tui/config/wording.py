"""What a setting takes, and what was found in its place, in words."""

from __future__ import annotations

from backprop_tui.model.spec import RERUN
from backprop_tui.text import quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from backprop_tui.config.setting import Setting

SHOWN = 60
"""Characters of a foreign value in a message."""
_MEMORY_FORMS = "a share such as 80%, GB such as 8 or 8GB, MB such as 512MB"


def allowed(setting: Setting) -> str:
    """What a setting takes, in words."""
    low, high = f"{setting.minimum:g}", f"{setting.maximum:g}"
    bounds = f"above {low}" if setting.is_minimum_excluded else f"from {low}"
    bounds += f" to {high}" if setting.maximum < 1e9 else ""
    unit = f" ({setting.unit})" if setting.unit else ""
    texts = {
        "minutes": f"minutes {bounds}, such as 10 or 0.5, or a time such as 90s, 10m, 1h30m",
        "seconds": f"seconds {bounds}, such as 45, or a time such as 45s or 1m",
        "number": f"a number {bounds}{unit}",
        "integer": f"a whole number {bounds}{unit}",
        "choice": ", ".join(setting.choices),
        "signal": ", ".join(setting.choices),
        "path": "the path of an interpreter, or a name on PATH",
        "boolean": "true or false",
        "memory": _MEMORY_FORMS,
        "pattern": "a regular expression with a named group for each metric, such as (?P<step>\\d+) (?P<loss>\\S+)",
        "names": f"names with commas between: {', '.join(setting.choices)}",
        "globs": "paths with * and **, commas between",
        "goals": "conditions such as loss<0.3, step>=20000 or no-improve 3, commas between",
        "command": "a command for the shell",
        "template": f"an option with {{checkpoint}}, {{checkpoint_dir}} or {{step}}, or the word {RERUN}",
    }
    return texts[setting.kind] + (f", or {setting.none_word}" if setting.none_word else "")


def shown(value: Any) -> str:
    """A foreign value as one short, printable piece of a message."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return quoted(value, SHOWN)
    if isinstance(value, int) and value.bit_length() > 64:  # its digits may be too many to print
        return "a number of more than 19 digits"
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, tuple):
        value = list(value)
    kind = type(value).__name__
    return {"list": "a list", "dict": "an object"}.get(kind, f"a {kind}")
