"""Untrusted text made safe to show."""

from __future__ import annotations

import re

MAX_TEXT = 4000
BAD = "\ufffd"

# A string control (OSC, DCS, APC, PM, SOS) runs to ST or BEL; a CSI to its final byte.
_ESCAPE = re.compile(
    r"(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c|(?=\x1b)|\Z)"
    r"|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"
    r"|\x1b[ -/]*[0-~]?"
)
_BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_MAP = {
    **dict.fromkeys((*range(32), *range(127, 160)), BAD),
    **dict.fromkeys(map(ord, _BIDI), BAD),
    0x2028: " ",
    0x2029: " ",
    0x0A: " ",
    0x09: "    ",
}


def clean(text: str, limit: int = MAX_TEXT) -> str:
    """One line of text without anything that a terminal would obey, at most `limit` characters.

    Of a line that was redrawn with carriage returns the last version counts.
    """
    if text.isascii() and text.isprintable():
        return text if len(text) <= limit else text[: limit - 1] + "…"
    text = text[: 64 * limit].rstrip("\r\n").rpartition("\r")[2]
    if "\x1b" in text or not text.isprintable():
        text = _ESCAPE.sub("", text).translate(_MAP)
    if not text.isascii():
        text = text.encode("utf-8", "replace").decode("utf-8")
    return text if len(text) <= limit else text[: limit - 1] + "…"
