"""The user's own settings (TOML), the same keys as in a project file."""

from __future__ import annotations

from backprop_tui import files
from backprop_tui.config.keys import read_tree
from backprop_tui.errors import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MAX_BYTES = 1 << 20


def read_user(path: str) -> dict[str, Any] | None:
    """The settings in the user's file, by key; None when there is none.

    Raises:
        ConfigError: the file, the key or the place of what is wrong, and what is allowed.
    """
    try:
        data = files.read_bytes(path, MAX_BYTES)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from None
    import tomllib

    try:
        content = tomllib.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: byte {error.start} is no UTF-8", hint="save the file as UTF-8") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigError(f"{path}: {error}") from None
    return read_tree(content, path)
