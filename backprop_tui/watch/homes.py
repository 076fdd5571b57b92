"""Which home is looked at."""

from __future__ import annotations

from backprop_tui import paths
from backprop_tui.store.home import Home


def open_home() -> Home:
    """The home that the environment names; nothing is made."""
    return Home(paths.home())
