"""Bounds on what one JSON object of a script may bring into a record."""

from __future__ import annotations

import json
import math

from backprop_tui.model.events import ScriptEvent
from backprop_tui.protocol.text import clean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MAX_STEP = 10**15
MAX_NAME = 64
MAX_VALUES = 64
EXACT = 2**53
"""Whole numbers up to here mean the same to every reader of JSON."""

_MAX_PATH = 4096
_MAX_TEXT = 4000
_MAX_NESTED_BYTES = 8192
_MAX_DEPTH = 8


def step_of(one: dict[str, Any]) -> int | float | None:
    """The object's step, as int where it is a whole number; None if it has no usable one."""
    step = one.get("step")
    if type(step) is float and math.isfinite(step):
        step = int(step) if step.is_integer() else step
    elif type(step) is not int:
        return None
    return step if -MAX_STEP <= step <= MAX_STEP else None


def values_of(one: dict[str, Any]) -> dict[str, float]:
    """Its numbers by cleaned name, but for the step; NaN and the infinities are numbers."""
    values: dict[str, float] = {}
    for name, value in one.items():
        if name == "step" or (type(value) is not float and type(value) is not int):
            continue
        number = _bounded_number(value)
        shown = name_of(name)
        if number is not None and shown and shown != "step":
            values[shown] = number
            if len(values) == MAX_VALUES:
                break
    return values


def path_of(one: dict[str, Any]) -> str | None:
    """Its path, as printed; None if it cannot be a path."""
    path = one.get("path")
    if not isinstance(path, str) or not 0 < len(path) < _MAX_PATH or "\0" in path:
        return None
    try:
        path.encode("utf-8", "surrogateescape")  # as the system will want it
    except UnicodeEncodeError:
        return None
    return path


def name_of(text: str) -> str:
    """A name fit to be shown and stored."""
    return clean(text, MAX_NAME).strip()


def event_of(name: str, one: dict[str, Any]) -> ScriptEvent:
    """The event with those of its fields that are of a reasonable size."""
    fields: dict[str, Any] = {}
    for key, value in one.items():
        shown = name_of(key)
        if key == "event" or not shown:
            continue
        try:
            fields[shown] = _bounded(value, _MAX_DEPTH)
            if isinstance(value, (dict, list)) and len(json.dumps(fields[shown])) > _MAX_NESTED_BYTES:
                del fields[shown]
        except ValueError:
            continue
        if len(fields) == MAX_VALUES:
            break
    return ScriptEvent(name=name, fields=fields)


def _bounded(value: Any, depth: int) -> Any:
    """The value with its texts cleaned.

    Raises:
        ValueError: it is nested too deeply, or a number in it is too large.
    """
    if isinstance(value, str):
        return clean(value, _MAX_TEXT)
    if type(value) is int:
        number = _bounded_number(value)
        if number is None:
            raise ValueError("too large")
        return number
    if isinstance(value, (dict, list)):
        if depth == 0:
            raise ValueError("nested too deeply")
        if isinstance(value, dict):
            return {name_of(key): _bounded(item, depth - 1) for key, item in value.items()}
        return [_bounded(item, depth - 1) for item in value]
    return value


def _bounded_number(value: int | float) -> int | float | None:
    """A number that every reader can hold; None if it is too large even for a float."""
    if type(value) is int and not -EXACT <= value <= EXACT:
        try:
            return float(value)
        except OverflowError:
            return None
    return value
