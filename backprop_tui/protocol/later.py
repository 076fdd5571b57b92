"""Patterns that are compiled when they are first used: a script's first line should not wait for all of them."""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, cast
else:

    def cast(_kind: object, value: object) -> object:
        return value


_METHODS = ("match", "search", "finditer", "findall", "sub", "split")


class _Later:
    def __init__(self, source: str, flags: int) -> None:
        self._made_from = (source, flags)

    def __getattr__(self, name: str) -> Any:
        if name not in _METHODS:
            raise AttributeError(name)
        pattern = re.compile(*self._made_from)
        for method in _METHODS:
            setattr(self, method, getattr(pattern, method))
        return getattr(self, name)


def later(source: str, flags: int = 0) -> re.Pattern[str]:
    """The pattern, with the methods that match; what is wrong with it shows at its first use."""
    return cast("re.Pattern[str]", _Later(source, flags))
