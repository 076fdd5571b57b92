"""A run's metrics as curves: any number of points in bounded memory, read as the file grows."""

from __future__ import annotations

import math
import os
from array import array

from backprop_tui.frozen import Frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

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
    """One metric: buckets in the order of printing, each of `size` points (the last one perhaps of fewer)."""

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
        self.first_bad_step: float | None = None
        """Where the value was not finite for the first time."""
        self._in_last = 0
        self._finite_in_last = 0

    def __len__(self) -> int:
        return len(self.steps)

    def add(self, step: float, t: float, value: float) -> None:
        """One more point."""
        self.points += 1
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
    """Follows a run's metrics.jsonl. `read` costs only what is new."""

    def __init__(self, home: Home, run_id: str) -> None:
        self._path = home.folder(run_id).file("metrics.jsonl")
        self._at = 0
        self._inode = 0
        self.curves: dict[str, Curve] = {}
        """By name, in the order of first appearance, `loss` first."""
        self.lines = 0

    def read(self, limit: int = BLOCK) -> bool:
        """Take up at most so many bytes more; True if there may be more still."""
        try:
            fd = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            info = os.fstat(fd)
            if info.st_ino != self._inode or info.st_size < self._at:  # another file by now
                self._inode, self._at, self.lines = info.st_ino, 0, 0
                self.curves.clear()
            data = os.pread(fd, limit, self._at)
        finally:
            os.close(fd)
        whole = data.rfind(b"\n") + 1
        if not whole:
            # A line of a record is never as long as a block: what is longer is damaged and passed over.
            self._at += len(data) if len(data) == limit else 0
            return len(data) == limit
        self._at += whole
        for line in data[:whole].splitlines():
            self._take(line)
        return len(data) == limit

    def _take(self, line: bytes) -> None:
        entry = _decoded(line)
        if entry is None:
            return
        step, t = _number(entry.get("step")), _number(entry.get("t"))
        if step is None:
            return
        self.lines += 1
        for name, raw in entry.items():
            if name in ("step", "t"):
                continue
            value = _number(raw)
            if value is None:
                continue
            curve = self.curves.get(name)
            if curve is None:
                if len(self.curves) >= MAX_CURVES:
                    continue
                curve = self._begin(name)
            curve.add(step, t or 0.0, value)

    def _begin(self, name: str) -> Curve:
        curve = Curve(name)
        if name == "loss":
            self.curves = {name: curve, **self.curves}
        else:
            self.curves[name] = curve
        return curve


_NOT_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def _number(value: object) -> float | None:
    if isinstance(value, str):
        return _NOT_FINITE.get(value)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            return None
    return None


def _decoded(line: bytes) -> dict[str, Any] | None:
    """An entry; what no parser reads says nothing. A line passed on as printed may hold NaN as it stands."""
    import orjson

    try:
        entry = orjson.loads(line)
    except orjson.JSONDecodeError:
        import json

        try:
            entry = json.loads(line)
        except (ValueError, RecursionError):
            return None
    return entry if isinstance(entry, dict) else None
