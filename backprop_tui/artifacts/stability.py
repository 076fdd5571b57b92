"""Tells whether a checkpoint is still growing, by comparing what it looks like at two moments."""

from __future__ import annotations

from backprop_tui.artifacts.content import look


def stamp(path: str) -> tuple[int, int] | None:
    """Total size in bytes and newest mtime in ns; None when nothing is there or it cannot be looked at."""
    try:
        content = look(path)
    except OSError:
        return None
    return content.stamp if content else None
