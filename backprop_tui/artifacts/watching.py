"""The patterns of paths at which a person says that checkpoints appear. Pure."""

from __future__ import annotations

import os
from fnmatch import fnmatchcase

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_WILD = frozenset("*?[")
_ANY = "**"


class Watch:
    """Glob patterns, relative to a working directory or absolute: * and ? within a name, ** across folders."""

    def __init__(self, patterns: Iterable[str], cwd: str) -> None:
        absolute = [os.path.normpath(os.path.join(cwd, os.path.expanduser(pattern))) for pattern in patterns]
        self._patterns = [pattern.strip("/").split("/") for pattern in absolute]
        self.bases = tuple(dict.fromkeys(map(_base, self._patterns)))
        """The folders beneath which all of them lie."""

    def matches(self, path: str, *, is_folder: bool = False) -> bool:
        """Whether a checkpoint is expected at this absolute path; a ** at the end means files only."""
        names = path.strip("/").split("/")
        return any(_matches(pattern, names) for pattern in self._patterns if not (is_folder and pattern[-1] == _ANY))


def _base(pattern: list[str]) -> str:
    """What stands before the first wildcard; of a plain path the folder around it."""
    wild = next((n for n, part in enumerate(pattern) if not _WILD.isdisjoint(part)), len(pattern) - 1)
    return "/" + "/".join(pattern[:wild])


def _matches(pattern: list[str], names: list[str]) -> bool:
    places = _past_any(pattern, {0})
    for name in names:
        # Where ** stands, it may take this name and stay.
        stayed = {at for at in places if at < len(pattern) and pattern[at] == _ANY}
        moved = {at + 1 for at in places - stayed if at < len(pattern) and fnmatchcase(name, pattern[at])}
        places = _past_any(pattern, stayed | moved)
        if not places:
            return False
    return len(pattern) in places


def _past_any(pattern: list[str], places: set[int]) -> set[int]:
    """These places in a pattern, and those behind each ** there, which may stand for nothing."""
    for at in tuple(places):
        while at < len(pattern) and pattern[at] == _ANY:
            at += 1
            places.add(at)
    return places
