"""What project and user files have in common: reading, nesting, and words for what is wrong."""

from __future__ import annotations

import errno
import os

from backprop_tui.config.settings import SETTINGS
from backprop_tui.config.values import from_plain
from backprop_tui.config.wording import shown
from backprop_tui.errors import ConfigError
from backprop_tui.files import read_bytes
from backprop_tui.text import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from backprop_tui.config.settings import Setting

MAX_BYTES = 1_000_000
_IGNORED = "$schema"
"""Tells editors where the schema is."""


def read_text(path: str) -> str:
    """A settings file's text, without a byte order mark.

    Raises:
        ConfigError: it cannot be read, is no regular file, too long or not UTF-8.
    """
    name = printable(path)
    try:
        data = read_bytes(path, MAX_BYTES)
    except FileNotFoundError:
        raise ConfigError(f"{name} does not exist, or is a link to nothing") from None
    except OSError as error:
        raise ConfigError(f"{name} {_why_unreadable(path, error)}") from None
    except ValueError:
        raise ConfigError(f"{name} is no path: it holds a NUL") from None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(
            f"{name}: line {line} is not UTF-8 (byte {error.start})", hint="save the file as UTF-8"
        ) from None


def _why_unreadable(path: str, error: OSError) -> str:
    if os.path.isdir(path):
        return "is a folder, not a file"
    if error.errno == errno.EFBIG:
        return f"is longer than {MAX_BYTES // 1_000_000} MB: no settings file"
    if error.errno == errno.EINVAL:
        return "is not a regular file"
    return f"cannot be read: {os.strerror(error.errno or 0)}"


def settings_of(
    data: Any, path: str, *, settings: Sequence[Setting] = SETTINGS, others: Sequence[str] = ()
) -> dict[str, Any]:
    """The checked values in a parsed file, by key.

    Args:
        data: what the parser gave.
        path: the file, for errors; an interpreter's relative path counts from its folder.
        settings: those that are looked for.
        others: what else may stand in the file at the top, read by somebody else.

    Raises:
        ConfigError: an unknown key or a value that is not allowed.
    """
    name = printable(path)
    if not isinstance(data, dict):
        raise ConfigError(f"{name}: found {shown(data)}, allowed: an object with settings")
    values: dict[str, Any] = {}
    by_key = {setting.key: setting for setting in settings}
    for key, value in _flat(data, name, list(by_key), others):
        setting = by_key[key]
        checked = from_plain(setting, value, f"{name}: {key}")
        values[key] = _from_folder(checked, path) if setting.kind == "path" and checked else checked
    return values


def _from_folder(value: str, path: str) -> str:
    """A relative path, as seen from the file's folder; a name or a path of other kinds as it is."""
    if "/" not in value or value[0] in "/~":
        return value
    return os.path.join(os.path.dirname(path), value.removeprefix("./"))


def _flat(data: dict[str, Any], name: str, keys: list[str], others: Sequence[str]) -> Iterable[tuple[str, Any]]:
    tables = {key.partition(".")[0] for key in keys if "." in key}
    top = [*dict.fromkeys(key.partition(".")[0] for key in keys), *others]
    for key, value in data.items():
        if key in tables:
            inner = [full.partition(".")[2] for full in keys if full.startswith(key + ".")]
            if not isinstance(value, dict):
                allowed = f"an object with {', '.join(inner)}"
                raise ConfigError(f"{name}: {key}: found {shown(value)}, allowed: {allowed}")
            for part, item in value.items():
                _require_known(part, inner, name, key + ".")
                yield f"{key}.{part}", item
        elif key != _IGNORED and key not in others:
            _require_known(key, top, name, "")
            yield key, value


def _require_known(key: str, known: list[str], name: str, prefix: str) -> None:
    if key in known:
        return
    table, dot, inner = key.partition(".")
    if dot and any(setting.key == key for setting in SETTINGS):
        hint = f'write it nested: {{"{table}": {{"{inner}": …}}}}'
    else:
        hint = nearest(key, known, prefix)
    raise ConfigError(f"{name}: unknown key {shown(prefix + key)}", hint=hint)


def nearest(word: str, known: list[str], prefix: str = "") -> str:
    """A hint: the known word nearest to an unknown one, or all of them."""
    import difflib

    by_lower = {other.lower(): other for other in known}
    near = difflib.get_close_matches(word[:100].lower(), by_lower, n=1)
    guess = f"did you mean {prefix}{by_lower[near[0]]}? " if near else ""
    return f"{guess}allowed: {', '.join(prefix + other for other in known)}"
