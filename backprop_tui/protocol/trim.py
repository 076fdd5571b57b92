"""Takes from a line what is not its message: colours, cursor moves, dates, levels, loggers, ranks."""

from __future__ import annotations

import re

from backprop_tui.protocol.later import later

MAX_LINE = 4000
"""Longer lines are no reports."""

_ESCAPES = later(
    r"\x1b(?:\[[0-?]*+[ -/]*+[@-~]?"  # CSI
    r"|\][^\x07\x1b]*+(?:\x07|\x1b\\)?"  # OSC
    r"|[@-Z\\^_=>()#%c78][0-9A-B]?)"
)
_CLOCK = r"\d\d:\d\d:\d\d(?:[.,]\d{1,9})?"
_DATE = r"(?:\d{4}[-/]\d\d[-/]\d\d|\d\d[-/]\d\d(?:[-/]\d{2,4})?)"
_STAMP = rf"(?:{_DATE}[ T]{_CLOCK}(?:Z|[+-]\d\d:?\d\d)?|{_CLOCK})"
_LEVEL = r"(?:DEBUG|INFO|WARNING|WARN|ERROR|CRITICAL|NOTICE|TRACE|SUCCESS)"
_RANK = r"(?:rank|default|RANK|Rank)[ _:]?(\d{1,5})"
_PREFIX = later(
    rf"""\s*+(?:
      \[{_RANK}\]:?
    | \[\d{{1,3}},(\d{{1,5}})\]<std(?:out|err)>:
    | (?:rank|Rank|RANK)\ (\d{{1,5}}):\s
    | \(\w{{1,40}}\ pid=\d{{1,9}}(?:,[^)]{{0,60}}+)?\)
    | [IWEF]\d{{4}}\ {_CLOCK}\ ++\d{{1,9}}\ [\w./-]{{1,80}}+:\d{{1,6}}\]
    | \[{_STAMP}(?:\ [\w.]{{1,60}}+)?\]:?
    | {_STAMP}(?::(?=\s))?(?:\ ?\|)?
    | [\[<(]?{_LEVEL}(?:\|[\w./:-]{{1,80}}+)?(?::[\w.]{{1,60}}+)?[\]>)]?(?:\ *+:(?=\s)|:|\ ?\||(?=\s))
    | \[[\w./-]{{1,80}}+\.py:\d{{1,6}}(?::[\w<>]{{1,60}}+)?\]:?
    | (?:-|\|)\ (?:[\w.]{{1,60}}+\ (?=[-|]\ ))?
    | [a-z_][\w.]{{1,60}}+(?=\ {_LEVEL}\b)
    | [a-z_][\w.]{{1,60}}+(?::[\w<>]{{1,60}}+)?:\d{{1,6}}\ (?=-\ )
    | \[[a-z_][\w.]{{1,60}}+\](?=\[|\ -\ )
    | train_inner\ (?=\|)
    )(?=\s|\S)""",
    re.VERBOSE,
)
_MAX_PREFIXES = 8


def without_escapes(line: str) -> str:
    """The line without what a terminal would obey."""
    return _ESCAPES.sub("", line) if "\x1b" in line else line


def unprefixed(text: str) -> tuple[str, int | None]:
    """The message of a log line, and the rank that it names, if any."""
    rank: int | None = None
    at = 0
    for _ in range(_MAX_PREFIXES):
        found = _PREFIX.match(text, at)
        if found is None or found.end() == at or (at == 0 and text[0] in "-|"):
            break
        at = found.end()
        named = found[1] or found[2] or found[3]
        if named:
            rank = int(named)
    return (text[at:].lstrip() if at else text), rank
