"""A field of cells that curves are drawn into, and what of a curve is drawn."""

from __future__ import annotations

import math
from itertools import pairwise

from backprop_tui.frozen import Frozen
from backprop_tui.tui.draw.glyphs import ASCII_GRAPHS, BLOCK_GRAPHS, BRAILLE
from backprop_tui.watch import pace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from backprop_tui.model.run import Slice
    from backprop_tui.watch.curves import Curve

_BRAILLE = 0x2800
_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""Bits of a braille cell, by row and column of its points."""
_HALVES = " ▀▄█"
"""A cell of two points, one above the other, by its bits."""
_POINTS = {BRAILLE: (2, 4), BLOCK_GRAPHS: (1, 2), ASCII_GRAPHS: (1, 1)}
"""Of a cell: across and down."""
ROUGH = 0.08
"""A curve whose steps are on average larger than this share of its range is smoothed further."""
LEAST_TO_SMOOTH = 24


class Points(Frozen):
    """A curve: for each of its points, in order, where it is, and the mean, least and largest value about there."""

    steps: tuple[float, ...]
    times: tuple[float, ...]
    """Seconds of training."""
    means: tuple[float, ...]
    """Not finite where a value was not."""
    lows: tuple[float, ...]
    highs: tuple[float, ...]

    def xs(self, *, by_time: bool) -> tuple[float, ...]:
        """Where each point is."""
        return self.times if by_time else self.steps


NOTHING = Points(steps=(), times=(), means=(), lows=(), highs=())


def points_of(curve: Curve, slices: Sequence[Slice]) -> Points:
    """A curve as it is drawn: its steps never go back, however they were printed."""
    times = pace.trained_s(curve.times, slices)
    columns: list[Sequence[float]] = [curve.steps, times, curve.means, curve.lows, curve.highs]
    if not curve.is_ordered:
        at = sorted(range(len(curve)), key=curve.steps.__getitem__)
        columns = [[values[n] for n in at] for values in columns]
    steps, seconds, means, lows, highs = (tuple(values) for values in columns)
    return Points(steps=steps, times=seconds, means=means, lows=lows, highs=highs)


class Trace(Frozen):
    """A curve as columns of points, from left to right."""

    columns: tuple[int, ...]
    lows: tuple[float, ...]
    """NaN where there is a gap."""
    highs: tuple[float, ...]
    joins: int
    """Columns further apart than this are not joined: something is missing between them."""
    breaks: frozenset[int] = frozenset()
    """Columns that are not joined to the one before."""


def trace(  # where, how wide and how are one question each
    points: Points,
    xs: Sequence[float],
    x: tuple[float, float],
    wide: int,
    *,
    shows_all: bool,
    breaks: Sequence[float] = (),
) -> Trace:
    """What of a curve is drawn in `wide` columns between the ends of `x`.

    Args:
        points: the curve; its values may be scaled already.
        xs: where they are.
        x: the ends of the axis.
        wide: how many columns there are.
        shows_all: from the least to the largest value of each column, else the mean, smoothed where it is rough.
        breaks: where on the axis what comes is not joined to what was.
    """
    found: dict[int, list[int]] = {}
    span = x[1] - x[0]
    for n, at in enumerate(xs):
        if span > 0 and math.isfinite(at) and x[0] <= at <= x[1]:
            found.setdefault(int((at - x[0]) / span * (wide - 1) + 0.5), []).append(n)
    columns = sorted(found)
    cut = {int((at - x[0]) / span * (wide - 1) + 0.5): at for at in breaks if span > 0 and x[0] <= at <= x[1]}
    parts = [[n for n in found[column] if xs[n] >= cut.get(column, -math.inf)] for column in columns]
    if shows_all:
        lows = [min(_finite(points.lows, part), default=math.nan) for part in parts]
        highs = [max(_finite(points.highs, part), default=math.nan) for part in parts]
    else:
        means = [_mean(_finite(points.means, part)) for part in parts]
        ends = [0, *(n for n, column in enumerate(columns) if column in cut), len(columns)]
        lows = highs = [value for start, end in pairwise(ends) for value in smoothed(means[start:end])]
    return Trace(
        columns=tuple(columns),
        lows=tuple(lows),
        highs=tuple(highs),
        joins=max(4, 4 * wide // max(1, len(xs)) + 1),
        breaks=frozenset(cut),
    )


def smoothed(values: list[float]) -> list[float]:
    """A noisy curve as the running mean of as many neighbours as make it readable; a smooth one as it is.

    Gaps stay gaps, and the ends stay near the newest and the oldest values.
    """
    finite = [value for value in values if math.isfinite(value)]
    if len(finite) < LEAST_TO_SMOOTH:
        return values
    ordered = sorted(finite)
    spread = ordered[int(len(ordered) * 0.95)] - ordered[0]
    reach, out = 0, values
    while _roughness(out) > ROUGH * spread and reach * 16 < len(values):
        reach = reach * 2 or 1
        out = [_around(values, n, reach) for n in range(len(values))]
    return out


class Plot:
    """A field of cells; each belongs to the curve that was drawn into it last."""

    def __init__(self, width: int, height: int, *, graphs: str) -> None:
        """`graphs` is what the cells are made of, as `Glyphs` has it."""
        self.width, self.height, self._graphs = width, height, graphs
        self._across, self._down = _POINTS[graphs]
        self._bits = [[0] * width for _ in range(height)]
        self.owners = [[-1] * width for _ in range(height)]

    @property
    def has_letters(self) -> bool:
        """Whether curves are told apart by letters: points of ASCII have one sign for all."""
        return self._graphs == ASCII_GRAPHS

    @property
    def wide(self) -> int:
        """Columns of points."""
        return self.width * self._across

    def draw(self, curve: Trace, owner: int, y: tuple[float, float]) -> None:
        """Draw a curve within the range `y`; what lies outside is cut off."""
        last: tuple[int, int] | None = None
        for column, low, high in zip(curve.columns, curve.lows, curve.highs, strict=True):
            if not (math.isfinite(low) and math.isfinite(high)):
                last = None
                continue
            top, bottom = self._row(high, y), self._row(low, y)
            if last is not None and column - last[0] <= curve.joins and column not in curve.breaks:
                self._connect(last, (column, top if last[1] <= top else min(bottom, max(top, last[1]))), owner)
            for row in range(max(0, top), min(bottom, self.height * self._down - 1) + 1):
                self._set(column, row, owner)
            last = (column, (top + bottom) // 2)

    def cell(self, row: int, column: int) -> str:
        """What to print at a cell; "" where nothing was drawn."""
        bits = self._bits[row][column]
        if not bits:
            return ""
        if self._graphs == BRAILLE:
            return chr(_BRAILLE + bits)
        return _HALVES[bits] if self._graphs == BLOCK_GRAPHS else "*"

    def _row(self, value: float, y: tuple[float, float]) -> int:
        tall = self.height * self._down
        share = (value - y[0]) / ((y[1] - y[0]) or 1.0)
        return int((1.0 - min(2.0, max(-1.0, share))) * (tall - 1) + 0.5)

    def _connect(self, start: tuple[int, int], end: tuple[int, int], owner: int) -> None:
        (x0, y0), (x1, y1) = start, end
        count = max(abs(x1 - x0), abs(y1 - y0))
        for n in range(1, count):
            self._set(x0 + (x1 - x0) * n // count, y0 + (y1 - y0) * n // count, owner)

    def _set(self, column: int, row: int, owner: int) -> None:
        if not (0 <= row < self.height * self._down and 0 <= column < self.wide):
            return
        y, x = row // self._down, column // self._across
        is_braille = self._graphs == BRAILLE
        self._bits[y][x] |= _DOTS[row % 4][column % 2] if is_braille else 1 << row % self._down
        self.owners[y][x] = owner


def _finite(values: Sequence[float], at: Sequence[int]) -> list[float]:
    return [values[n] for n in at if math.isfinite(values[n])]


def _mean(values: Sequence[float]) -> float:
    return sum(value / len(values) for value in values) if values else math.nan


def _roughness(values: Sequence[float]) -> float:
    jumps = [abs(one - two) for one, two in pairwise(values) if math.isfinite(one - two)]
    return sum(jumps) / len(jumps) if jumps else 0.0


def _around(values: Sequence[float], at: int, reach: int) -> float:
    if not math.isfinite(values[at]):
        return math.nan
    # As far to the one side as to the other: else the ends of a falling curve would be bent.
    reach = min(reach, at, len(values) - 1 - at)
    return _mean([value for value in values[at - reach : at + reach + 1] if math.isfinite(value)])
