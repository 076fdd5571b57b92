"""Sees in a script's last words that it does not know an option. Pure."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_WORDS = (
    "unrecognized argument",
    "unrecognized option",
    "unrecognised",
    "unexpected argument",
    "unexpected extra argument",
    "unexpected keyword argument",
    "no such option",
    "unknown option",
    "unknown argument",
    "unknown command line flag",
    "unknown config key",
    "not used by the hfargumentparser",
    "could not consume arg",
    "could not override",
    "is not in struct",
    "not recognized",
    "invalid choice",
    "ignored explicit argument",
    "does not take a value",
    "expected one argument",
    "expected at least one argument",
    "key not found",
)
LONGEST = 200
"""Characters of what is quoted."""


def refusal_in(lines: Sequence[str], names: Sequence[str]) -> str:
    """What a script said of an option that it does not know, "" if it said nothing of the kind.

    Args:
        lines: the end of its output, cleaned.
        names: the options that backprop gave it, as typed.
    """
    wanted = [_plain(name) for name in names if name.strip("-")]
    for line in reversed(lines):
        lower = line.lower()
        if any(word in lower for word in _WORDS) and any(name in _plain(lower) for name in wanted):
            return line.strip(" │|┃╭╰─\t")[:LONGEST]
    return ""


def _plain(text: str) -> str:
    return text.strip("-").replace("_", "-").lower()
