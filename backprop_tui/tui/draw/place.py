"""Where, when and how a page is drawn, and how its parts are put together."""

from __future__ import annotations

import time

from backprop_tui.frozen import Frozen
from backprop_tui.tui.draw.line import Line, cells

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from backprop_tui.tui.draw.glyphs import Glyphs
    from backprop_tui.watch.box import BoxSample

MEDIUM, LARGE = 110, 190
AIRY = 30
"""From this height of a body on there are blank lines between sections."""
GAP = 2
"""Columns between what stands side by side."""


class Place(Frozen):
    """Where and when something is drawn."""

    width: int
    height: int
    glyphs: Glyphs
    now: float
    """Epoch seconds."""
    box: BoxSample | None = None
    """The newest sample of this box, for utilisation and limits; None where nobody measures."""

    def line(self, base: str = "") -> Line:
        """An empty line."""
        return Line(self.width, base, self.glyphs)

    def band(self, title: str) -> Line:
        """A section's title."""
        return self.line("band").put(0, f" {title} ", "title")

    def text(self, words: str, style: str = "") -> list[Line]:
        """Words, in as many lines as they take."""
        return [self.line().put(1, part, style) for part in wrapped(words, self.width - 2)]

    @property
    def is_airy(self) -> bool:
        return self.height >= AIRY


class View(Frozen):
    """What of a page is looked at, and how."""

    focus: int = 0
    """Which chart is the first one: a number that may grow without end."""
    is_log: bool = False
    by_time: bool = False
    shows_all: bool = False
    """Outliers too."""
    is_zoomed: bool = False
    """One chart in full."""
    cursor: int = 0
    """In the list of checkpoints, from the newest one on."""
    offset: int = 0
    """How many lines have been scrolled by."""


def beside(left: Line, right: Line, width: int) -> Line:
    """Two lines as one, two columns apart."""
    line = Line(width)
    for n, part in enumerate((left, right)):
        if n:
            line.put(max(line.at, left.width), " " * GAP)
        for span in part.spans():
            line.add(span.text, f"{part.base} {span.style}".strip())
    return line


def side_by_side(left: Sequence[Line], right: Sequence[Line], place: Place, left_width: int) -> list[Line]:
    """Two columns, as long as the longer one."""
    right_width = max(0, place.width - left_width - GAP)
    count = max(len(left), len(right))
    one = [*left, *(Line(left_width) for _ in range(count - len(left)))]
    two = [*right, *(Line(right_width) for _ in range(count - len(right)))]
    return [beside(a, b, place.width) for a, b in zip(one, two, strict=True)]


def exactly(lines: Sequence[Line], height: int, width: int) -> list[Line]:
    """As many lines as there is room for, blank ones below."""
    return [*lines[:height], *(Line(width) for _ in range(height - len(lines)))]


def stacked(sections: Sequence[Sequence[Line]], height: int, width: int) -> list[Line]:
    """Sections with a blank line between them; those that do not fit are left out, from the bottom."""
    out: list[Line] = []
    for section in sections:
        gap = 1 if out else 0
        if not section:
            continue
        if len(out) + gap + len(section) > height:
            break
        out += [*(Line(width) for _ in range(gap)), *section]
    return out


def scrolled(lines: Sequence[Line], offset: int, height: int) -> list[Line]:
    """A part of them; an offset that is too large shows the last ones."""
    first = max(0, min(offset, len(lines) - height))
    return list(lines[first : first + height])


def wrapped(text: str, width: int) -> list[str]:
    """Words in lines of at most `width` columns; a word that is longer is left as it is, to be cut."""
    out: list[str] = []
    for word in text.split(" "):
        if out and cells(out[-1]) + 1 + cells(word) <= width:
            out[-1] += f" {word}"
        else:
            out.append(word)
    return out


def clock(t: float) -> str:
    """hh:mm:ss of this place."""
    try:
        return time.strftime("%H:%M:%S", time.localtime(t))
    except (OverflowError, ValueError, OSError):
        return ""
