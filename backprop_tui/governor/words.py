"""Numbers as people read them in a decision, rounded so that a refusal never looks like a pass."""

from __future__ import annotations

import math

GB = 1 << 30
_FIRST = ("", "first", "second", "third", "fourth", "fifth")
_MOST_MINUTES = 60.0 * 24 * 365


def gigabytes(amount: int) -> str:
    """ "16.0 GB"."""
    return f"{amount / GB:.1f} GB"


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


def span(seconds: float) -> str:
    """A time to come, never said shorter than it is: "less than a minute", "8 min", "1 h 20 min", "3 days"."""
    minutes = math.ceil(min(max(0.0, seconds) / 60, _MOST_MINUTES))
    if minutes <= 1:
        return "less than a minute"
    if minutes < 60:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {rest} min" if rest else f"{hours} h"
    return f"{math.ceil(hours / 24)} days"


def nth(position: int) -> str:
    """1 is "first"."""
    if position < len(_FIRST):
        return _FIRST[position]
    end = "th" if position % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(position % 10, "th")
    return f"{position}{end}"
