"""Finds what a script reports as JSON on lines of its output: metrics, checkpoints, events."""

from __future__ import annotations

import json
import re

from backprop_tui.model.events import CheckpointReport, Metric
from backprop_tui.protocol.fields import (
    EXACT,
    MAX_NAME,
    MAX_STEP,
    MAX_VALUES,
    event_of,
    name_of,
    path_of,
    step_of,
    values_of,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeAlias

    from backprop_tui.model.events import Progress, ScriptEvent

    Found: TypeAlias = Metric | CheckpointReport | ScriptEvent | Progress

_BATCH = 512
_SMALL_BATCH = 32
_MAX_TRIES = 16
"""Places in one line at which JSON may begin."""
_MAX_RAW = 1000
_JSON_ERRORS = (ValueError, RecursionError)
_RESETS = r"(?:\x1b\[[0-9;]{0,8}[mK])+\Z"
_decode = json.JSONDecoder().raw_decode


def parse(lines: list[str], other: Callable[[str, list[Found]], None] | None = None) -> list[Found]:
    """What the lines report, in their order. Lines that report nothing yield nothing.

    Args:
        other: takes each line that cannot be a report, and adds what it finds there to the list.
    """
    found: list[Found] = []
    batch: list[str] = []
    for line in lines:
        is_report = '"step"' in line or '"event"' in line
        if is_report:
            text = line if line[0] == "{" and line[-1] == "}" else _trimmed(line)
            is_report = text[-1:] == "}"
        if not is_report:
            if other is not None and line:
                if batch:
                    _take(batch, found)
                    batch.clear()
                other(line, found)
            continue
        if text[0] == "{":
            batch.append(text)
            if len(batch) < _BATCH:
                continue
        _take(batch, found)
        batch.clear()
        if text[0] != "{":
            _take_alone(text, found)
    _take(batch, found)
    return found


def _trimmed(line: str) -> str:
    """The line without blanks around it and without colour resets at its end."""
    text = line.strip()
    if "\x1b" not in text:
        return text
    tail = text[-64:]
    resets = re.search(_RESETS, tail)
    return text[: len(text) - len(tail) + resets.start()].rstrip() if resets else text


def _take(batch: list[str], found: list[Found]) -> None:
    """Decode many lines at once; where one of them is no flat object, fewer at once, at last each alone."""
    objects = _decode_together(batch)
    if objects is not None:
        for line, one in zip(batch, objects, strict=True):
            _interpret(one, line, found)
    elif len(batch) > _SMALL_BATCH:
        for start in range(0, len(batch), _SMALL_BATCH):
            _take(batch[start : start + _SMALL_BATCH], found)
    else:
        for line in batch:
            _take_alone(line, found)


def _decode_together(batch: list[str]) -> list[dict[str, Any]] | None:
    """One object for each line, if each line is a flat object; lines begin and end with braces."""
    text = ",".join(batch)
    # With no other braces in the lines, as many values as lines can only be one object a line: where a
    # brace stands inside a string or a list, two lines became one, and nothing could make up for it.
    if not text.count("{") == text.count("}") == len(batch):
        return None
    try:
        objects: list[dict[str, Any]] = json.loads(f"[{text}]")
    except _JSON_ERRORS:
        return None
    return objects if len(objects) == len(batch) else None


def _take_alone(line: str, found: list[Found]) -> None:
    """The JSON objects that stand, side by side, at the line's end: two writers may share a line."""
    objects: list[tuple[dict[str, Any], str]] = []
    at, end = -1, 0
    for _ in range(_MAX_TRIES):
        at = line.find("{", max(at + 1, end))
        if at < 0:
            break
        gap = line[end:at]
        try:
            one, end = _decode(line, at)
        except _JSON_ERRORS:
            continue
        if gap.strip():
            objects.clear()
        objects.append((one, line[at:end]))
    if end == len(line):
        for one, text in objects:
            _interpret(one, text, found)


def _interpret(one: dict[str, Any], text: str, found: list[Found]) -> None:
    step = one.get("step")
    if type(step) is not int or "event" in one or not -MAX_STEP <= step <= MAX_STEP:
        found.extend(_interpret_rare(one))
        return
    del one["step"]
    if one and _is_plain(one, text):
        found.append(Metric(step, one, text))
    elif values := values_of(one):
        found.append(Metric(step, values))


def _is_plain(values: dict[str, Any], text: str) -> bool:
    """Whether the object may be copied as it stands: finite numbers under names that need no cleaning."""
    for name, value in values.items():
        if type(value) is float:
            if value - value != 0.0:  # NaN and the infinities
                return False
        elif type(value) is not int or not -EXACT <= value <= EXACT:
            return False
        if not 0 < len(name) <= MAX_NAME:
            return False
    return (
        len(text) <= _MAX_RAW
        and len(values) <= MAX_VALUES
        and "t" not in values
        and text.isascii()
        and text.isprintable()
        and "\\" not in text
        # Two quotes for each name and for "step": no name comes twice.
        and text.count('"') == 2 * len(values) + 2
    )


def _interpret_rare(one: dict[str, Any]) -> list[Found]:
    """What an object is that has an event or no whole number as its step."""
    event = one.get("event")
    step = step_of(one)
    if event == "checkpoint_saved" and (path := path_of(one)):
        return [CheckpointReport(path=path, step=step if type(step) is int else None)]
    if step is not None and (values := values_of(one)):
        return [Metric(step, values)]
    name = name_of(event) if isinstance(event, str) else ""
    return [event_of(name, one)] if name else []
