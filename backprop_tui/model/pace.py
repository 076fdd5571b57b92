"""How fast a training goes on, by when it was at which step. Pure."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from itertools import pairwise

from backprop_tui.frozen import Frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

WINDOW_S = 60.0
MEAN_S = 600.0
LEAST_S, LEAST_STEPS = 30.0, 20
SLOW_S, SLOW_STEPS = 120.0, 3
"""Where a step takes long, this does as well."""
SPACING_S = 0.5
KEPT = 8
"""So many moments are kept however long they are ago: steps may be slow."""
GAP_S, GAP_INTERVALS = 5.0, 8.0
"""Longer than this, and than so many usual intervals, it did something else than to train."""


class Pace(Frozen):
    """How fast a slice goes on, in steps a second."""

    speed: float
    """In the last minute of training: evaluation, saving and starting up are left out."""
    mean: float
    """In the last ten minutes, with evaluation and saving."""
    is_settled: bool
    """It was watched for 30 s and 20 steps, or where steps are slow for 2 minutes and 3 steps."""


class Steps:
    """When a slice was at which step, lately: bounded, and the same whether its lines come one by one or in bursts."""

    __slots__ = ("_steps", "_times")

    def __init__(self) -> None:
        self._times: list[float] = []
        self._steps: list[float] = []

    def add(self, t: float, step: float) -> None:
        """It was at `step` at `t`, epoch seconds; what is no step forward says nothing."""
        times, steps = self._times, self._steps
        if times:
            if step <= steps[-1]:
                return
            if t < times[-1]:  # the clock was set back
                self.clear()
            elif t == times[-1] or (len(times) > 1 and t - times[-2] < SPACING_S):
                times[-1], steps[-1] = t, step
                return
        times.append(t)
        steps.append(step)
        if len(times) > 2 * MEAN_S / SPACING_S + KEPT:
            self._forget()

    def _forget(self) -> None:
        """What lies further back than anybody asks for."""
        at = min(bisect_left(self._times, self._times[-1] - MEAN_S) - 1, len(self._times) - KEPT)
        if at > 0:
            del self._times[:at], self._steps[:at]

    def clear(self) -> None:
        """Begin anew."""
        self._times.clear()
        self._steps.clear()

    def pace(self, since: float = 0.0) -> Pace | None:
        """How fast it is, by what was printed from `since` on; None while that is a single moment."""
        first = bisect_left(self._times, since)
        return pace(self._times[first:], self._steps[first:])


def pace(times: Sequence[float], steps: Sequence[float]) -> Pace | None:
    """How fast a slice is that was at these steps at these times (epoch seconds), both rising; None of fewer than
    two."""
    if len(times) < 2:
        return None
    took, made = times[-1] - times[0], steps[-1] - steps[0]
    intervals = [two - one for one, two in pairwise(times)]
    gap = max(GAP_S, GAP_INTERVALS * sorted(intervals)[len(intervals) // 2])
    trained = gone = 0.0
    for n in range(len(intervals) - 1, -1, -1):
        if intervals[n] <= gap:
            trained += intervals[n]
            gone += steps[n + 1] - steps[n]
            if trained >= WINDOW_S:
                break
    begun = next(n for n, interval in enumerate(intervals) if interval <= gap)
    start = max(begun, bisect_right(times, times[-1] - MEAN_S) - 1)
    return Pace(
        speed=gone / trained,
        mean=(steps[-1] - steps[start]) / (times[-1] - times[start]),
        is_settled=(took >= LEAST_S and made >= LEAST_STEPS) or (took >= SLOW_S and made >= SLOW_STEPS),
    )
