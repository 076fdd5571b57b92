"""The lines that frame the screen: header, news, band titles, footer."""

from __future__ import annotations

from backprop_tui.frozen import Frozen
from backprop_tui.tui.draw.line import Line, cells, fit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from backprop_tui.tui.draw.glyphs import Glyphs

STATES = ("running", "paused", "stopping", "starting", "queued")
GAP = 3


class Hint(Frozen):
    """A key and what it does, for the footer."""

    key: str
    """As people read it."""
    label: str
    press: str = ""
    """As Textual names it: what a click stands for."""

    @property
    def width(self) -> int:
        return cells(self.key) + 1 + cells(self.label)


class Head(Frozen):
    """What the first line says."""

    needs: int = 0
    """How many things need a person."""
    counts: dict[str, int] = {}  # noqa: RUF012  # never changed: a Frozen's default
    """Runs in progress, by state."""
    orders: str = ""
    """What people ordered for the whole box, in a word or two."""
    host: str = ""
    """This box's name."""
    clock: str = ""
    """hh:mm:ss."""


def header(width: int, glyphs: Glyphs, head: Head) -> Line:
    """The first line."""
    line = Line(width).put(1, "backprop", "accent bold")
    if head.needs:
        line.put(11, f" ! {head.needs} need{'s' if head.needs == 1 else ''} you ", "alert")
    else:
        line.put(11, f"{glyphs.state('completed')} all well", "ok")
    left = line.at + GAP
    there = [(state, head.counts[state]) for state in STATES if head.counts.get(state)]
    words = f" {glyphs.dot} ".join(f"{count} {state}" for state, count in there) or "nothing running"
    signs = "  ".join(f"{glyphs.state(state)} {count}" for state, count in there) or words
    host, clock = head.host, head.clock
    ends = (f"{host}  {clock}", f"{host}  {clock[:5]}", host, clock[:5], "")
    orders = f"{GAP * ' '}{head.orders}" if head.orders else ""
    for text in (words, signs):
        for end in ends[:3] if text == words else ends:
            if left + cells(text) + cells(orders) + (cells(end) + 2 if end else 0) <= width - 1:
                line.put(left, text, "muted").add(orders, "hold bold")
                return line.put(width - 1 - cells(end), end, "muted")
    return line.put(left, signs, "muted").add(orders, "hold bold")


def news(width: int, text: str, style: str, *, more: str = "") -> Line:
    """The line below: what happened last; `more` at the right says which key tells all."""
    line = Line(width)
    room = width - 2 - (cells(more) + 1 if more else 0)
    line.put(1, text, style, room=room)
    if more:
        line.put(width - 1 - cells(more), more[:1], "accent bold").add(more[1:], "muted")
    return line


def band(width: int, title: str, *, focused: bool, note: str = "") -> Line:
    """A section's title, which is its column-header line too."""
    line = Line(width, base="band")
    line.put(0, f" {title} ", "focused" if focused else "title")
    return line.add(note, "title") if note else line


def footer(width: int, hints: Sequence[Hint], last: Sequence[Hint]) -> tuple[Line, list[tuple[int, int, str]]]:
    """Hints in the order of importance until the next would not fit whole; `last` always, at the right.

    Returns the line, and for each hint its first column, the column behind it, and its key.
    """
    line = Line(width)
    places: list[tuple[int, int, str]] = []
    end = sum(hint.width for hint in last) + 2 * (len(last) - 1)
    if end + 1 > width:
        last, end = last[:1], last[0].width if last else 0
    room = width - 2 - end - GAP + 1

    def put(hint: Hint, at: int) -> None:
        line.put(at, hint.key, "key").add(f" {hint.label}", "muted")
        places.append((at, line.at, hint.press))

    for hint in hints:
        start = line.at + (2 if line.at else 1)
        if start + hint.width > room:
            break
        put(hint, start)
    at = max(line.at + 1, width - 2 - end)
    for hint in last:
        put(hint, at)
        at = line.at + 2
    return line, places


def one_line(text: str, width: int) -> Line:
    """Plain words, such as why a list is empty."""
    return Line(width).put(1, fit(text, width - 2), "muted")
