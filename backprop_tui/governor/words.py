"""Numbers as people read them in a decision, rounded so that a refusal never looks like a pass."""

from __future__ import annotations

import math

GB = 1 << 30


def free_and_wanted(free_bytes: int, wanted_bytes: int) -> tuple[str, str]:
    """Both in GB with one decimal: "3.1 GB", "4.0 GB"."""
    less, more = _apart(free_bytes * 10 / GB, wanted_bytes * 10 / GB)
    return f"{less / 10:.1f} GB", f"{more / 10:.1f} GB"


def load_and_limit(load: float, limit: float) -> tuple[str, str]:
    """Both with two decimals."""
    less, more = _apart(limit * 100, load * 100)
    return f"{more / 100:.2f}", f"{less / 100:.2f}"


def _apart(first: float, second: float) -> tuple[int, int]:
    """Both as whole numbers: the nearest, unless the smaller one would then look like the other."""
    if first < second and round(first) == round(second):
        return math.floor(first), math.ceil(second)
    return round(first), round(second)


def names(values: list[str], limit: int = 5) -> str:
    """A list with commas, at most `limit` long."""
    shown = ", ".join(values[:limit])
    return f"{shown} and {len(values) - limit} more" if len(values) > limit else shown
