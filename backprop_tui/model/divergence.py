"""Where a loss began to rise before it was no number any more. Pure."""

from __future__ import annotations

import math

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_LEAST = 16
"""Of fewer values nobody can tell the noise: the lowest of them counts."""
_REACH = 2
"""Values on each side that a value is smoothed with."""
_NOISES, _SHARE = 3.0, 0.02
"""A loss is still calm within so many times its noise, or this share, above its lowest."""


def rise_began(steps: Sequence[float], values: Sequence[float], bad: float | None) -> float | None:
    """The last step before a metric rose and was no number any more; None where it did not.

    Args:
        steps: rising.
        values: one a step.
        bad: the first step at which it was no finite number, None if it always was one.
    """
    if bad is None:
        return None
    points = [(step, value) for step, value in zip(steps, values, strict=True) if math.isfinite(value) and step <= bad]
    calm = last_calm([value for _, value in points])
    return None if calm is None else points[calm][0]


def last_calm(values: Sequence[float]) -> int | None:
    """The last place at which a loss was as low as ever, apart from its noise; None of no values.

    Args:
        values: finite.
    """
    if not values:
        return None
    lowest = min(range(len(values)), key=lambda n: (values[n], -n))
    if len(values) < _LEAST:
        return lowest
    smooth = [_median(values[max(0, n - _REACH) : n + _REACH + 1]) for n in range(len(values))]
    noise = _median([abs(value - mean) for value, mean in zip(values, smooth, strict=True)])
    low = min(smooth)
    level = low + max(_NOISES * noise, _SHARE * abs(low))
    calm = (n for n in range(len(values) - 1, -1, -1) if values[n] <= level and smooth[n] <= level)
    return next(calm, lowest)


def _median(values: Sequence[float]) -> float:
    return sorted(values)[len(values) // 2]
