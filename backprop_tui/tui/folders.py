"""Where the dashboard was opened."""

from __future__ import annotations

import os


def current_folder() -> str:
    """The current folder; one that was deleted since is no reason to fail."""
    try:
        return os.getcwd()
    except FileNotFoundError:
        return os.path.expanduser("~")
