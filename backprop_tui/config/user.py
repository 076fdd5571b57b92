"""Reads the user's own settings (TOML), the same keys as a project file's, [gpu] as a table."""

from __future__ import annotations

from backprop_tui.config.document import read_text, settings_of
from backprop_tui.errors import ConfigError
from backprop_tui.text import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def read_user(path: str) -> dict[str, Any]:
    """The settings in the user's file, checked, by key.

    Raises:
        ConfigError: the file cannot be read, is not TOML (with line and column), or a key or value is wrong.
    """
    import tomllib

    name = printable(path)
    text = read_text(path)
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{name}: broken TOML: {printable(str(error))}") from None
    except (ValueError, RecursionError):
        raise ConfigError(f"{name}: a number is too long or the nesting too deep for settings") from None
    return settings_of(data, path)
