"""A chart as sentences, for those who hear the screen."""

from __future__ import annotations

import math

from backprop_tui.tui.draw.line import Line
from backprop_tui.watch.figures import count, loss

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.tui.draw.chart import Chart, Series


def in_words(chart: Chart, width: int, height: int) -> list[Line]:
    """Where each curve began, where it stands and how low and high it was, in `height` lines."""
    lines = []
    for series in chart.series:
        label = f"{series.label}: " if series.label and len(chart.series) > 1 else ""
        lines.append(Line(width).put(1, label + _curve(series), room=width - 2))
    if chart.bad is not None:
        lines.append(Line(width).put(1, f"not a number from step {_step(chart.bad)}", "bad", room=width - 2))
    for seam in chart.seams:
        if seam.is_suspicious:
            text = f"{seam.label} at step {_step(seam.step)} is suspicious: it may not go on from its checkpoint"
            lines.append(Line(width).put(1, text, "hold", room=width - 2))
    if chart.saved:
        text = f"saved {len(chart.saved)} times, last at step {_step(chart.saved[-1])}"
        lines.append(Line(width).put(1, text, "muted", room=width - 2))
    return lines[:height] + [Line(width) for _ in range(height - len(lines))]


def _curve(series: Series) -> str:
    points = series.points
    seen = [
        (x, low, high)
        for x, low, high in zip(points.steps, points.lows, points.highs, strict=True)
        if math.isfinite(low) and math.isfinite(high)
    ]
    if not seen:
        return "no value yet"
    lowest, highest = min(seen, key=lambda point: point[1]), max(seen, key=lambda point: point[2])
    trend = f"{series.trend} " if series.trend else ""
    return (
        f"{trend}from {loss(seen[0][2])} at step {_step(seen[0][0])} to {loss(seen[-1][1])} at step "
        f"{_step(seen[-1][0])}, lowest {loss(lowest[1])} at step {_step(lowest[0])}, highest {loss(highest[2])}"
    )


def _step(x: float) -> str:
    return count(round(x))
