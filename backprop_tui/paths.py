"""Where backprop keeps things. Nothing is created here."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

SLICE_TOKEN = "BACKPROP_SLICE_TOKEN"  # noqa: S105  # the name of a variable
"""Tells a slice's processes from all others: a run's id is unique within its home only."""
RUN_VARIABLES = (
    SLICE_TOKEN,
    "BACKPROP_RUN_ID",
    "BACKPROP_RESUME_FROM",
    "BACKPROP_DEADLINE",
    "BACKPROP_MAX_MINUTES",
    "BACKPROP_CHECKPOINT_EVERY_SECONDS",
    "BACKPROP_SLICE",
    "BACKPROP_FRAMEWORK",
)
"""Told to a training; never inherited by another supervisor."""


_IS_LINUX = sys.platform == "linux"


def home(env: Mapping[str, str] = os.environ) -> str:
    """The folder of all records: $BACKPROP_HOME or ~/.backprop, absolute."""
    return os.path.abspath(env.get("BACKPROP_HOME") or os.path.join(os.path.expanduser("~"), ".backprop"))


def user_config_file(env: Mapping[str, str] = os.environ) -> str:
    """The user's own settings (TOML)."""
    return os.path.join(_user_dir("config", env), "config.toml")


def cache_dir(env: Mapping[str, str] = os.environ) -> str:
    """This host's caches: the index lives here."""
    return _user_dir("cache", env)


def _user_dir(kind: str, env: Mapping[str, str]) -> str:
    if _IS_LINUX:
        # platformdirs does the same here, but importing it costs 9 ms of every start.
        base = env.get(f"XDG_{kind.upper()}_HOME") or os.path.join(os.path.expanduser("~"), f".{kind}")
        return os.path.join(base, "backprop")
    import platformdirs

    find = platformdirs.user_config_dir if kind == "config" else platformdirs.user_cache_dir
    return find("backprop", appauthor=False)


def admission_dir(env: Mapping[str, str] = os.environ) -> str:
    """Where this user's local runs, of every home and shell, agree on who may start.

    Not the runtime folder, which goes away at logout.
    """
    return env.get("BACKPROP_ADMISSION_DIR") or f"/var/tmp/backprop-{os.getuid()}"  # noqa: S108  # checked before use


def project_config_file(start: str) -> str | None:
    """The nearest backprop.config.json or .backprop.json, from `start` up to the repository's root."""
    folder = os.path.abspath(start)
    while True:
        for name in ("backprop.config.json", ".backprop.json"):
            path = os.path.join(folder, name)
            if os.path.lexists(path):
                return path
        parent = os.path.dirname(folder)
        if parent == folder or os.path.lexists(os.path.join(folder, ".git")):
            return None
        folder = parent
