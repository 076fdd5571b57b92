"""Reads which tensors a PyTorch pickle names, without unpickling anything."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_MAX_OPERATIONS = 1_000_000
_MAX_TEXT = 64
"""Characters of a text that can be a storage's key."""

_TEXTS = frozenset(("BINUNICODE", "SHORT_BINUNICODE", "UNICODE", "BINUNICODE8"))
_GETS = frozenset(("BINGET", "LONG_BINGET", "GET"))
_PUTS = frozenset(("BINPUT", "LONG_BINPUT", "PUT"))
_NO_VALUES = frozenset(("PROTO", "FRAME"))


def storage_keys(pickled: bytes) -> list[str]:
    """The keys of all storages that the pickle refers to: the third part of ("storage", type, key, …).

    Only the first million operations are looked at.

    Raises:
        ValueError: it is no whole pickle.
    """
    from pickletools import genops

    scan = _Scan()
    take = scan.take
    for count, (operation, argument, _) in enumerate(genops(pickled)):
        if count == _MAX_OPERATIONS:
            break
        take(operation.name, argument)
    return list(scan.keys)


class _Scan:
    """Follows the texts of a pickle just as far as the small tuples that name a storage need it."""

    def __init__(self) -> None:
        self.keys: dict[str, None] = {}
        self._memo: dict[int, str | None] = {}
        self._values: list[str | None] = []
        """What was put on the stack since the newest mark; None for all but short texts."""
        self._newest: str | None = None
        self._packed: list[str | None] = []
        """The content of the newest tuple."""

    def take(self, name: str, argument: Any) -> None:
        """Go one operation on."""
        if name in _PUTS:
            self._memo[argument] = self._newest
        elif name in _GETS:
            self._push(self._memo.get(argument))
        elif name in _TEXTS:
            self._push(argument if len(argument) <= _MAX_TEXT else None)
        elif name == "MARK":
            self._values = []
        elif name == "MEMOIZE":
            self._memo[len(self._memo)] = self._newest
        elif name == "TUPLE":
            self._packed, self._values, self._newest = self._values, [], None
        elif name not in _NO_VALUES:
            self._take_other(name)

    def _take_other(self, name: str) -> None:
        if name == "BINPERSID":
            id_ = self._packed
            if len(id_) >= 3 and id_[0] == "storage" and id_[2]:
                self.keys[id_[2]] = None
        elif name == "STACK_GLOBAL":
            del self._values[-2:]
        self._push(None)

    def _push(self, value: str | None) -> None:
        self._newest = value
        self._values.append(value)
