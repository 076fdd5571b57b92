"""The interpreter of a script: its project's, rarely the one that backprop runs on."""

from __future__ import annotations

import os
import sys

from backprop_tui.errors import UsageError
from backprop_tui.frozen import Frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


class Interpreter(Frozen):
    """An interpreter and why it was taken."""

    path: str
    """Absolute; links are kept, because a virtual environment is found by the link's place."""
    origin: str


def find_interpreter(
    *, setting: str | None, setting_origin: str, script: str, cwd: str, env: Mapping[str, str]
) -> Interpreter:
    """The setting, else $VIRTUAL_ENV, $CONDA_PREFIX, a .venv beside or above the script, PATH, our own.

    Args:
        setting: --python or its configuration key: a path (relative ones count from `cwd`) or a name on PATH.
        setting_origin: where it comes from.
        script: the script's absolute path.
        cwd: the training's working directory.
        env: the training's environment.

    Raises:
        UsageError: the one that is asked for, or that an environment promises, does not work.
    """
    if setting is not None:
        return _from_setting(setting, setting_origin, cwd, env)
    for name in ("VIRTUAL_ENV", "CONDA_PREFIX"):
        if env.get(name) and (found := _in_environment(env[name], f"${name}")):
            return found
    for folder in _folders_above(script, cwd):
        venv = os.path.join(folder, ".venv")
        if os.path.isdir(venv) and (found := _in_environment(venv, venv)):
            return found
    for name in ("python", "python3"):
        if path := _on_path(name, cwd, env):
            return Interpreter(path=path, origin="PATH")
    return Interpreter(path=sys.executable, origin="backprop's own: there is no other")


def is_usable(path: str) -> bool:
    """Whether a file can be executed."""
    return os.path.isfile(path) and os.access(path, os.X_OK)


def _from_setting(setting: str, origin: str, cwd: str, env: Mapping[str, str]) -> Interpreter:
    expanded = os.path.expanduser(setting)
    if os.sep in expanded:
        path: str | None = os.path.join(cwd, expanded)
        why = _complaint(str(path))
    else:
        path = _on_path(expanded, cwd, env)
        why = "" if path else "there is none on PATH"
    if why or path is None:
        raise UsageError(
            f"the interpreter {setting} ({origin}) does not work: {why}",
            hint="give --python the path of the python that has your training's packages",
        )
    return Interpreter(path=path, origin=origin)


def _in_environment(folder: str, origin: str) -> Interpreter | None:
    """The environment's interpreter; None when the folder has none at all."""
    for name in ("python", "python3"):
        path = os.path.join(os.path.abspath(folder), "bin", name)
        if not os.path.lexists(path):
            continue
        if why := _complaint(path):
            raise UsageError(
                f"the interpreter {path} ({origin}) does not work: {why}",
                hint="make that environment anew, or name another interpreter with --python",
            )
        return Interpreter(path=path, origin=origin)
    return None


def _complaint(path: str) -> str:
    if not os.path.lexists(path):
        return "it does not exist"
    if not os.path.exists(path):
        return f"it is a link to {os.readlink(path)}, which does not exist"
    if os.path.isdir(path):
        return "it is a folder"
    return "" if os.access(path, os.X_OK) else "it cannot be executed"


def _folders_above(script: str, cwd: str) -> list[str]:
    """The script's folder and those above it, up to its repository's root, the home folder or the root."""
    folders = []
    home = os.path.expanduser("~")
    folder = os.path.dirname(os.path.join(cwd, script))
    while True:
        folders.append(folder)
        parent = os.path.dirname(folder)
        if folder in (parent, home) or os.path.lexists(os.path.join(folder, ".git")):
            return folders
        folder = parent


def _on_path(name: str, cwd: str, env: Mapping[str, str]) -> str | None:
    for folder in env.get("PATH", os.defpath).split(os.pathsep):
        path = os.path.join(cwd, folder or ".", name)
        if is_usable(path):
            return path
    return None
