"""Bytes of a log, as they come, to lines."""

from __future__ import annotations

import re

MAX_LINE = 65536

_BREAKS = re.compile(rb"[\r\n\x08]+")


class LineSplitter:
    """Cuts a stream into lines at newlines, carriage returns and backspaces (which bars redraw with).

    Memory is bounded: of a line longer than `max_line` bytes the rest is dropped.
    """

    def __init__(self, max_line: int = MAX_LINE) -> None:
        self._max = max_line
        self._open = b""
        self._is_dropping = False
        self.truncated = 0
        """How many lines were cut."""

    def feed(self, data: bytes) -> list[str]:
        """The lines that `data` completes; empty ones are left out, wrong UTF-8 is replaced."""
        if b"\r" in data or b"\x08" in data:
            pieces = _BREAKS.split(data)
        else:
            pieces = data.split(b"\n")
        rest = pieces.pop()
        if not pieces:
            self._keep(rest)
            return []
        if self._open or self._is_dropping:
            self._keep(pieces[0])
            pieces[0] = self._open
            self._open, self._is_dropping = b"", False
        lines = self._decode(pieces)
        self._keep(rest)
        return lines

    @property
    def pending(self) -> int:
        """Bytes of the line that is not complete yet."""
        return len(self._open)

    def flush(self) -> list[str]:
        """What is left at the end of the stream."""
        rest, self._open = self._open, b""
        self._is_dropping = False
        return self._decode([rest])

    def _keep(self, piece: bytes) -> None:
        room = self._max - len(self._open)
        if len(piece) > room and not self._is_dropping:
            self._is_dropping = True
            self.truncated += 1
        self._open += piece[:room]

    def _decode(self, pieces: list[bytes]) -> list[str]:
        if max(map(len, pieces)) > self._max:
            self.truncated += sum(len(piece) > self._max for piece in pieces)
            pieces = [piece[: self._max] for piece in pieces]
        text = b"\n".join(pieces).decode("utf-8", "replace")
        return [line for line in text.split("\n") if line]
