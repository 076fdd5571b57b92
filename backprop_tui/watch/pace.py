"""How fast a run goes on, and when it will be where; pure."""

from __future__ import annotations

from bisect import bisect_left, bisect_right

from backprop_tui.frozen import Frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from backprop_tui.model.run import Slice
    from backprop_tui.watch.curves import Curve

WINDOW_S = 60.0
LEAST_S, LEAST_STEPS = 30.0, 20


class Forecast(Frozen):
    """Where a running slice will get to."""

    end_step: float
    """At the end of its time box."""
    done_s: float | None
    """Until the last step, seconds from now; None where the total is not known."""
    is_within: bool
    """The last step comes before the end of the time box."""


def speed(curve: Curve, since: float) -> float | None:
    """Steps a second over the last minute, of what was printed after `since` (epoch seconds); None while that says
    too little: less than 30 s or 20 steps."""
    if not len(curve):
        return None
    last_t, last_step = curve.times[-1], curve.steps[-1]
    first = bisect_left(curve.times, since)
    if first >= len(curve) or last_t - curve.times[first] < LEAST_S or last_step - curve.steps[first] < LEAST_STEPS:
        return None
    start = min(max(first, bisect_left(curve.times, last_t - WINDOW_S)), len(curve) - 2)
    took, steps = last_t - curve.times[start], last_step - curve.steps[start]
    return steps / took if took > 0 and steps > 0 else None


def forecast(step: int, total: int | None, speed: float, left_s: float) -> Forecast:
    """Where a slice will get to that has `left_s` seconds of its box left."""
    end = step + speed * max(0.0, left_s)
    done = None if total is None else max(0.0, (total - step) / speed)
    return Forecast(
        end_step=end if total is None else min(end, float(total)),
        done_s=done,
        is_within=done is not None and done <= left_s,
    )


def running_since(events: Sequence[dict[str, Any]], newest: Slice | None) -> float:
    """Since when the newest slice runs without a pause, epoch seconds."""
    for event in reversed(events):
        t = event.get("t")
        if event.get("event") == "state" and event.get("state") == "running" and isinstance(t, (int, float)):
            return float(t)
    return newest.started if newest is not None else 0.0


def trained_s(times: Sequence[float], slices: Sequence[Slice]) -> list[float]:
    """Each moment as seconds within the run's slices: what lay between them does not count."""
    starts = [piece.started for piece in slices]
    before, total = [], 0.0
    for piece in slices:
        before.append(total)
        total += max(0.0, (piece.ended if piece.ended is not None else piece.started) - piece.started)
    out = []
    for t in times:
        at = max(0, bisect_right(starts, t) - 1)
        out.append(before[at] + max(0.0, t - starts[at]) if starts else t - times[0])
    return out


def in_force(curve: Curve, slices: Sequence[Slice]) -> list[int]:
    """Which points of a curve still hold: those that a later slice did again do not."""
    out = list(range(len(curve)))
    for piece in slices[1:]:
        first = piece.first_step
        if first is not None:
            out = [n for n in out if curve.times[n] >= piece.started or curve.steps[n] < first]
    return out
