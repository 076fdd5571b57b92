"""A project's own settings: backprop.config.json or .backprop.json."""

from __future__ import annotations

import json

from backprop_tui import files
from backprop_tui.config.keys import read_tree
from backprop_tui.config.values import printable
from backprop_tui.errors import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MAX_BYTES = 1 << 20


def read_project(path: str) -> dict[str, Any]:
    """The settings in a project file, by key.

    Raises:
        ConfigError: the file, the key or the place of what is wrong, and what is allowed.
    """
    try:
        data = files.read_bytes(path, MAX_BYTES)
    except FileNotFoundError:
        raise ConfigError(f"no such configuration file: {path}", hint="check --config") from None
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: byte {error.start} is no UTF-8", hint="save the file as UTF-8") from None
    try:
        content = json.loads(text, object_pairs_hook=_without_duplicates)
    except json.JSONDecodeError as error:
        raise ConfigError(f"{path}, line {error.lineno}, column {error.colno}: {error.msg}") from None
    except _DuplicateKeyError as error:
        raise ConfigError(f"{path}: the key {error} is there twice") from None
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: {error}") from None
    if not isinstance(content, dict):
        raise ConfigError(f"{path}: there must be one object {{…}} in it")
    content.pop("$schema", None)
    return read_tree(content, path)


class _DuplicateKeyError(Exception):
    """The same key twice: one of the two would be passed over in silence."""


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        keys = [key for key, _value in pairs]
        raise _DuplicateKeyError(printable(next(key for key in keys if keys.count(key) > 1)))
    return content
