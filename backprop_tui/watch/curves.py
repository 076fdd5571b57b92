"""A run's metrics as curves: any number of points in bounded memory, read as the file grows."""

from __future__ import annotations

import math
import os
from array import array
from bisect import bisect_right

from backprop_tui.frozen import Frozen
from backprop_tui.model.lineage import ceilings
from backprop_tui.model.naming import main_metric
from backprop_tui.model.pace import Steps
from backprop_tui.store.metriclines import decoded, number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from backprop_tui.model.run import Slice
    from backprop_tui.store.home import Home

BUCKETS = 2048
"""A curve keeps at most this many buckets, each with its least and largest value; no screen is wider."""
BLOCK = 1 << 20
MAX_CURVES = 64


class Bucket(Frozen):
    """Neighbouring points of a curve."""

    step: float
    """Of the first point."""
    t: float
    """Of the first point, epoch seconds."""
    low: float
    high: float
    last: float
    """Newest value; not finite where the newest one was not."""


class Curve:
    """One metric: buckets in the order of printing, each of `size` points (the last one perhaps of fewer).

    Only points that hold are in it: not those at steps that a later slice did again.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.size = 1
        self.points = 0
        self.steps, self.times = array("d"), array("d")
        self.lows, self.highs, self.lasts = array("d"), array("d"), array("d")
        self.means = array("d")
        """Of the finite values of each bucket, NaN where there is none."""
        self.last = math.nan
        self.last_step = math.nan
        self.is_ordered = True
        """No step lies before the one that was printed before it."""
        self.first_bad_step: float | None = None
        """Where the value was not finite for the first time."""
        self._in_last = 0
        self._finite_in_last = 0

    def __len__(self) -> int:
        return len(self.steps)

    def copy(self) -> Curve:
        """The curve as it is now, for another thread."""
        new = Curve(self.name)
        new.__dict__ |= {key: value[:] if isinstance(value, array) else value for key, value in self.__dict__.items()}
        return new

    def add(self, step: float, t: float, value: float) -> None:
        """One more point."""
        self.points += 1
        if step < self.last_step:
            self.is_ordered = False
        self.last, self.last_step = value, step
        is_finite = math.isfinite(value)
        if not is_finite and self.first_bad_step is None:
            self.first_bad_step = step
        if self._in_last and self._in_last < self.size:
            self._in_last += 1
            self.lasts[-1] = value
            if is_finite:
                # A bucket that had nothing finite yet holds NaN, which no comparison is true for.
                self.lows[-1] = value if not self.lows[-1] <= value else self.lows[-1]
                self.highs[-1] = value if not self.highs[-1] >= value else self.highs[-1]
                self._finite_in_last += 1
                mean = self.means[-1] if self._finite_in_last > 1 else 0.0
                self.means[-1] = mean + (value - mean) / self._finite_in_last
            return
        if len(self.steps) == BUCKETS:
            self._halve()
        self._in_last, self._finite_in_last = 1, int(is_finite)
        self.steps.append(step)
        self.times.append(t)
        self.lasts.append(value)
        self.lows.append(value if is_finite else math.nan)
        self.highs.append(value if is_finite else math.nan)
        self.means.append(value if is_finite else math.nan)

    def _halve(self) -> None:
        for name, choose in (
            ("steps", _first),
            ("times", _first),
            ("lasts", _second),
            ("lows", _least),
            ("highs", _most),
            ("means", _middle),
        ):
            old = getattr(self, name)
            setattr(self, name, array("d", [choose(old[i], old[i + 1]) for i in range(0, BUCKETS, 2)]))
        self.size *= 2

    @property
    def furthest(self) -> float:
        """The last step that it has got to."""
        return self.last_step if self.is_ordered else max(self.last_step, *self.steps)

    def value_at(self, step: float) -> float | None:
        """The value where the run was at a step: the newest one up to it; None before the first."""
        if self.is_ordered:
            at = bisect_right(self.steps, step) - 1
        else:
            at = max((n for n, found in enumerate(self.steps) if found <= step), key=self.steps.__getitem__, default=-1)
        return self.lasts[at] if at >= 0 else None

    def buckets(self) -> Iterator[Bucket]:
        """Oldest first."""
        for values in zip(self.steps, self.times, self.lows, self.highs, self.lasts, strict=True):
            step, t, low, high, last = values
            yield Bucket(step=step, t=t, low=low, high=high, last=last)


def _first(one: float, _two: float) -> float:
    return one


def _second(_one: float, two: float) -> float:
    return two


def _least(one: float, two: float) -> float:
    return one if one <= two or math.isnan(two) else two


def _most(one: float, two: float) -> float:
    return one if one >= two or math.isnan(two) else two


def _middle(one: float, two: float) -> float:
    return two if math.isnan(one) else one if math.isnan(two) else (one + two) / 2


class CurveReader:
    """Follows a run's metrics.jsonl. `read` costs only what is new.

    Points at steps that a later slice did again are passed over. Where that turns out only after such a point was
    taken up, the file is read again from its beginning: buckets that hold points of both kinds cannot be parted.
    """

    def __init__(self, home: Home, run_id: str) -> None:
        self._path = home.folder(run_id).file("metrics.jsonl")
        self._inode = 0
        self._starts: list[int] = [0]
        """Where the lines of each slice begin."""
        self._firsts: list[float | None] = [None]
        """The first step of each slice, as far as it is known."""
        self._until: list[float] = [math.inf]
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._at = 0
        self._slice = 0
        self._highest = [-math.inf] * len(self._starts)
        """Of the steps that were taken up, for each slice."""
        self.curves: dict[str, Curve] = {}
        """By name, in the order of first appearance."""
        self.steps = Steps()
        """Where the newest slice was, lately."""
        self.lines = 0
        self.superseded = 0
        """Lines that were passed over."""

    @property
    def main(self) -> Curve | None:
        """Of the metric that speaks for the run."""
        name = main_metric(self.curves)
        return None if name is None else self.curves[name]

    def read(self, slices: Sequence[Slice] = (), limit: int = BLOCK) -> bool:
        """Take up at most so many bytes more; True if there may be more still. `slices` are the run's, as of now."""
        try:
            fd = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            info = os.fstat(fd)
            if info.st_ino != self._inode or info.st_size < self._at:  # another file by now
                self._inode = info.st_ino
                self._firsts = [None] * len(self._starts)
                self._begin_anew()
            self._learn(slices)
            data = os.pread(fd, limit, self._at)
        finally:
            os.close(fd)
        whole = data.rfind(b"\n") + 1
        if not whole:
            # A line of a record is never as long as a block: what is longer is damaged and passed over.
            self._at += len(data) if len(data) == limit else 0
            return len(data) == limit
        begin, end = self._at, self._at + whole
        while self._at < end:
            n = max(0, bisect_right(self._starts, self._at) - 1)
            stop = min([end, *self._starts[n + 1 : n + 2]])
            if n != self._slice:
                self._slice = n
                self.steps.clear()
            if not self._take(data[self._at - begin : stop - begin].splitlines(), n):
                self._begin_anew()
                return True
            self._at = stop
        return len(data) == limit

    def _learn(self, slices: Sequence[Slice]) -> None:
        """What the record says of the slices by now; what it does not say yet the lines themselves may have said."""
        starts = [piece.metrics_start for piece in slices]
        if not starts or (starts == self._starts and self._firsts[-1] == slices[-1].first_step):
            return
        found = [*self._firsts, *(None for _ in starts)]
        self._starts = starts
        self._firsts = [
            found[n] if piece.first_step is None else float(piece.first_step) for n, piece in enumerate(slices)
        ]
        self._highest = [*self._highest, *(-math.inf for _ in starts)][: len(starts)]
        if not self._settle():
            self._begin_anew()

    def _settle(self) -> bool:
        """Which steps hold, by the first steps of the slices; False if what was taken up does not hold."""
        self._until = ceilings(self._firsts)
        return all(highest < until for highest, until in zip(self._highest, self._until, strict=True))

    def _take(self, lines: list[bytes], n: int) -> bool:
        """Lines of one slice; False if by their first step earlier ones do not hold that were taken up."""
        until, highest, add = self._until[n], self._highest[n], self._add
        for line in lines:
            entry = decoded(line)
            step = None if entry is None else number(entry.pop("step", None))
            if entry is None or step is None:
                continue
            if self._firsts[n] is None:
                self._firsts[n] = step
                if not self._settle():
                    return False
            self.lines += 1
            if step >= until:
                self.superseded += 1
                continue
            t = number(entry.pop("t", None)) or 0.0
            if step > highest:
                highest = step
                self.steps.add(t, step)
            add(step, t, entry)
        self._highest[n] = highest
        return True

    def _add(self, step: float, t: float, entry: dict[str, Any]) -> None:
        """The values of a line that holds."""
        curves = self.curves
        for name, raw in entry.items():
            value = raw if type(raw) is float else number(raw)
            if value is None:
                continue
            curve = curves.get(name)
            if curve is None:
                if len(curves) >= MAX_CURVES:
                    continue
                curve = curves[name] = Curve(name)
            curve.add(step, t, value)
