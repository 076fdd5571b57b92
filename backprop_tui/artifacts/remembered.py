"""What is remembered of a folder between two looks at it. Pure."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_OLD = 256
"""Files of one folder that may be written over in place; where there are more, it is a data set."""
MAX_FRESH = 1024
_NEWEST = 32
_ROTATED = 64


class Folder:
    """A folder that is looked at again and again."""

    __slots__ = ("_fresh", "_old", "depth", "entries", "is_listed", "is_news", "is_watched", "mtime_ns", "path", "turn")

    def __init__(self, path: str, depth: int, *, is_news: bool = False, is_watched: bool = False) -> None:
        self.path = path
        self.depth = depth
        """How many levels below it are walked."""
        self.is_news = is_news
        """It was made while its place was already known."""
        self.is_watched = is_watched
        """It is, or is in, a checkpoint that a person asked to watch: every file of it matters."""
        self.is_listed = False
        self.entries = 0
        """How many it held when it was listed."""
        self.mtime_ns = -1
        """As of the newest listing that no change can have escaped."""
        self.turn = 0
        """The look in which it was visited last."""
        self._old: dict[str, tuple[int, int]] = {}
        """Size and mtime in ns of the files that matter and did not change in this slice."""
        self._fresh: dict[str, tuple[int, int]] = {}
        """And of those that did, the newest last."""

    @property
    def is_crowded(self) -> bool:
        """So many files that matter lie in it that it is a data set."""
        return len(self._old) > MAX_OLD

    def give_up(self) -> None:
        """Remember nothing of it: it is not looked into."""
        self._old, self._fresh = {}, {}

    def note(self, name: str, stamp: tuple[int, int], since_ns: int) -> bool:
        """Remember a file's size and mtime in ns; True if it has changed since the slice began, or since then."""
        known = self._fresh.get(name) or self._old.get(name)
        if known == stamp:
            return False
        was_not_there = self.is_listed and not self.is_crowded
        if known is None and stamp[1] < since_ns and not was_not_there:
            if not self.is_crowded:
                self._old[name] = stamp
            return False
        self.forget(name)
        self._fresh[name] = stamp
        if len(self._fresh) > MAX_FRESH:
            del self._fresh[next(iter(self._fresh))]
        return True

    def forget(self, name: str) -> None:
        """The file has gone."""
        self._fresh.pop(name, None)
        if not self.is_crowded:
            self._old.pop(name, None)

    def due(self) -> Iterator[str]:
        """The files to ask for this time: the newest, and the others in turn."""
        fresh = list(reversed(self._fresh))
        rest = [*fresh[_NEWEST:], *(() if self.is_crowded else self._old)]
        if len(rest) > _ROTATED:
            start = self.turn * _ROTATED % len(rest)
            rest = (rest + rest)[start : start + _ROTATED]
        yield from fresh[:_NEWEST]
        yield from rest
