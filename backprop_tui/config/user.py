"""The user's own settings (TOML): a run's keys as in a project file, [dashboard], and [keys]."""

from __future__ import annotations

import errno
import os
import stat

from backprop_tui import files
from backprop_tui.config.document import read_text, settings_of
from backprop_tui.config.screen import DASHBOARD, in_user_file
from backprop_tui.config.settings import USERS_OWN
from backprop_tui.config.values import from_plain
from backprop_tui.config.wording import shown
from backprop_tui.errors import ConfigError
from backprop_tui.text import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

KEPT = ".bak"
"""Ends the name of the copy that is kept when comments could not be."""
MAX_KEYS = 80
"""Characters of the keys of one action."""
_LOCK_S = 3.0
_NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS)


def read_user(path: str) -> dict[str, Any]:
    """The settings of runs in the user's file, checked, by key.

    Raises:
        ConfigError: the file cannot be read, is not TOML (with line and column), or a key or value is wrong.
    """
    return settings_of(_parsed(read_text(path), path), path, others=USERS_OWN)


def read_dashboard(path: str) -> tuple[dict[str, Any], dict[str, str]]:
    """The dashboard's settings in the user's file by key, and the keys of actions by id; the rest is not looked at.

    Raises:
        ConfigError: as for `read_user`.
    """
    data = _parsed(read_text(path), path)
    mine = {name: data[name] for name in ("dashboard",) if name in data}
    return settings_of(mine, path, settings=DASHBOARD), dict(_keys(data.get("keys", {}), f"{printable(path)}: keys"))


def _keys(table: Any, where: str, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Ids and keys: `"run.kill" = "K"`, or without quotes around the id, which makes a table of it."""
    if not isinstance(table, dict):
        raise ConfigError(f'{where}: found {shown(table)}, allowed: a table of lines such as "run.kill" = "K"')
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _keys(value, where, f"{prefix}{name}.")
            continue
        parts = [part.strip() for part in value.split(",")] if isinstance(value, str) else []
        is_good = bool(parts) and len(value) <= MAX_KEYS
        if not is_good or not all(part and part.isprintable() and " " not in part for part in parts):
            allowed = "allowed: a key such as K or ctrl+k, or several with commas between"
            raise ConfigError(f"{where}: {shown(prefix + name)}: found {shown(value)}, {allowed}")
        yield prefix + name, ",".join(parts)


def _parsed(text: str, path: str) -> dict[str, Any]:
    import tomllib

    name = printable(path)
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{name}: broken TOML: {printable(str(error))}") from None
    except (ValueError, RecursionError):
        raise ConfigError(f"{name}: a number is too long or the nesting too deep for settings") from None


def write_user(path: str, changes: Mapping[str, Any]) -> str | None:
    """Change settings in the user's file, and nothing else in it: other keys, their order and comments stay.

    Args:
        path: the file; it need not exist.
        changes: values by key, as a person or a parser gives them; None takes a setting out: back to the default.

    Returns:
        Where the former text was copied, if its comments could not be kept; otherwise None.

    Raises:
        ConfigError: a value is not allowed, or the file is broken, locked or cannot be written. It is then as before.
        KeyError: there is no such setting.
    """
    wanted = {key: None if value is None else _plain(key, value) for key, value in changes.items()}
    name = printable(path)
    lock = files.FileLock(path + ".lock")
    try:
        files.make_private_dir(os.path.dirname(path))
        _acquire(lock)
        return _write(path, wanted)
    except TimeoutError:
        raise ConfigError(f"{name} is being changed by another program", hint="try again") from None
    except OSError as error:
        raise ConfigError(f"{name} cannot be written: {os.strerror(error.errno or 0)}") from None
    finally:
        lock.release()


def _plain(key: str, value: Any) -> Any:
    setting = in_user_file(key)
    checked = from_plain(setting, value, key)
    return setting.none_word if checked is None else checked


def _acquire(lock: files.FileLock) -> None:
    try:
        lock.acquire(_LOCK_S)
    except TimeoutError:
        raise
    except OSError as error:  # a filesystem without locks: two writers at the same moment are unlikely
        if error.errno not in _NO_LOCKS:
            raise


def _write(path: str, wanted: Mapping[str, Any]) -> str | None:
    from backprop_tui.config.edit import edited

    target = os.path.realpath(path)  # a link into somebody's dotfiles stays one
    text, mode = "", 0o600
    if os.path.lexists(path):
        text, mode = read_text(path), stat.S_IMODE(os.stat(path).st_mode)
    try:
        data = _parsed(text, path)
    except ConfigError as error:
        raise ConfigError(error.message, hint="nothing was written; mend the file first, or move it away") from None
    for key in wanted:
        table = key.rpartition(".")[0]
        if table and not isinstance(data.get(table, {}), dict):
            raise ConfigError(f"{printable(path)}: {table}: found {shown(data[table])}, allowed: a table")
    new, has_lost_comments = edited(text, data, wanted)
    kept = None
    if has_lost_comments and not os.path.lexists(target + KEPT):
        kept = target + KEPT
        files.write_atomic(kept, text.encode(), mode=mode)
    files.write_atomic(target, new.encode(), mode=mode)
    return kept
