"""Cuts a stream of bytes into lines of text, in bounded memory."""

from __future__ import annotations


class LineSplitter:
    """Lines end at \\n, at \\r and at \\x08 (how bars are redrawn); empty ones are left out.

    The same lines come out however the stream is cut into chunks.
    """

    def __init__(self, max_line: int = 65536) -> None:
        self._max_line = max_line
        """Bytes of a line that are kept; the rest is dropped."""
        self._open = bytearray()
        """The first bytes of the line whose end has not come yet."""
        self._is_full = False
        self.truncated = 0
        """Lines that were cut."""

    def feed(self, data: bytes) -> list[str]:
        """The lines that end in this chunk."""
        if b"\r" in data or b"\x08" in data:
            data = data.replace(b"\r", b"\n").replace(b"\x08", b"\n")
        last = data.rfind(b"\n")
        if last < 0:
            self._keep(data)
            return []
        first = data.find(b"\n") if self._is_full else 0
        body = self._short(b"".join((self._open, data[first:last])))
        self._open, self._is_full = bytearray(), False
        self._keep(data[last + 1 :])
        return list(filter(None, body.decode("utf-8", "replace").split("\n")))

    @property
    def pending(self) -> int:
        """Bytes kept of the line whose end has not come yet."""
        return len(self._open)

    @property
    def open_line(self) -> str:
        """What came of the line whose end has not come yet."""
        return self._open.decode("utf-8", "replace")

    def flush(self) -> list[str]:
        """The last line, if it had no end."""
        line = self.open_line
        self._open, self._is_full = bytearray(), False
        return [line] if line else []

    def _keep(self, data: bytes) -> None:
        if self._is_full:
            return
        room = self._max_line - len(self._open)
        self._open += data[:room]
        if len(data) > room:
            self._is_full = True
            self.truncated += 1

    def _short(self, body: bytes) -> bytes:
        """The same lines with the over-long ones cut; looks at one byte in `max_line` or so."""
        parts: list[bytes] = []
        start = copied = 0
        while len(body) - start > self._max_line:
            end = body.rfind(b"\n", start, start + self._max_line + 1)
            if end < 0:
                parts.append(body[copied : start + self._max_line])
                self.truncated += 1
                end = body.find(b"\n", start + self._max_line)
                if end < 0:
                    return b"".join(parts)
                copied = end
            start = end + 1
        if not parts:
            return body
        parts.append(body[copied:])
        return b"".join(parts)
