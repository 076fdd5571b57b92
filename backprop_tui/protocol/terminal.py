"""A script's output on its way to a person's terminal: colours and redrawn bars stay, nothing else acts."""

from __future__ import annotations

import codecs
import re

_MAX_PENDING = 256

_PLAIN = re.compile(r"[^\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]+|\x08")
_COLOUR = re.compile(r"\x1b\[[0-9;:]*m")
_PARTIAL_CSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*)?\Z")
_CSI = re.compile(r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?")
_STRING = re.compile(r"\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f]")
_STRING_END = re.compile(r"\x07|\x1b\\|\x9c")
_OTHER_ESCAPE = re.compile(r"\x1b[ -/]*[0-~]?")


class TerminalCleaner:
    """A filter over a stream that may be cut anywhere; keeps a bounded state."""

    def __init__(self, *, colour: bool) -> None:
        self._colour = colour
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._pending = ""
        self._in_string = False

    def feed(self, data: bytes) -> bytes:
        """What may go to the terminal of the next bytes."""
        if not self._pending and not self._in_string and data.isascii():
            text = data.decode("ascii")
            if text.isprintable() or _PLAIN.fullmatch(text.replace("\r", "")):
                return data
        text = self._pending + self._decode(data)
        self._pending = ""
        return self._filter(text).encode("utf-8", "replace")

    def flush(self) -> bytes:
        """The end of the stream: an unfinished sequence is dropped, an unfinished character replaced."""
        text = self._decode(b"", True)
        self._pending = ""
        return self._filter(text).encode("utf-8", "replace")

    def _filter(self, text: str) -> str:
        out: list[str] = []
        at = 0
        while at < len(text):
            if self._in_string:
                at = self._skip_string(text, at)
                continue
            if plain := _PLAIN.match(text, at):
                out.append(plain[0])
                at = plain.end()
                continue
            at = self._control(text, at, out)
        return "".join(out)

    def _control(self, text: str, at: int, out: list[str]) -> int:
        if text[at] == "\r":
            out.append("\r")
            return at + 1
        if _PARTIAL_CSI.match(text, at) and len(text) - at < _MAX_PENDING:
            self._pending = text[at:]
            return len(text)
        if start := _STRING.match(text, at):
            self._in_string = True
            return start.end()
        if colour := _COLOUR.match(text, at):
            if self._colour:
                out.append(colour[0])
            return colour.end()
        for other in (_CSI, _OTHER_ESCAPE):
            if found := other.match(text, at):
                return found.end()
        return at + 1

    def _skip_string(self, text: str, at: int) -> int:
        end = _STRING_END.search(text, at)
        if end is None:
            if text.endswith("\x1b"):
                self._pending = "\x1b"
            return len(text)
        self._in_string = False
        return end.end()
