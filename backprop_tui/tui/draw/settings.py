"""The list of settings, and what is said about the one under the cursor."""

from __future__ import annotations

import textwrap

from backprop_tui.config.listing import DEFAULT, ENVIRONMENT, PROJECT, USER
from backprop_tui.tui.draw.line import Line, cells, fit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from backprop_tui.config.listing import Entry
    from backprop_tui.tui.draw.glyphs import Glyphs

NARROW = 60
NAME, VALUE, FROM = 3, 27, 45
_SOURCES = {DEFAULT: "default", USER: "your settings", PROJECT: "project file", ENVIRONMENT: "environment"}


def filtered(entries: Sequence[Entry], text: str) -> list[Entry]:
    """Those with every word of the text in their name, help, value or source."""
    words = text.lower().split()
    return [entry for entry in entries if all(word in _searched(entry) for word in words)]


def _searched(entry: Entry) -> str:
    return " ".join((entry.key, entry.group, entry.setting.help, entry.value, _SOURCES[entry.source])).lower()


def rows(entries: Sequence[Entry], width: int, glyphs: Glyphs, *, cursor: str) -> list[Line]:
    """The list: groups with their settings.

    Args:
        entries: what is listed.
        width: of the list.
        glyphs: the signs.
        cursor: the key of the setting under it.
    """
    lines: list[Line] = []
    group = ""
    for entry in entries:
        if entry.group != group:
            group = entry.group
            lines.append(_heading(group, width, is_first=not lines))
        lines.append(_row(entry, width, glyphs, is_here=entry.key == cursor))
    return lines


def keys_by_line(entries: Sequence[Entry]) -> list[str]:
    """For each line of `rows` the key of its setting; "" for a heading."""
    keys: list[str] = []
    group = ""
    for entry in entries:
        if entry.group != group:
            group = entry.group
            keys.append("")
        keys.append(entry.key)
    return keys


def _heading(group: str, width: int, *, is_first: bool) -> Line:
    line = Line(width, base="band").put(0, f" {group}", "title")
    if is_first and width >= NARROW:
        line.put(VALUE, "VALUE", "title").put(FROM, "FROM", "title")
    return line


def _row(entry: Entry, width: int, glyphs: Glyphs, *, is_here: bool) -> Line:
    line = Line(width, base="cursor" if is_here else "panel")
    line.put(0, glyphs.cursor if is_here else "", "accent")
    value_at = VALUE if width >= NARROW else VALUE - 1
    line.put(NAME - 1, fit(entry.key, value_at - NAME, glyphs.ellipsis), "bold" if is_here else "")
    room = FROM - VALUE - 1 if width >= NARROW else width - value_at - 1
    is_mine = entry.source != DEFAULT
    line.put(value_at, fit(glyphs.words(entry.value), room, glyphs.ellipsis), "bold" if is_mine else "")
    if width >= NARROW:
        text = _SOURCES[entry.source]
        if entry.source in (PROJECT, ENVIRONMENT):
            text = f"{text} wins here"
        line.put(FROM, text, "hold" if entry.source in (PROJECT, ENVIRONMENT) else "muted", room=width - FROM - 1)
    return line


def about(
    entry: Entry | None, width: int, height: int, glyphs: Glyphs, *, said: tuple[str, str] = ("", ""), is_edited: bool
) -> list[Line]:
    """What there is to say about a setting: what it does, what it can be, and who decides.

    Args:
        entry: the setting; None where none is listed.
        width: of the lines.
        height: how many lines.
        glyphs: the signs.
        said: what has happened or is wrong, which comes first, and its style.
        is_edited: a new value is being typed.
    """
    texts = [said] if said[0] else []
    lines: list[Line] = []
    if entry is None:
        texts.append(("No setting matches. esc clears.", "muted"))
    else:
        if entry.choices and not said[0]:
            lines.append(_choices(entry, width))
        can_be = [] if entry.choices else [(entry.allowed, "muted")]
        texts += [
            *can_be * is_edited,
            *_wins(entry, width, glyphs),
            (entry.setting.help, ""),
            *can_be * (not is_edited),
        ]
    for text, style in texts:
        parts = textwrap.wrap(glyphs.words(text), width - 3, break_on_hyphens=False)
        lines += [Line(width, base="panel").put(2, part, style) for part in parts]
    return lines[:height] + [Line(width, base="panel") for _ in range(height - len(lines))]


def _wins(entry: Entry, width: int, glyphs: Glyphs) -> list[tuple[str, str]]:
    """One line about what stands above the user's file; of a long path its end."""
    if entry.source not in (PROJECT, ENVIRONMENT):
        return []
    source = _SOURCES[entry.source]
    room = width - 3 - cells(f"{source}  wins here")
    origin = entry.origin
    while origin and cells(glyphs.ellipsis + origin) > room:
        origin = origin[1:]
    if len(origin) < len(entry.origin):
        origin = glyphs.ellipsis + origin if width >= NARROW else ""
    return [(" ".join(word for word in (source, origin, "wins here") if word), "hold")]


def _choices(entry: Entry, width: int) -> Line:
    line = Line(width, base="panel").put(2, "")
    is_now = "true" if entry.raw is True else "false" if entry.raw is False else str(entry.raw)
    for choice in entry.choices:
        here = choice == is_now
        at = line.at + 2 if line.at else 2
        if at + cells(choice) + 2 > width:
            break
        line.put(at, f"[{choice}]" if here else f" {choice} ", "focused" if here else "muted")
    return line


def hints(pairs: Sequence[tuple[str, str]], width: int) -> Line:
    """The keys that work now, as many as there is room for; the last is always there."""
    line = Line(width, base="panel")
    *first, last = pairs
    end = width - cells(" ".join(last)) - 2
    at = 2
    for key, words in first:
        if at + cells(key) + cells(words) + 4 > end:
            break
        line.put(at, key, "key").add(f" {words}", "muted")
        at = line.at + 3
    return line.put(end, last[0], "key").add(f" {last[1]}", "muted")
