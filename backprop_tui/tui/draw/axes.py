"""The axes of a chart: their ranges, round numbers on them, and how these are written."""

from __future__ import annotations

import math

from backprop_tui.watch.figures import duration, short_count

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_TICKS = 5
PERCENTILE = 0.9
LABEL = 6
"""Columns of a number on the y axis."""
NEWEST = 4
FEW = 10
LARGEST = 1e300
"""Beyond it, differences are no numbers any more."""
MAX_EXPONENT = 300
_SECONDS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400)


def y_range(curves: Sequence[Sequence[float]], *, shows_all: bool) -> tuple[tuple[float, float], bool]:
    """From the lowest value to the 90th percentile, so that the first fall does not flatten the rest; and whether
    something is cut off. The newest values of each curve are never cut off."""
    values = sorted(_within(value) for curve in curves for value in curve if math.isfinite(value))
    if not values:
        return (0.0, 1.0), False
    low, top = values[0], values[-1]
    newest = [_within(value) for curve in curves for value in curve[-NEWEST:] if math.isfinite(value)]
    cut = max([values[min(len(values) - 1, int(len(values) * PERCENTILE))], *newest])
    if shows_all or len(values) < FEW or top - low < (cut - low) * 1.5:
        cut = top
    margin = (cut - low) * 0.02 or abs(low) * 0.05 or 0.5
    return (low - margin, cut + margin), cut < top


def y_labels(y: tuple[float, float], rows: int, *, is_log: bool) -> dict[int, str]:
    """Labels by row, with as many decimals as their step needs."""
    if not math.isfinite(y[1] - y[0]):
        return {}
    most = min(MOST_TICKS, max(2, rows // 2))
    ticks = _exponents(y[0], y[1], most) if is_log else round_numbers(y[0], y[1], most)
    step = ticks[1] - ticks[0] if len(ticks) > 1 else abs(y[1] - y[0]) or 1.0
    largest = max(map(abs, ticks))
    out: dict[int, str] = {}
    for tick in ticks:
        row = round((1.0 - (tick - y[0]) / ((y[1] - y[0]) or 1.0)) * (rows - 1))
        out[row] = _power(tick) if is_log else _decimal(tick, step, largest)
    return out


def x_labels(x: tuple[float, float], room: int, *, by_time: bool) -> list[tuple[float, str]]:
    """Places on the x axis and what is written there."""
    most = max(2, room // 14)
    if by_time:
        return [(tick, duration(tick)) for tick in _times(x[0], x[1], most)]
    return [(tick, short_count(tick)) for tick in round_numbers(x[0], x[1], most) if tick == int(tick)]


def round_numbers(low: float, high: float, most: int) -> list[float]:
    """Round numbers within a range, about `most` of them."""
    span = high - low
    if not (span > 0 and math.isfinite(span)) or span / most < 1e-300:
        return [low]
    step = 10.0 ** math.floor(math.log10(span / most))
    step *= next((factor for factor in (1, 2, 2.5, 5) if span / (step * factor) <= most), 10)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [n * step for n in range(first, min(last, first + 2 * most) + 1)]


def _exponents(low: float, high: float, most: int) -> list[float]:
    """Where 1, 2, 5, 10, 20, … are between two powers of ten, or fewer of them."""
    first, last = math.floor(low), math.ceil(high)
    if (last - first) > most:
        return round_numbers(low, high, most)
    for digits in ((1, 2, 5), (1, 3), (1,)):
        found = [n + math.log10(digit) for n in range(first, last + 1) for digit in digits]
        inside = [tick for tick in found if low <= tick <= high]
        if len(inside) <= most:
            break
    return inside if len(inside) > 1 else round_numbers(low, high, most)


def _within(value: float) -> float:
    return max(-LARGEST, min(LARGEST, value))


def _times(low: float, high: float, most: int) -> list[float]:
    span = max(1.0, high - low)
    if not math.isfinite(span):
        return [low]
    step = next((step for step in _SECONDS if span / step <= most), 86400 * math.ceil(span / 86400 / most))
    first = math.ceil(low / step - 1e-9)
    return [float(n * step) for n in range(first, math.floor(high / step + 1e-9) + 1)]


def _decimal(value: float, step: float, largest: float) -> str:
    if 0 < largest < 0.01 or largest >= 10**LABEL or 0 < step < 10.0 ** (2 - LABEL):
        return _scientific(value)
    digits = max(0, -math.floor(math.log10(step) + 1e-9)) if step > 0 else 0
    scaled = step * 10**digits
    digits += abs(scaled - round(scaled)) > 1e-6  # a step of 0.25
    text = f"{value:.{max(digits, 1 if largest < 100 else 0)}f}"
    text = text.removeprefix("-") if not text.strip("-0.") else text
    return text if len(text) <= LABEL else f"{value:.4g}" if len(f"{value:.4g}") <= LABEL else _scientific(value)


def _scientific(value: float) -> str:
    """1.7e-4"""
    if value == 0:
        return "0"
    mantissa, _e, exponent = f"{value:.1e}".partition("e")
    text = f"{mantissa}e{int(exponent)}"
    return text if len(text) <= LABEL else f"{round(float(mantissa))}e{int(exponent)}"


def _power(exponent: float) -> str:
    value = 10.0 ** max(-MAX_EXPONENT, min(MAX_EXPONENT, exponent))
    text = f"{value:.3g}"
    return text if len(text) <= LABEL and "e" not in text else _scientific(value)
