"""Whether what a record says of the counters can be true: others may have edited it."""

from __future__ import annotations

from backprop_tui.protocol.fields import MAX_STEP

_FLAGS = ("is_global", "in_epochs", "has_bar", "bar_is_off", "is_counted")
_SHARES = ("epochs", "shown", "step", "first", "offset", "last", "reached", "share")
"""May have a fraction; the rest are whole numbers."""


def is_sound(name: str, value: object) -> bool:
    """Whether a value of a record that others may have edited can be what it says."""
    if name == "kind":
        return value in ("step", "count", "epoch", "report")
    if name in _FLAGS:
        return isinstance(value, bool)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return abs(value) <= MAX_STEP and (isinstance(value, int) or name in _SHARES)
