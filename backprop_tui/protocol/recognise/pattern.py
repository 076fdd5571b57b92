"""The person's own pattern: named groups are metrics; `step`, `epoch` and `total` are counters."""

from __future__ import annotations

import math
import re

from backprop_tui.protocol.fields import MAX_STEP, MAX_VALUES, name_of
from backprop_tui.protocol.recognise.report import Counters, Report

_COUNTERS = frozenset(["step", "epoch", "total"])
MAX_LINE = 1000
"""Longer lines are cut before they are matched."""


def compiled(pattern: str) -> re.Pattern[str] | None:
    """The pattern ready for use; None if it is none."""
    try:
        return re.compile(pattern)
    except (re.error, RecursionError, OverflowError):
        return None


def read_pattern(pattern: re.Pattern[str], line: str) -> Report | None:
    """What the pattern finds on the line; None if it does not match.

    Changes nothing: whoever runs out of patience may interrupt it by an exception.
    """
    found = pattern.search(line[:MAX_LINE])
    if found is None:
        return None
    counters = Counters()
    values: dict[str, float] = {}
    for name, text in found.groupdict().items():
        number = _number(text)
        if number is None:
            continue
        if name in _COUNTERS:
            if math.isfinite(number) and 0 <= number <= MAX_STEP:
                _count(counters, name, number)
        elif len(values) < MAX_VALUES:
            values[name_of(name)] = number
    return Report("pattern", values, counters)


def _count(counters: Counters, name: str, number: float) -> None:
    if name == "step":
        counters.step = number
    elif name == "epoch":
        counters.epoch = int(number) if number == int(number) else number
    else:
        counters.steps = int(number)


def _number(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        number = float(text.strip().rstrip("%").replace(",", ""))
    except ValueError:
        return None
    return int(number) if abs(number) <= MAX_STEP and number == int(number) else number
