"""A run's whole output by line numbers: any length, a few bytes of memory for each megabyte."""

from __future__ import annotations

import os
import re
from bisect import bisect_right

from backprop_tui.errors import StoreError
from backprop_tui.protocol.text import clean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.model.run import Gap
    from backprop_tui.store.home import Home

BLOCK = 256 * 1024
MAX_LINE = 4000
"""Bytes of a line that are shown; of one that a progress bar drew, what it shows last."""
AROUND, MOST_PROBLEMS, MOST_LOOKED = 2, 20_000, 1 << 28
_TROUBLE = re.compile(rb"error|warning|traceback|exception", re.IGNORECASE)
SPAN = 1 << 20
"""A line that is longer than this is shown in part."""


class LogLines:
    """Lines are numbered from 0. For one thread."""

    def __init__(self, home: Home, run_id: str) -> None:
        folder = home.folder(run_id)
        self._folder = folder
        self._path = folder.file("output.log")
        self._fd = -1
        self._starts: list[int] = []
        """Where each block begins."""
        self._before: list[int] = []
        """How many line ends lie before it."""
        self.count = 0
        """Line ends so far."""
        self.size = 0
        """Bytes so far."""
        self._is_open_ended = False

    def scan(self) -> bool:
        """Take up the next block; True if there may be more."""
        if self._fd < 0 and not self._open():
            return False
        gap = self._gap()
        at, limit = gap.around(self.size, BLOCK) if gap else (self.size, BLOCK)
        data = os.pread(self._fd, limit, at)
        if not data:
            return False
        # Blocks that are not full are grown in place: else every new line would make one.
        if not self._starts or at != self.size or at - self._starts[-1] >= BLOCK:
            self._starts.append(at)
            self._before.append(self.count)
        self.count += data.count(b"\n")
        self.size = at + len(data)
        self._is_open_ended = not data.endswith(b"\n")
        return len(data) == limit

    @property
    def total(self) -> int:
        """All lines, one that is not complete yet among them."""
        return self.count + self._is_open_ended

    def lines(self, first: int, count: int) -> list[str]:
        """Some lines, fit to be shown."""
        if self._fd < 0 or count <= 0 or first >= self.total:
            return []
        first = max(0, first)
        at, skip = self._place(first)
        data = b""
        most = 2 * BLOCK + SPAN + count * MAX_LINE
        while data.count(b"\n") < skip + count and at + len(data) < self.size and len(data) < most:
            part = os.pread(self._fd, BLOCK, at + len(data))
            if not part:
                break
            data += part
        found = data.split(b"\n")[skip : skip + min(count, self.total - first)]
        return [_shown(line) for line in found]

    def find(self, words: str, start: int, *, is_up: bool) -> int | None:
        """The next line from `start` on (it included) that holds these words, whatever their case; None if none."""
        needle = words.lower().encode("utf-8", "replace")
        if not needle or not self._starts:
            return None
        block = max(0, bisect_right(self._before, start) - 1)
        order = range(block, -1, -1) if is_up else range(block, len(self._starts))
        for n in order:
            end = self._starts[n + 1] if n + 1 < len(self._starts) else self.size
            data = os.pread(self._fd, min(end - self._starts[n], 4 * BLOCK) + len(needle), self._starts[n]).lower()
            hits = self._hits(data, needle, self._before[n])
            if is_up:
                hits = [hit for hit in hits if hit <= start]
                if hits:
                    return hits[-1]
            elif (hit := next((hit for hit in hits if hit >= start), None)) is not None:
                return hit
        return None

    def problems(self) -> list[int]:
        """Lines that speak of an error or a warning, and two around each; the newest, in order."""
        found: set[int] = set()
        looked = 0
        for n in range(len(self._starts) - 1, -1, -1):
            end = self._starts[n + 1] if n + 1 < len(self._starts) else self.size
            data = os.pread(self._fd, min(end - self._starts[n], 4 * BLOCK), self._starts[n])
            line, last = self._before[n], 0
            for match in _TROUBLE.finditer(data):
                line += data.count(b"\n", last, match.start())
                last = match.start()
                found.update(range(max(0, line - AROUND), line + AROUND + 1))
            looked += len(data)
            if len(found) > MOST_PROBLEMS or looked > MOST_LOOKED:
                break
        return sorted(line for line in found if line < self.total)[-MOST_PROBLEMS:]

    def close(self) -> None:
        """Let go of the file."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _hits(self, data: bytes, needle: bytes, before: int) -> list[int]:
        hits: list[int] = []
        line, last, at = before, 0, data.find(needle)
        while at >= 0:
            line += data.count(b"\n", last, at)
            last = at
            if not hits or hits[-1] != line:
                hits.append(line)
            at = data.find(needle, at + 1)
        return hits

    def _place(self, line: int) -> tuple[int, int]:
        """Where to begin reading for a line, and how many line ends to skip from there."""
        n = max(0, bisect_right(self._before, line - 1) - 1) if line else 0
        while n > 0 and self._before[n] >= line:
            n -= 1  # its line began in the block before
        return self._starts[n], line - self._before[n]

    def _open(self) -> bool:
        try:
            self._fd = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return False
        return True

    def _gap(self) -> Gap | None:
        try:
            return self._folder.read_run().log_gap
        except StoreError:
            return None


def _shown(line: bytes) -> str:
    line = line.rstrip(b"\r")
    part = line[-MAX_LINE:] if b"\r" in line else line[:MAX_LINE]
    return clean(part.decode("utf-8", "replace"), MAX_LINE)
