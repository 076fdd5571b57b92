"""Makes text that others wrote safe to show: no sequence of theirs ever reaches a terminal as it came."""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    import codecs

# Not compiled here: that takes 2 ms, and most runs never need it; `re` keeps what it has compiled.
# Every quantifier is possessive and every terminator optional: no input makes these backtrack.
_SEQUENCE = (
    r"(?:\[[0-?]*+[ -/]*+[@-~]?"  # CSI
    r"|[\]PX^_][^\x07\x18\x1a\x1b\x9c]*+(?:[\x07\x18\x1a\x9c]|\x1b\\)?"  # OSC, DCS, SOS, PM, APC
    r"|[ -/]*+[0-~]?)"  # any other escape
)
_SGR_MAX = 64
_ANY_ESCAPE = "\x1b" + _SEQUENCE
_ESCAPE_BUT_COLOUR = rf"\x1b(?!\[[0-9;:]{{0,{_SGR_MAX}}}m){_SEQUENCE}"

_UNSHOWABLE = (
    "[\x00-\x1f\x7f-\x9f"  # C0, DEL, C1
    "\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069"  # text direction, line and paragraph separators
    "\ud800-\udfff]"
)


def clean(text: str, limit: int = 4000) -> str:
    """One line, at most `limit` characters, without anything that a terminal would obey.

    A progress bar's line is what stands after its last carriage return.
    """
    if len(text) <= limit and text.isascii() and text.isprintable():
        return text
    text = text.rstrip("\r\n")
    if "\r" in text:
        text = text.replace("\r\n", "\n")
        text = text[text.rfind("\r") + 1 :]
    rest = text[: limit * 4]
    is_cut = len(rest) < len(text)
    if "\x1b" in rest:
        rest = re.sub(_ANY_ESCAPE, "", rest)
    rest = re.sub(_UNSHOWABLE, "\ufffd", rest.replace("\n", " ").expandtabs(8))
    if is_cut or len(rest) > limit:
        rest = rest[: max(limit - 1, 0)] + "…"[:limit]
    return rest


_PLAIN = bytes([0x08, 0x09, 0x0A, 0x0D, *range(0x20, 0x7F)])
_CONTROL = "[\x00-\x07\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f-\x9f]+"
_STRING_END = "[\x07\x18\x1a\x1b\x9c]"
_UNFINISHED = r"\x1b(?:\[[0-?]*+[ -/]*+|[ -/]*+)\Z"
_STRING_STARTS = frozenset("]PX^_")
_MIDDLE = frozenset(" !\"#$%&'()*+,-./")
_HELD_MAX = _SGR_MAX + 2


class TerminalCleaner:
    """Passes a script's output on to a terminal: text, bars and colours, nothing else that it would obey.

    Sequences and characters may be cut anywhere between chunks; the result is the same.
    """

    def __init__(self, *, colour: bool = True) -> None:
        import codecs

        self._escape = re.compile(_ESCAPE_BUT_COLOUR if colour else _ANY_ESCAPE)
        self._control = re.compile(_CONTROL)
        self._string_end = re.compile(_STRING_END)
        self._unfinished = re.compile(_UNFINISHED)
        self._decoder: codecs.IncrementalDecoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._held = ""
        """The beginning of a sequence whose end has not come yet."""
        self._in_string = False
        """Within an OSC, DCS, SOS, PM or APC: everything is dropped up to its end."""
        self._at_rest = True

    def feed(self, data: bytes) -> bytes:
        """What of the next chunk may go to the terminal."""
        if self._at_rest and not data.translate(None, _PLAIN):
            return data
        text = self._take(self._decoder.decode(data))
        self._at_rest = not (self._held or self._in_string or self._decoder.getstate()[0])
        return text.encode("utf-8")

    def flush(self) -> bytes:
        """What is left at the end; an unfinished sequence is dropped."""
        text = self._take(self._decoder.decode(b"", final=True))
        self._held, self._in_string, self._at_rest = "", False, True
        return text.encode("utf-8")

    def _take(self, text: str) -> str:
        text = self._held + text
        self._held = ""
        if self._in_string:
            text = self._after_string(text)
        if "\x1b" in text:
            text = self._escape.sub("", self._without_unfinished(text))
        return self._control.sub("", text)

    def _after_string(self, text: str) -> str:
        end = self._string_end.search(text)
        if end is None:
            return ""
        start = end.start()
        if text[start] != "\x1b":
            self._in_string = False
            return text[start + 1 :]
        if start + 1 == len(text):
            self._held = "\x1b"
            return ""
        self._in_string = False
        return text[start + 2 :] if text[start + 1] == "\\" else text[start:]

    def _without_unfinished(self, text: str) -> str:
        """Hold back what the next chunk may complete; a string's text itself is never held, however long."""
        at = text.rfind("\x1b")
        if self._unfinished.match(text, at):
            self._hold(text[at:])
            text = text[:at]
            if len(self._held) > 1:
                return text
            # A lone ESC may be the first half of the end of a string that is still open.
            at = text.rfind("\x1b")
        if at >= 0 and text[at + 1 : at + 2] in _STRING_STARTS and not self._string_end.search(text, at + 2):
            self._in_string = True
            return text[:at]
        return text

    def _hold(self, sequence: str) -> None:
        if len(sequence) > _HELD_MAX:
            # Too long to be a colour, so it will be dropped: keep only what says where it ends.
            is_csi = sequence[1] == "["
            sequence = ("\x1b[?" if is_csi else "\x1b ") + (" " if is_csi and sequence[-1] in _MIDDLE else "")
        self._held = sequence
