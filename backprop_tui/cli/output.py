"""Everything on stdout."""

from __future__ import annotations

import os
import sys

from backprop_tui import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any


def emit(text: str) -> None:
    """A line of text."""
    sys.stdout.write(text + "\n")


def emit_json(document: Any) -> None:
    """Exactly one JSON document."""
    sys.stdout.write(files.to_json(document, indent=2).decode("ascii") + "\n")


def emit_table(titles: Sequence[str], rows: Sequence[Sequence[str]], *, right: frozenset[int] = frozenset()) -> None:
    """Columns as wide as they have to be; those in `right` end at the same place."""
    widths = [max(width(row[n]) for row in (titles, *rows)) for n in range(len(titles))]
    for row in (titles, *rows):
        cells = []
        for n, cell in enumerate(row):
            space = " " * (widths[n] - width(cell))
            cells.append(space + cell if n in right else cell + space)
        emit("  ".join(cells).rstrip())


def width(text: str) -> int:
    """Columns that a text takes on a terminal."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in text)


def finish() -> None:
    """Flush; a reader that has gone ends nothing but the output."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        silence()


def silence() -> None:
    """Let the interpreter's own last flush go nowhere."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.close(null)
