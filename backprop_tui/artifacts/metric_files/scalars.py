"""What an event of TensorBoard says: the scalars in it, as PyTorch, TensorFlow 1 and TensorFlow 2 write them."""

from __future__ import annotations

import struct

from backprop_tui.artifacts.metric_files.wire import BYTES, FIXED32, FIXED64, VARINT, Malformed, fields, signed, varint
from backprop_tui.frozen import Frozen

VERSION = b"brain.Event:"
"""Begins what the first event of every file says."""
MAX_VALUES = 1024
"""Scalars of one event that are read."""
_HALF, _FLOAT, _DOUBLE, _INT32, _INT64 = 19, 1, 2, 3, 9
_FORMATS = {_FLOAT: "<f", _DOUBLE: "<d", _INT32: "<i", _INT64: "<q", _HALF: "<e"}
_LISTS = {5: "<f", 6: "<d"}
"""Fields of a tensor that list floats and doubles."""
_WHOLE_LISTS = frozenset({7, 10})


class Event(Frozen):
    """One event."""

    t: float
    """When it was written, epoch seconds; 0 where it does not say."""
    step: int
    scalars: tuple[tuple[str, float], ...]
    """Tag and value, in their order."""
    version: bytes = b""


def event_of(data: bytes) -> Event:
    """The event in a record.

    Raises:
        Malformed: there is none.
    """
    t, step, version = 0.0, 0, b""
    scalars: list[tuple[str, float]] = []
    for number, kind, value in fields(data):
        if number == 1 and kind == FIXED64 and isinstance(value, bytes):
            t = struct.unpack("<d", value)[0]
        elif number == 2 and kind == VARINT and isinstance(value, int):
            step = signed(value)
        elif number == 3 and isinstance(value, bytes):
            version = value[:64]
        elif number == 5 and isinstance(value, bytes):
            scalars += _summary(value)
    return Event(t=t, step=step, scalars=tuple(scalars), version=version)


def _summary(data: bytes) -> list[tuple[str, float]]:
    found: list[tuple[str, float]] = []
    for number, kind, value in fields(data):
        if number == 1 and kind == BYTES and isinstance(value, bytes) and len(found) < MAX_VALUES:
            scalar = _scalar(value)
            if scalar is not None:
                found.append(scalar)
    return found


def _scalar(data: bytes) -> tuple[str, float] | None:
    """Tag and value of one entry of a summary; None for images, histograms, texts."""
    tag, found = b"", None
    for number, kind, value in fields(data):
        if not isinstance(value, bytes):
            continue
        if number == 1:
            tag = value
        elif number == 2 and kind == FIXED32:
            found = _single(value)
        elif number == 8 and kind == BYTES:
            found = _tensor(value)
    if found is None or not tag:
        return None
    return tag.decode("utf-8", "replace"), found


def _single(data: bytes) -> float:
    """A number of single precision without the digits that it does not have."""
    return float(f"{struct.unpack('<f', data)[0]:.7g}")


def _tensor(data: bytes) -> float | None:
    """The value of a tensor without dimensions; None for any other."""
    dtype, content, listed = 0, b"", None
    for number, kind, value in fields(data):
        if number == 1 and isinstance(value, int):
            dtype = value
        elif number == 2 and isinstance(value, bytes):
            if any(inner == 2 for inner, _kind, _value in fields(value)):
                return None  # it has dimensions
        elif number == 4 and isinstance(value, bytes):
            content = value
        elif number in _LISTS and isinstance(value, bytes):
            listed = _only(value, _LISTS[number])
        elif number in _WHOLE_LISTS:
            listed = _whole(value, kind)
    form = _FORMATS.get(dtype)
    if form is None:
        return None
    return _only(content, form) if content else listed


def _only(data: bytes, form: str) -> float | None:
    """The one number in these bytes; None where there are none or several."""
    if len(data) != struct.calcsize(form):
        return None
    return _single(data) if form == "<f" else float(struct.unpack(form, data)[0])


def _whole(value: int | bytes, kind: int) -> float | None:
    if kind == VARINT and isinstance(value, int):
        return float(signed(value))
    if isinstance(value, bytes):
        number, end = varint(value, 0)
        return float(signed(number)) if end == len(value) else None
    raise Malformed
