"""Finds the interpreter that a script is meant for; backprop's own is the last guess.

backprop is often installed in an environment of its own, without the packages that a training needs.
"""

from __future__ import annotations

import os
import stat
import sys

from backprop_tui.errors import UsageError
from backprop_tui.frozen import Frozen
from backprop_tui.text import printable, quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_NAMES = ("python", "python3")
_HINT = "choose an interpreter with --python PATH"


class Interpreter(Frozen):
    """The interpreter of a script, and why it is this one."""

    path: str
    """Absolute; links are not resolved: a virtual environment's python is one."""
    origin: str


def find_interpreter(
    *, setting: str | None, setting_origin: str, script: str, cwd: str, env: Mapping[str, str]
) -> Interpreter:
    """The setting, else the active environment's, else the nearest .venv's, else PATH's, else backprop's own.

    Args:
        setting: a path (a relative one counts from `cwd`) or a name on PATH; None to look for one.
        setting_origin: who set it, for errors.
        script: the script's path; the search for a .venv starts beside it.
        cwd: the working directory.
        env: the environment.

    Raises:
        UsageError: what is set, or an environment that is there, has no interpreter that can be started.
    """
    if setting is not None:
        return Interpreter(path=_from_setting(setting, setting_origin, cwd, env), origin=setting_origin)
    for variable in ("VIRTUAL_ENV", "CONDA_PREFIX"):
        if folder := env.get(variable):
            path = _inside(os.path.join(cwd, folder), f"${variable}")
            if path is not None:
                return Interpreter(path=path, origin=f"${variable}")
    for folder in _folders_from(os.path.join(cwd, script), env):
        path = _from_dot_venv(os.path.join(folder, ".venv"))
        if path is not None:
            return Interpreter(path=path, origin=".venv of the script")
    for name in _NAMES:
        path = _on_path(name, cwd, env)
        if path is not None:
            return Interpreter(path=path, origin=f"{name} on PATH")
    return Interpreter(path=sys.executable, origin="backprop's own")


def _from_setting(setting: str, origin: str, cwd: str, env: Mapping[str, str]) -> str:
    said = f"the interpreter {quoted(setting)} ({printable(origin)})"
    if "/" not in setting:
        found = _on_path(setting, cwd, env)
        if found is None:
            raise UsageError(f"{said} is not on PATH", hint=_folder_hint(os.path.join(cwd, setting)) or _HINT)
        return found
    path = os.path.join(cwd, os.path.expanduser(setting).removeprefix("./"))
    if problem := _problem(path):
        raise UsageError(f"{said} {problem}", hint=_folder_hint(path) or _HINT)
    return path


def _folder_hint(path: str) -> str:
    """People name an environment where its interpreter is meant."""
    for name in _NAMES:
        candidate = os.path.join(path, "bin", name)
        if not _problem(candidate):
            return f"did you mean {printable(candidate)}?"
    return ""


def _inside(folder: str, said: str) -> str | None:
    """An environment's interpreter; None where the environment has no Python in it."""
    if not os.path.isdir(folder):
        raise UsageError(f"{said} names {quoted(folder)}, which is not a folder", hint=_HINT)
    problem = ""
    for name in _NAMES:
        path = os.path.join(folder, "bin", name)
        if os.path.lexists(path):
            found = _problem(path)
            if not found:
                return path
            problem = problem or f"{said}: {printable(path)} {found}"
    if problem:
        raise UsageError(problem, hint=f"repair this environment, or {_HINT}")
    return None


def _from_dot_venv(folder: str) -> str | None:
    try:
        info = os.lstat(folder)
        above = os.stat(os.path.dirname(folder))
    except OSError:
        return None
    if stat.S_ISREG(info.st_mode):  # some tools keep only an environment's name in it
        return None
    if info.st_uid not in (os.getuid(), 0, above.st_uid) and above.st_mode & stat.S_IWOTH:
        raise UsageError(
            f"{printable(folder)} belongs to another user, in a folder that everyone may write to",
            hint=_HINT,
        )
    return _inside(folder, "the script's .venv")


def _folders_from(script: str, env: Mapping[str, str]) -> Iterator[str]:
    """The script's folder and those above it, up to the repository's root or the user's home."""
    home = os.path.normpath(env.get("HOME") or os.path.expanduser("~"))
    folder = os.path.dirname(os.path.abspath(script))
    while True:
        yield folder
        parent = os.path.dirname(folder)
        if folder in (home, parent) or os.path.lexists(os.path.join(folder, ".git")):
            return
        folder = parent


def _on_path(name: str, cwd: str, env: Mapping[str, str]) -> str | None:
    # shutil.which does the same, but importing it costs 2 ms of every start.
    for folder in env.get("PATH", os.defpath).split(os.pathsep):
        path = os.path.join(cwd, folder, name)
        if folder and not _problem(path):
            return path
    return None


def _problem(path: str) -> str:
    """Why this cannot be started; empty if it can."""
    try:
        info = os.stat(path)
    except (OSError, ValueError):
        return "is a link to nothing" if os.path.islink(path) else "does not exist"
    if stat.S_ISDIR(info.st_mode):
        return "is a folder"
    if not stat.S_ISREG(info.st_mode):
        return "is not a file"
    return "" if os.access(path, os.X_OK) else "is not executable"
