"""Everything on stdout."""

from __future__ import annotations

import os
import sys

from backprop_tui import files
from backprop_tui.errors import OutputError
from backprop_tui.text import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any


GAP = "  "
LEAST_WIDTH = 8
BELOW = " " * 8


def emit(text: str) -> None:
    """Lines of text; whatever in them would act on a terminal is written as an escape."""
    sys.stdout.write("\n".join(map(printable, text.split("\n"))) + "\n")


def emit_json(document: Any) -> None:
    """Exactly one JSON document."""
    sys.stdout.write(files.to_json(document, indent=2).decode("ascii") + "\n")


def emit_text(text: str, name: str, *, json: bool) -> None:
    """A text that has no parts, with --json as the one value of a document."""
    if json:
        emit_json({name: text})
    else:
        emit(text)


def would(text: str, *, json: bool) -> None:
    """The answer to --dry-run."""
    if json:
        emit_json({"dry_run": True, "would": text})
    else:
        emit(f"would {text}")


def emit_table(
    titles: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    right: frozenset[int] = frozenset(),
    shrink: Sequence[int] = (),
    below: Sequence[str] = (),
) -> None:
    """Columns as wide as they have to be.

    Args:
        titles: one a column.
        rows: the cells.
        right: columns whose cells end at the same place.
        shrink: columns that are cut, in this order, where a terminal is too narrow.
        below: what stands under each row, indented; "" for nothing.
    """
    widths = [max(width(printable(row[n])) for row in (titles, *rows)) for n in range(len(titles))]
    room = columns()
    if room is not None:
        over = sum(widths) + len(GAP) * (len(widths) - 1) - room
        for n in shrink:
            taken = max(0, min(over, widths[n] - LEAST_WIDTH))
            widths[n] -= taken
            over -= taken
    for row, text in zip((titles, *rows), ("", *below, *[""] * (len(rows) - len(below))), strict=True):
        cells = []
        for n, cell in enumerate(row):
            shown = cut(printable(cell), widths[n])
            space = " " * (widths[n] - width(shown))
            cells.append(space + shown if n in right else shown + space)
        emit(GAP.join(cells).rstrip())
        if text:
            emit_wrapped(BELOW, text)


def emit_wrapped(head: str, text: str) -> None:
    """A text behind `head`; where a terminal is too narrow, the rest of it stands below its beginning."""
    room = columns()
    if room is None or width(printable(head + text)) <= room:
        emit((head + text).rstrip(" ") if not text else head + text)
        return
    emit("\n".join(wrapped(printable(head), printable(text), room)))


def wrapped(head: str, text: str, room: int, *, keeps_words: bool = False) -> list[str]:
    """Lines of at most `room` columns, one below the other behind `head`, that end between words.

    A word that is longer than a line is broken, unless `keeps_words`: then the terminal does so, and it can be copied.
    """
    import textwrap

    indent = width(head)
    most = max(2 * LEAST_WIDTH, room - indent)
    lines = textwrap.wrap(text, most, break_on_hyphens=False, break_long_words=not keeps_words) or [""]
    return [head + lines[0], *(" " * indent + line for line in lines[1:])]


def columns(fd: int = 1) -> int | None:
    """The terminal's width; None where stdout, or what else `fd` is, is no terminal."""
    try:
        return os.get_terminal_size(fd).columns or None
    except OSError:
        return None


def cut(text: str, limit: int) -> str:
    """At most so many columns wide; "…" at the end says that something is missing."""
    if width(text) <= limit:
        return text
    kept = text
    while kept and width(kept) > limit - 1:
        kept = kept[:-1]
    return kept + "…"


def width(text: str) -> int:
    """Columns that a text takes on a terminal."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in text)


def finish() -> None:
    """Flush; a reader that has gone ends nothing but the output.

    Raises:
        OutputError: what was printed could not be written.
    """
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        silence()
    except OSError as error:
        silence()
        raise OutputError(f"the output could not be written: {error.strerror}")


def silence() -> None:
    """Let the interpreter's own last flush go nowhere."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.close(null)
