"""Frozen records that cost next to nothing to define.

`dataclasses` imports `inspect` and compiles every class: 8 ms and 0.5 ms a class, a third of the time that
`backprop run` may add to a short script. Type checkers see a `Frozen` subclass as a frozen, keyword-only
dataclass.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, ClassVar, Self, dataclass_transform
else:

    def dataclass_transform(**_options):  # noqa: ANN003, ANN201
        return lambda cls: cls


@dataclass_transform(frozen_default=True, kw_only_default=True)
class Frozen:
    """A value: keyword-only fields from the annotations, compared by value, never changed.

    Defaults must be immutable. Fields of base classes come first.
    """

    _fields: ClassVar[tuple[str, ...]] = ()
    _defaults: ClassVar[dict[str, Any]] = {}

    def __init_subclass__(cls) -> None:
        own = tuple(cls.__annotations__)
        cls._fields = tuple(dict.fromkeys((*cls._fields, *own)))
        cls._defaults = cls._defaults | {name: cls.__dict__[name] for name in own if name in cls.__dict__}

    if not TYPE_CHECKING:

        def __init__(self, **values) -> None:  # noqa: ANN003
            state = self.__dict__
            state.update(self._defaults)
            state.update(values)
            if len(state) != len(self._fields) or not values.keys() <= set(self._fields):
                missing = [name for name in self._fields if name not in state]
                unknown = [name for name in values if name not in self._fields]
                raise TypeError(f"{type(self).__name__}: missing {missing}, unknown {unknown}")

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__}.{name} is frozen")

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        return hash(tuple(self.__dict__[name] for name in self._fields))

    def __repr__(self) -> str:
        inside = ", ".join(f"{name}={self.__dict__[name]!r}" for name in self._fields)
        return f"{type(self).__name__}({inside})"

    def replace(self, **changes: Any) -> Self:
        """The same value with some fields changed.

        Raises:
            TypeError: a change names no field.
        """
        new = object.__new__(type(self))
        new.__dict__.update(self.__dict__)
        new.__dict__.update(changes)
        if len(new.__dict__) != len(self._fields):
            raise TypeError(f"{type(self).__name__} has no field among {sorted(changes)}")
        return new

    def plain(self) -> dict[str, Any]:
        """The value as plain dicts, lists, strings and numbers, ready for JSON."""
        return {name: _plain(self.__dict__[name]) for name in self._fields}


def _plain(value: Any) -> Any:
    if isinstance(value, Frozen):
        return value.plain()
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    return value
