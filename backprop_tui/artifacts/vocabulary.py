"""Sets of words, as names are made of them."""

from __future__ import annotations


def vocabulary(words: str) -> frozenset[str]:
    """The words of a text with blanks between."""
    return frozenset(words.split())
