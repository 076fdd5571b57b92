"""Patterns that are compiled when they are first used: a script's first line should not wait for all of them."""

from __future__ import annotations

import re
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, cast
else:

    def cast(_kind: object, value: object) -> object:
        return value


_GROUPS_GIVE_BACK = sys.version_info < (3, 11, 5)
"""Before that, a possessive group in which something can match in several ways misses what it should match
(python/cpython gh-106052)."""
_METHODS = ("match", "search", "finditer", "findall", "sub", "split")


class _Later:
    def __init__(self, source: str, flags: int) -> None:
        self._made_from = (source, flags)

    def __getattr__(self, name: str) -> Any:
        if name not in _METHODS:
            raise AttributeError(name)
        source, flags = self._made_from
        if _GROUPS_GIVE_BACK:
            source = re.sub(r"\)(\*|\?|\{\d+,\d*\})\+", r")\1", source)
        pattern = re.compile(source, flags)
        for method in _METHODS:
            setattr(self, method, getattr(pattern, method))
        return getattr(self, name)


def later(source: str, flags: int = 0) -> re.Pattern[str]:
    """The pattern, with the methods that match; what is wrong with it shows at its first use."""
    return cast("re.Pattern[str]", _Later(source, flags))
