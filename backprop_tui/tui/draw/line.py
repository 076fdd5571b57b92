"""One line of the screen, put together by columns."""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

from backprop_tui.text import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from backprop_tui.tui.draw.glyphs import Glyphs


ELLIPSIS = "…"


class Span(NamedTuple):
    """A piece of text in one style."""

    text: str
    style: str
    """Words of `look.Palette`, such as "bad bold"; "" for plain text."""


class Line:
    """Text at columns, from left to right; what is not put stays blank."""

    def __init__(self, width: int, base: str = "", glyphs: Glyphs | None = None) -> None:
        """`base` is the style under everything that is put; of `glyphs` are the signs that words are put with."""
        self.width = width
        self.base = base
        self._glyphs = glyphs
        self._ellipsis = glyphs.ellipsis if glyphs is not None else ELLIPSIS
        self._spans: list[Span] = []
        self.at = 0
        """The first column that nothing was put into."""

    def put(self, column: int, text: str, style: str = "", *, room: int | None = None, right: bool = False) -> Line:
        """Put text at a column.

        Args:
            column: where it begins; what is left of `at` by then is cut off.
            text: what to put, of any origin; it is cut at `room` and at the end of the line.
            style: its style.
            room: how many columns it may take; with `right` its end is flush with theirs.
            right: flush right.
        """
        text = showable(text)
        if self._glyphs is not None:
            text = self._glyphs.words(text)
        if room is not None:
            text = fit(text, room, self._ellipsis)
            if right:
                column += room - cells(text)
        text = fit(text, self.width - column, self._ellipsis)
        if column < self.at:
            text, column = text[self.at - column :], self.at
        if not text or column >= self.width:
            return self
        if column > self.at:
            self._spans.append(Span(text=" " * (column - self.at), style=""))
        self._spans.append(Span(text=text, style=style))
        self.at = column + cells(text)
        return self

    def add(self, text: str, style: str = "") -> Line:
        """Put text right behind what there is."""
        return self.put(self.at, text, style)

    def spans(self) -> list[Span]:
        """The whole line, exactly as wide as it should be."""
        rest = self.width - self.at
        return [*self._spans, Span(text=" " * rest, style="")] if rest > 0 else list(self._spans)

    @property
    def text(self) -> str:
        """Without styles and the blanks at the end."""
        return "".join(span.text for span in self._spans).rstrip()

    def style_at(self, column: int) -> str:
        """The style of what stands at a column."""
        at = 0
        for span in self._spans:
            at += cells(span.text)
            if column < at:
                return span.style
        return ""


_DISPUTED = re.compile(
    "[\u1160-\u11ff\ud7b0-\ud7fb\u3164\uffa0"  # parts of Korean syllables, and their fillers
    "\u200b-\u200d\u2060\ufe00-\ufe0f\ufeff\U000e0000-\U000e01ef"  # joiners, variations
    "\U0001f1e6-\U0001f1ff\U0001f3fb-\U0001f3ff]"  # flags, skin tones
)
"""What terminals do not agree on: how many columns these take, or leave to what they join."""
_LETTER_A, _FLAG_A = ord("A"), 0x1F1E6


def showable(text: str) -> str:
    """Text of any origin, of which nothing acts on a terminal and every character is as wide as `cells` says."""
    if text.isascii():
        return text if text.isprintable() else printable(text)
    if _DISPUTED.search(text):
        text = _DISPUTED.sub(_agreed, unicodedata.normalize("NFC", text))
    return printable(text)


def _agreed(found: re.Match[str]) -> str:
    code = ord(found[0])
    return chr(_LETTER_A + code - _FLAG_A) if _FLAG_A <= code < _FLAG_A + 26 else ""


def cells(text: str) -> int:
    """Columns that a text takes."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def fit(text: str, room: int, ellipsis: str = ELLIPSIS) -> str:
    """At most `room` columns; an ellipsis where something was cut."""
    if room <= 0:
        return ""
    if len(text) <= room and text.isascii():
        return text
    if cells(text) <= room:
        return text
    kept, used, limit = [], 0, room - len(ellipsis)
    for sign in text:
        wide = cells(sign)
        if used + wide > limit:
            break
        kept.append(sign)
        used += wide
    return "".join(kept) + ellipsis[: room - used]


def pieces(text: str, room: int) -> list[str]:
    """A text in parts of at most `room` columns each; at least one."""
    if text.isascii():
        return [text[n : n + room] for n in range(0, len(text), room)] or [""]
    found, used = [""], 0
    for sign in text:
        wide = cells(sign)
        if used + wide > room:
            found.append("")
            used = 0
        found[-1] += sign
        used += wide
    return found


def texts(lines: Iterable[Line]) -> list[str]:
    """Lines without their styles."""
    return [line.text for line in lines]
