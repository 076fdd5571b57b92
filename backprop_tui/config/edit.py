"""Changes single settings in a TOML text and leaves the rest of it, comments too, as it was."""

from __future__ import annotations

import copy
import re
import tomllib

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_HEADER = re.compile(r"\s*\[\s*([A-Za-z0-9_-]+)\s*\]\s*(?:#.*)?$")
_ANY_HEADER = re.compile(r"\s*\[")
_ENTRY = re.compile(r"""(\s*)(?:"([^"\\]+)"|'([^']+)'|([A-Za-z0-9_.-]+))(\s*=\s*)(.*)$""")
_SCALAR = re.compile(r"""("(?:[^"\\]|\\.)*"|'[^']*'|[^\s"'#\[{][^#]*?)(\s*(?:#.*)?)$""")


def edited(text: str, data: Mapping[str, Any], changes: Mapping[str, Any]) -> tuple[str, bool]:
    """The text with some settings changed, and whether comments were lost on the way.

    The lines in question are edited. What comes out is parsed: if it does not say what it should, because the
    file is written in a way that lines cannot follow, the whole file is written anew.

    Args:
        text: valid TOML.
        data: what it says.
        changes: plain values by key ("maxParallel", "gpu.probe"); None takes one out.
    """
    wanted = _changed(data, changes)
    lines = text.splitlines(keepends=True)
    for key, value in changes.items():
        _edit(lines, key, value)
    new = "".join(lines)
    try:
        if _without_empty(tomllib.loads(new)) == _without_empty(wanted):
            return new, False
    except tomllib.TOMLDecodeError:
        pass
    import tomli_w

    return tomli_w.dumps(wanted), "#" in text


def _changed(data: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    wanted = copy.deepcopy(dict(data))
    for key, value in changes.items():
        table, _, name = key.rpartition(".")
        place = wanted.setdefault(table, {}) if table else wanted
        if value is None:
            place.pop(name, None)
        else:
            place[name] = value
    return wanted


def _without_empty(data: Mapping[str, Any]) -> dict[str, Any]:
    """A table without anything in it says nothing."""
    return {key: value for key, value in data.items() if value != {}}


def _edit(lines: list[str], key: str, value: Any) -> None:
    table, _, name = key.rpartition(".")
    found = _line_of(lines, table, name)
    if found is None and table:
        found = _line_of(lines, "", key)
    if found is not None and value is None:
        del lines[found]
    elif found is not None:
        lines[found] = _with_value(lines[found], value)
    elif value is not None:
        _insert(lines, table, f"{name} = {_toml(value)}")


def _line_of(lines: list[str], table: str, name: str) -> int | None:
    start, end = _part(lines, table)
    for at in range(start, end):
        match = _ENTRY.match(lines[at].rstrip("\r\n"))
        if match and (match[2] or match[3] or match[4]) == name:
            return at
    return None


def _part(lines: list[str], table: str) -> tuple[int, int]:
    """The lines of a table, without its header; of "" those above all headers. Empty where there is no such table."""
    start = None if table else 0
    for at, line in enumerate(lines):
        if not _ANY_HEADER.match(line):
            continue
        if start is not None:
            return start, at
        match = _HEADER.match(line.rstrip("\r\n"))
        if match and match[1] == table:
            start = at + 1
    return (len(lines), len(lines)) if start is None else (start, len(lines))


def _with_value(line: str, value: Any) -> str:
    body = line.rstrip("\r\n")
    match = _ENTRY.match(body)
    scalar = _SCALAR.match(match[6]) if match else None
    if match is None or scalar is None:
        return line  # the check of the whole finds that nothing was changed
    return body[: match.start(6)] + _toml(value) + scalar[2] + line[len(body) :]


def _insert(lines: list[str], table: str, entry: str) -> None:
    """Behind the last entry of the table, or at its head; a new table comes last."""
    end_of_line = "\r\n" if lines and lines[0].endswith("\r\n") else "\n"
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += end_of_line
    start, end = _part(lines, table)
    if table and start == len(lines) and not (lines and _is_header(lines[-1], table)):
        lines += [end_of_line] * bool(lines) + [f"[{table}]{end_of_line}", entry + end_of_line]
        return
    entries = [at for at in range(start, end) if _ENTRY.match(lines[at])]
    if entries:
        at = entries[-1] + 1
    elif table or end == len(lines):
        at = start if table else end
    else:
        at = end  # above the first table, and above the comment that belongs to it
        while at and lines[at - 1].lstrip().startswith("#"):
            at -= 1
        entry += end_of_line
    lines.insert(at, entry + end_of_line)


def _is_header(line: str, table: str) -> bool:
    match = _HEADER.match(line.rstrip("\r\n"))
    return match is not None and match[1] == table


def _toml(value: Any) -> str:
    import tomli_w

    return tomli_w.dumps({"x": value}).removeprefix("x = ").rstrip("\n")
