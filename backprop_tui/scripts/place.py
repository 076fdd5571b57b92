"""Finds the script that was named, or says what is there instead."""

from __future__ import annotations

import os
import stat

from backprop_tui.errors import UsageError
from backprop_tui.text import quoted

_LISTED = 2000
"""Names looked at for one that is near."""


def check_script(path: str, cwd: str) -> str:
    """The absolute path of a script, links not resolved.

    Raises:
        UsageError: it does not exist, is no regular file, or cannot be read.
    """
    if not path:
        raise UsageError("the script's name is empty", hint="name the file that holds the script")
    # Only without ".." is the shorter text the same file whatever is a link on the way.
    whole = os.path.join(cwd, path)
    whole = whole if ".." in path else os.path.normpath(whole)
    name = quoted(path)
    try:
        mode = os.stat(whole).st_mode
    except (FileNotFoundError, NotADirectoryError, ValueError):
        raise _missing(path, whole) from None
    except OSError as error:
        raise UsageError(f"the script {name} cannot be read: {error.strerror}") from None
    if stat.S_ISDIR(mode):
        raise UsageError(f"{name} is a folder, not a script", hint=_scripts_in(path, whole))
    if not stat.S_ISREG(mode):
        raise UsageError(f"{name} is not a regular file", hint="name the file that holds the script")
    try:
        os.close(os.open(whole, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK))
    except OSError as error:
        raise UsageError(f"the script {name} cannot be read: {error.strerror}") from None
    return whole


def _missing(path: str, whole: str) -> UsageError:
    name = quoted(path)
    folder, base = os.path.split(whole)
    if os.path.islink(whole):
        return UsageError(f"the script {name} is a link to nothing")
    names = _names(folder)
    if names is None:
        return UsageError(f"there is no script {name}: {quoted(folder)} is not a folder that can be listed")
    import difflib

    near = difflib.get_close_matches(base[:200], names, n=3)
    said = [quoted(os.path.join(os.path.dirname(path), other)) for other in near]
    hint = f"did you mean {' or '.join(said)}?" if said else ""
    return UsageError(f"there is no script {name} in {quoted(folder)}", hint=hint)


def _scripts_in(path: str, whole: str) -> str:
    scripts = sorted(name for name in _names(whole) or () if name.endswith(".py"))
    said = [quoted(os.path.join(path, name)) for name in scripts[:3]]
    return f"name one in it, such as {', '.join(said)}" if said else ""


def _names(folder: str) -> list[str] | None:
    """The files in a folder, bounded; None if it cannot be listed."""
    names: list[str] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if len(names) == _LISTED:
                    break
                if not entry.is_dir():
                    names.append(entry.name)
    except (OSError, ValueError):
        return None
    return names
