"""Foreign text as part of a message: nothing in it acts on a terminal."""

from __future__ import annotations

LONGEST = 4096
"""Of a path, on Linux."""


def printable(text: str) -> str:
    """The text with whatever a terminal could act on written as an escape."""
    return text if text.isprintable() else "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def short(text: str, limit: int) -> str:
    """Printable, and cut where it is too long for a sentence."""
    return printable(text) if len(text) <= limit else printable(text[: limit - 1]) + "…"


def quoted(text: str, limit: int = LONGEST) -> str:
    """As `short`, in quotes."""
    return f'"{short(text, limit)}"'
