"""A log as it is read: line numbers, colours, and what is below."""

from __future__ import annotations

from backprop_tui.frozen import Frozen
from backprop_tui.tui.draw.line import Line, cells, pieces
from backprop_tui.tui.draw.output import line_style

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.tui.draw.glyphs import Glyphs


class View(Frozen):
    """How lines are drawn."""

    width: int
    glyphs: Glyphs
    digits: int
    """Columns of a line number."""
    words: str = ""
    """What is searched for."""


def line(view: View, number: int, text: str, *, is_hit: bool) -> Line:
    """One line of output; `is_hit` marks the one that was found last."""
    width, glyphs, digits, words = view.width, view.glyphs, view.digits, view.words
    made = Line(width, base="cursor" if is_hit else "", glyphs=glyphs)
    made.put(1, f"{number + 1:,}", "muted", room=digits, right=True)
    text = glyphs.words(text)
    style = line_style(text)
    column = digits + 2
    found = text.lower().find(words.lower()) if words else -1
    if found < 0 or not text.isascii():
        return made.put(column, text, style, room=width - column)
    room = width - column
    made.put(column, text[:found][:room], style)
    made.add(text[found : found + len(words)], "match")
    return made.add(text[found + len(words) :], style)


def whole(view: View, number: int, text: str, *, is_hit: bool) -> list[Line]:
    """One line of output in one row, cut at its end."""
    return [line(view, number, text, is_hit=is_hit)]


def wrapped(view: View, number: int, text: str, *, is_hit: bool) -> list[Line]:
    """One line of output in as many rows as it takes."""
    room = max(8, view.width - view.digits - 3)
    first, *more = pieces(view.glyphs.words(text), room)
    style = line_style(text)
    rows = [line(view, number, first, is_hit=is_hit)]
    for piece in more:
        row = Line(view.width, base="cursor" if is_hit else "")
        rows.append(row.put(view.digits + 2, piece, style, room=room))
    return rows


def status(width: int, *, words: str, found: str, below: int) -> Line:
    """The last line: what is searched for, and how much is below what is in sight."""
    made = Line(width)
    if words:
        made.put(1, "/ ", "key").add(words, "bold").add(f"   {found}", "muted")
    elif found:
        made.put(1, found, "muted")
    if below > 0:
        pill = f" {below:,} newer line{'' if below == 1 else 's'}: G "
        made.put(max(made.at + 1, width - 1 - cells(pill)), pill, "focused")
    return made


def digits_of(total: int) -> int:
    """Columns of a line number."""
    return max(5, len(f"{total:,}"))
