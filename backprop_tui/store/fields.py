"""Reads one field of a record, checked."""

from __future__ import annotations

import math

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    T = TypeVar("T")

_NOT_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


class BadField(Exception):
    """A field that is not what it should be."""


_MISSING = object()


def field(record: dict[str, Any], key: str, kinds: tuple[type, ...], default: Any = _MISSING) -> Any:
    value = record.get(key, _MISSING)
    if value is _MISSING or (value is None and default is not _MISSING):
        if default is _MISSING:
            raise BadField(f"{key} is missing")
        return default
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        raise BadField(f"{key} is {value!r:.60}, not {' or '.join(kind.__name__ for kind in kinds)}")
    return value


def text(record: dict[str, Any], key: str, default: Any = _MISSING) -> Any:
    return field(record, key, (str,), default)


def whole(record: dict[str, Any], key: str, default: Any = _MISSING) -> Any:
    return field(record, key, (int,), default)


def number(record: dict[str, Any], key: str, default: Any = _MISSING) -> Any:
    value = field(record, key, (int, float, str), default)
    if isinstance(value, str):
        if value not in _NOT_FINITE:
            raise BadField(f"{key} is {value!r:.60}, not a number")
        return _NOT_FINITE[value]
    if isinstance(value, int):
        try:
            return float(value)
        except OverflowError:
            raise BadField(f"{key} is too large")
    return value


def flag(record: dict[str, Any], key: str, default: Any) -> Any:
    return field(record, key, (bool,), default)


def texts(record: dict[str, Any], key: str) -> tuple[str, ...]:
    values = field(record, key, (list,), [])
    if not all(isinstance(value, str) for value in values):
        raise BadField(f"{key} holds something other than text")
    return tuple(values)


def texts_by_name(record: dict[str, Any], key: str) -> dict[str, str]:
    values = field(record, key, (dict,), {})
    if not all(isinstance(value, str) for value in values.values()):
        raise BadField(f"{key} holds something other than text")
    return dict(values)


def maybe(record: dict[str, Any], key: str, decode: Callable[[dict[str, Any]], T]) -> T | None:
    value = field(record, key, (dict,), None)
    return None if value is None else decode(value)


def each(record: dict[str, Any], key: str, decode: Callable[[dict[str, Any]], T]) -> tuple[T, ...]:
    values = field(record, key, (list,), [])
    if not all(isinstance(value, dict) for value in values):
        raise BadField(f"{key} holds something other than objects")
    return tuple(decode(value) for value in values)
