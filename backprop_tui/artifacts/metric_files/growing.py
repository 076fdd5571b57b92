"""Whole lines of a text file that its writer adds to, and now and then writes anew."""

from __future__ import annotations

import os

from backprop_tui.artifacts.content import open_file
from backprop_tui.artifacts.metric_files.budget import CHUNK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.artifacts.metric_files.budget import Budget

_EDGE = 256
"""Bytes at the beginning and before the place that was read up to, by which a file that was written anew is known."""


class GrowingLines:
    """Reads on where it stopped; a line without its end waits."""

    def __init__(self, path: str) -> None:
        self._path = path
        self.at = 0
        """How far it was read: the end of a line."""
        self._head = self._tail = b""
        self.is_anew = False
        """The last read began at the beginning: at first, and when the file was written anew."""
        self.has_more = False
        """There was no time for the rest of it."""

    def read(self, budget: Budget) -> list[tuple[int, str]]:
        """The next lines, each with the offset of its end.

        Raises:
            OSError: it cannot be read.
        """
        with open_file(self._path) as file:
            size = os.fstat(file.fileno()).st_size
            self.is_anew = self.at == 0 or size < self.at
            if not self.is_anew:
                begun = file.read(len(self._head))
                file.seek(self.at - len(self._tail))
                self.is_anew = begun != self._head or file.read(len(self._tail)) != self._tail
            if self.is_anew:
                self.at, self._head, self._tail = 0, b"", b""
                file.seek(0)
            data = file.read(CHUNK)
        budget.spend(len(data))
        whole = data[: data.rfind(b"\n") + 1]
        self.has_more = bool(whole) and self.at + len(data) < size
        return self._lines(whole)

    def _lines(self, whole: bytes) -> list[tuple[int, str]]:
        found = []
        for line in (line + b"\n" for line in whole.split(b"\n")[:-1]):
            self.at += len(line)
            found.append((self.at, line.decode("utf-8", "replace").strip()))
        self._head = (self._head + whole)[:_EDGE]
        self._tail = (self._tail + whole)[-_EDGE:]
        return found
