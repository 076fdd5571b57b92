"""What lines of output mean: metrics, checkpoints and events that a script prints as JSON."""

from __future__ import annotations

import json
import re

from backprop_tui.model.events import CheckpointReport, Metric, ScriptEvent
from backprop_tui.protocol.text import clean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Event = Metric | CheckpointReport | ScriptEvent

BATCH = 512
MAX_METRICS = 64
MAX_NAME = 64
MAX_STEP = 10**15
MAX_RAW = 1000
MAX_PATH = 4096
MAX_FIELD = 8192
MAX_TRIES = 8
"""How many places in a line are tried as the beginning of a JSON object."""

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_NUMBERS = frozenset({int, float})


def parse(lines: list[str]) -> list[Event]:
    """The events in lines of output, in order; everything else is plain output and yields nothing."""
    found: list[Event] = []
    batch: list[str] = []
    for line in lines:
        if line[0] == "{" and line[-1] == "}":
            batch.append(line)
            if len(batch) == BATCH:
                found += _parse_batch(batch)
                batch = []
        elif "{" in line and line.rstrip(" \t\x1b[0m").endswith("}"):
            found += _parse_batch(batch)
            batch = []
            found += _parse_glued(line)
    found += _parse_batch(batch)
    return found


def _parse_batch(batch: list[str]) -> list[Event]:
    """Many lines by one call of the JSON parser: it is what makes a flood of metrics cheap."""
    if not batch:
        return []
    objects: list[Any] | None
    try:
        objects = json.loads(f"[{','.join(batch)}]")
    except (ValueError, RecursionError):
        objects = None
    if objects is None or len(objects) != len(batch):
        objects = [_load(line) for line in batch]
    return [event for value, line in zip(objects, batch, strict=True) if (event := _event(value, line))]


def _load(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _parse_glued(line: str) -> list[Event]:
    """JSON at the end of a line that begins otherwise: a progress bar's, or a log prefix."""
    text = _COLOUR.sub("", line).rstrip()
    start = -1
    for _ in range(MAX_TRIES):
        start = text.find('{"', start + 1)
        if start < 0:
            break
        value = _load(text[start:])
        if isinstance(value, dict):
            event = _event(value, None)
            return [event] if event else []
    return []


def _event(value: Any, line: str | None) -> Event | None:
    if type(value) is not dict:
        return None
    if "event" in value:
        return _named_event(value)
    step = value.get("step")
    if type(step) is not int and type(step) is not float:
        return None
    return _metric(value, step, line)


def _metric(value: dict[str, Any], step: int | float, line: str | None) -> Metric | None:
    if not -MAX_STEP <= step <= MAX_STEP:  # also false for NaN
        return None
    del value["step"]
    is_plain = line is not None and len(line) <= MAX_RAW and 0 < len(value) <= MAX_METRICS
    for name, number in value.items():
        if type(number) is float:
            # NaN and the infinities are not equal to themselves less themselves.
            if number - number != 0.0 or len(name) > MAX_NAME:
                is_plain = False
        elif type(number) is not int or not -(2**53) < number < 2**53 or len(name) > MAX_NAME:
            is_plain = False
    if line is not None and is_plain and line.isascii() and "\\" not in line and "t" not in value and "" not in value:
        if type(step) is float and step.is_integer():
            step = int(step)
        return Metric(step, value, line)
    values = _numbers_of(value)
    if not values:
        return None
    if type(step) is float and step.is_integer():
        step = int(step)
    return Metric(step, values)


def _numbers_of(value: dict[str, Any]) -> dict[str, float]:
    values: dict[str, float] = {}
    for name, number in value.items():
        if type(number) not in _NUMBERS:
            continue
        try:
            number = float(number) if abs(number) >= 2**53 else number
        except OverflowError:
            continue
        cleaned = clean(name, MAX_NAME)
        if cleaned and len(values) < MAX_METRICS:
            values[cleaned] = number
    return values


def _named_event(value: dict[str, Any]) -> CheckpointReport | ScriptEvent | None:
    name = value.pop("event")
    if not isinstance(name, str) or not name:
        return None
    if name == "checkpoint_saved":
        path, step = value.get("path"), value.get("step")
        if isinstance(path, str) and 0 < len(path) < MAX_PATH and "\0" not in path:
            return CheckpointReport(path=path, step=_whole_step(step))
        return None
    fields = {}
    for key, item in list(value.items())[:MAX_METRICS]:
        if isinstance(item, str):
            fields[clean(key, MAX_NAME)] = clean(item)
        elif not isinstance(item, (dict, list)) or len(json.dumps(item)) <= MAX_FIELD:
            fields[clean(key, MAX_NAME)] = item
    return ScriptEvent(name=clean(name, MAX_NAME), fields=fields)


def _whole_step(step: Any) -> int | None:
    if (type(step) is int or type(step) is float) and -MAX_STEP <= step <= MAX_STEP:
        return int(step)
    return None
