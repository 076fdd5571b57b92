"""How fast a run goes on, and when it will be where; pure."""

from __future__ import annotations

import math
from bisect import bisect_right

from backprop_tui.frozen import Frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from backprop_tui.model.run import Slice


class Forecast(Frozen):
    """Where a running slice will get to."""

    end_step: float
    """At the end of its time box."""
    done_s: float | None
    """Until the last step, seconds from now; None where the total is not known."""
    is_within: bool
    """The last step comes before the end of the time box."""


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
    if not slices:
        return [t - times[0] for t in times]
    starts = [piece.started for piece in slices]
    before, total = [], 0.0
    for piece in slices:
        before.append(total)
        total += max(0.0, (piece.ended if piece.ended is not None else piece.started) - piece.started)
    out = []
    at, start, end = 0, starts[0], starts[1] if len(starts) > 1 else math.inf
    for t in times:
        if not start <= t < end:
            at = max(0, bisect_right(starts, t) - 1)
            start, end = starts[at], starts[at + 1] if at + 1 < len(starts) else math.inf
        out.append(before[at] + (t - start if t > start else 0.0))
    return out
