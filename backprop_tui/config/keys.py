"""Keys of configuration files, nested as they are written."""

from __future__ import annotations

from backprop_tui.config.settings import SETTINGS, by_key
from backprop_tui.config.values import from_plain, printable, shown
from backprop_tui.errors import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

_KEYS = tuple(setting.key for setting in SETTINGS)
_GROUPS = tuple(dict.fromkeys(key.partition(".")[0] for key in _KEYS if "." in key))


def read_tree(content: dict[str, Any], path: str) -> dict[str, Any]:
    """Checked values by key, such as gpu.probe, from a file's nested content.

    Raises:
        ConfigError: an unknown key (with the nearest known one) or a value that is not allowed.
    """
    found: dict[str, Any] = {}
    for key, value in content.items():
        if key in _GROUPS:
            if not isinstance(value, dict):
                raise ConfigError(f"{path}: {key}: found {shown(value)}, allowed: an object")
            for inner, inner_value in value.items():
                found[f"{key}.{inner}"] = _value(f"{key}.{inner}", inner_value, path)
        else:
            found[key] = _value(key, value, path)
    return found


def _value(key: str, value: Any, path: str) -> Any:
    if key not in _KEYS:
        near = nearest(key, _KEYS)
        hint = f"did you mean {near}?" if near else "known keys: " + ", ".join(_KEYS)
        raise ConfigError(f"{path}: unknown key {printable(key[:80])}", hint=hint)
    return from_plain(by_key(key), value, f"{path}: {key}")


def nearest(word: str, known: Iterable[str]) -> str:
    """What a person probably meant, "" when nothing is near."""
    import difflib

    by_lower = {item.lower(): item for item in known}
    tails = {item.rpartition(".")[2]: full for item, full in by_lower.items()}
    lower = word[:80].lower()
    if lower in tails:
        return tails[lower]
    found = difflib.get_close_matches(lower, by_lower, n=1, cutoff=0.6)
    return by_lower[found[0]] if found else ""
