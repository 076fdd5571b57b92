"""Curves and bars made of characters."""

from __future__ import annotations

import math

from backprop_tui.tui.draw.glyphs import ASCII_GRAPHS, BLOCK_GRAPHS, BLOCKS, BRAILLE, NO_GRAPHS, SPARK_ASCII

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from backprop_tui.tui.draw.glyphs import Glyphs

_BRAILLE = 0x2800
_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""Bits of a braille cell, by row and column of its points."""
_LEVELS = {BRAILLE: BLOCKS, BLOCK_GRAPHS: BLOCKS, ASCII_GRAPHS: SPARK_ASCII, NO_GRAPHS: "0123456789"}


def bar(share: float | None, width: int, glyphs: Glyphs) -> tuple[str, str]:
    """The full part of a bar, and its rest; anything above nothing shows at least one cell. Blank without graphs."""
    if glyphs.graphs == NO_GRAPHS:
        return "", " " * width
    if share is None or not math.isfinite(share):
        return "", glyphs.rest * width
    full = round(min(1.0, max(0.0, share)) * width)
    if share > 0.02 and full == 0:
        full = 1
    return glyphs.bar * full, glyphs.rest * (width - full)


def spark(values: Sequence[float], width: int, glyphs: Glyphs) -> str:
    """One row: the values from left to right, each column one or two of them; blank where there is none."""
    finite = [value for value in values if math.isfinite(value)]
    if not finite or width <= 0 or glyphs.graphs == NO_GRAPHS:
        return " " * width
    low, high = min(finite), max(finite)
    if glyphs.graphs != BRAILLE:
        points = resampled(values, width)
        return "".join(_level(value, low, high, _LEVELS[glyphs.graphs]) for value in points).ljust(width)
    points = resampled(values, width * 2)
    cells = []
    for column in range(width):
        bits = 0
        for side, value in enumerate(points[column * 2 : column * 2 + 2]):
            if math.isfinite(value):
                row = 3 - _step(value, low, high, 4)
                bits |= _DOTS[row][side]
        cells.append(chr(_BRAILLE + bits) if bits else " ")
    return "".join(cells).ljust(width)


def levels(values: Sequence[float | None], glyphs: Glyphs) -> str:
    """One sign a value, each a share from 0 to 1: blocks, or digits where there are no graphs."""
    signs = SPARK_ASCII if glyphs.is_ascii and glyphs.graphs != NO_GRAPHS else _LEVELS[glyphs.graphs]
    return "".join(" " if value is None else _level(value, 0.0, 1.0, signs) for value in values)


def resampled(values: Sequence[float], count: int) -> list[float]:
    """As many values as there is room for: all of them, or the mean of each of `count` equal parts."""
    if len(values) <= count:
        return list(values)
    out = []
    for n in range(count):
        part = values[n * len(values) // count : max((n + 1) * len(values) // count, n * len(values) // count + 1)]
        finite = [value for value in part if math.isfinite(value)]
        out.append(sum(finite) / len(finite) if finite else math.nan)
    return out


def _level(value: float, low: float, high: float, signs: str) -> str:
    return " " if not math.isfinite(value) else signs[_step(value, low, high, len(signs))]


def _step(value: float, low: float, high: float, count: int) -> int:
    if high <= low:
        return 0 if value <= 0 else count // 2
    return min(count - 1, max(0, int((value - low) / (high - low) * count)))
