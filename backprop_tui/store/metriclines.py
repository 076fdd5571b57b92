"""Reads metrics.jsonl, as a whole or the part that is wanted: it may be of any length, and its lines of any content."""

from __future__ import annotations

import math
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_CLOSE = 4096
"""A place that is looked for is found when no more bytes than this are left."""
_NOT_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def decoded(line: bytes) -> dict[str, Any] | None:
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


def number(value: object) -> float | None:
    """A value as it is kept; None for what is no number."""
    if isinstance(value, str):
        return _NOT_FINITE.get(value)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            return None
    return None


def points(data: bytes, name: str) -> Iterator[tuple[float, float]]:
    """Step and value of one metric in whole lines, in their order."""
    quoted = b'"' + name.encode() + b'"' if name.isascii() and name.isprintable() and not {'"', "\\"} & {*name} else b""
    for line in data.splitlines():
        if quoted not in line:
            continue
        entry = decoded(line)
        if entry is None:
            continue
        step, value = number(entry.get("step")), number(entry.get(name))
        if step is not None and value is not None:
            yield step, value


class MetricFile:
    """A metrics.jsonl that is read here and there.

    Raises:
        OSError: it cannot be opened or read.
    """

    def __init__(self, path: str) -> None:
        self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)

    def __enter__(self) -> MetricFile:
        return self

    def __exit__(self, *_error: object) -> None:
        os.close(self._fd)

    def read(self, start: int, end: int) -> bytes:
        """What lies between two offsets, from the first whole line on to the last one."""
        start = max(0, start)
        data = os.pread(self._fd, max(0, end - start), start)
        if start and os.pread(self._fd, 1, start - 1) != b"\n":
            data = data[data.find(b"\n") + 1 :]
        return data[: data.rfind(b"\n") + 1]

    @property
    def size(self) -> int:
        return os.fstat(self._fd).st_size

    def find(self, start: int, end: int, step: float) -> int:
        """About where the lines of one slice, between these offsets, get to a step: shortly before it."""
        while end - start > _CLOSE:
            middle = (start + end) // 2
            there = self.read(middle, min(end, middle + _CLOSE)).splitlines()
            found = next((at for line in there if (at := _step(line)) is not None), None)
            if found is not None and found < step:
                start = middle
            else:
                end = middle
        return start


def _step(line: bytes) -> float | None:
    entry = decoded(line)
    return None if entry is None else number(entry.get("step"))
