"""The page of one run: its title, its tabs, and what each of them shows."""

from __future__ import annotations

import shlex

from backprop_tui.config.describe import describe
from backprop_tui.model.secrets import masked, masked_args
from backprop_tui.tui.draw import facts
from backprop_tui.tui.draw.curves import curves
from backprop_tui.tui.draw.ending import main_label, value_at
from backprop_tui.tui.draw.glyphs import sign_style, word_style
from backprop_tui.tui.draw.line import Line, cells
from backprop_tui.tui.draw.overview import overview
from backprop_tui.tui.draw.place import MEDIUM, Place, View, beside, clock, scrolled, wrapped
from backprop_tui.tui.draw.rules import rules
from backprop_tui.watch.figures import NONE, ago, count, loss, room

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.model.run import Checkpoint
    from backprop_tui.tui.detail import Detail
    from backprop_tui.watch.record import Record
    from backprop_tui.watch.why import Why

__all__ = ["TABS", "Place", "View", "beside", "body", "tabs", "title"]

TABS = ("Overview", "Log", "Curves", "Checkpoints", "Setup", "Events")
NORMAL = View()
NAME_ROOM = 24
SHORT_TABS = 64
PATH_AT = 60
"""First column behind the state of a checkpoint."""


def title(detail: Detail, place: Place) -> Line:
    """Which run this is."""
    record = detail.record
    line = place.line().put(1, "backprop", "accent bold").add(f" {place.glyphs.crumb} ", "muted")
    end = f"{detail.run_id}  {clock(place.now)}"
    state = str(record.run.state) if record is not None else ""
    name_room = max(4, place.width - line.at - cells(state) - cells(end) - 9)
    name = (record.notes.name if record is not None else None) or detail.run_id
    line.put(line.at, name, "bold", room=name_room)
    if state:
        line.put(line.at + 2, place.glyphs.state(state), sign_style(state)).add(f" {state}", word_style(state))
    at = place.width - 1 - cells(end)
    return line.put(at, end, "muted") if at > line.at else line


def tabs(detail: Detail, place: Place, current: int) -> Line:
    """The six parts of the page; where there is little room only the one that is shown has its name."""
    counts = {3: detail.record.run.checkpoint_count if detail.record else 0, 5: len(detail.events)}
    gap = 0 if place.width < MEDIUM else 1
    line = place.line()
    for n, word in enumerate(TABS):
        is_short = place.width < SHORT_TABS and n != current
        text = str(n + 1) if is_short else f"{n + 1} {word}" + (f" {counts[n]:,}" if counts.get(n) else "")
        line.put(line.at + gap if n else 1, f" {text} ", "focused" if n == current else "muted")
    return line


def body(detail: Detail, place: Place, current: int, view: View = NORMAL, why: Why | None = None) -> list[Line]:
    """What is below the tabs, at most as high as its place; `why` is what the rules say, where that is known."""
    record = detail.record
    if record is None:
        text = f"Its record cannot be read: {detail.why}." if detail.why else "Its record cannot be read."
        return place.text(text, "bad")[: place.height]
    if current == 0:
        return overview(detail, record, place, view)
    if current == 1:
        said = detail.lines[: max(0, len(detail.lines) - view.offset)] if view.offset else detail.lines
        return facts.output(detail.replace(lines=said), place, title="")
    if current == 2:
        return curves(detail, place, view)[: place.height]
    if current == 3:
        return checkpoints(detail, record, place, view)
    if current == 4:
        return scrolled(setup(record, place), view.offset, place.height)
    return scrolled(events(detail, place, why), view.offset, place.height)


def length(detail: Detail, place: Place, current: int, why: Why | None = None) -> int:
    """How many lines this tab has to scroll through; 0 where it always fits."""
    if current == 1:
        return len(detail.lines)
    if current == 4 and detail.record is not None:
        return len(setup(detail.record, place))
    return len(events(detail, place, why)) if current == 5 else 0


def checkpoints(detail: Detail, record: Record, place: Place, view: View = NORMAL) -> list[Line]:
    """All that are known, newest first; the one under the cursor is in sight."""
    found = list(reversed(record.run.checkpoints))
    if not found:
        return place.text(facts.NO_CHECKPOINT, "muted")[: place.height]
    head = place.band(f"CHECKPOINTS {record.run.checkpoint_count}")
    for at, text, wide in ((18, "SAVED", 8), (27, "AGE", 6), (34, "SIZE", 6), (41, main_label(detail).upper(), 7)):
        head.put(at, text, "title", room=wide, right=True)
    head.put(50, "STATE", "title")
    if place.width >= MEDIUM:
        head.put(PATH_AT, "TOLD BY", "title")
    head.put(_path_at(place), "PATH", "title")
    rows = max(0, place.height - 1)
    cursor = min(max(0, view.cursor), len(found) - 1)
    first = min(max(0, view.offset), cursor)
    first = max(first, cursor - rows + 1)
    shown = found[first : first + rows]
    lines = [
        _checkpoint_row(detail, record, item, place, is_current=first + n == cursor) for n, item in enumerate(shown)
    ]
    return [head, *lines][: place.height]


def setup(record: Record, place: Place) -> list[Line]:
    """What it was asked."""
    spec = record.spec
    if spec is None:
        return [place.line().put(1, "What it was asked cannot be read.", "bad")]
    rows = [
        ("Command", shlex.join(masked_args(spec.command))),
        ("Directory", spec.cwd),
        ("Python", f"{spec.interpreter} ({spec.interpreter_origin})" if spec.interpreter else NONE),
        ("Framework", spec.framework),
        ("Git", facts.git_words(spec.git) or NONE),
        ("Resumed from", spec.resume_from or NONE),
        ("Record", record.folder),
    ]
    settings = [(row.key, f"{row.value}  ({row.origin})") for row in describe(spec.settings)]
    given = [(f"${name}", value) for name, value in masked(spec.env).items()]
    known = [(f"${name}", value) for name, value in masked(spec.recorded_env).items() if name not in spec.env]
    out = [place.band("COMMAND"), *_named(rows, place)]
    governed = facts.governing(record)
    for name, part in (
        ("GOVERNOR", governed),
        ("SETTINGS", settings),
        ("VARIABLES GIVEN", given),
        ("VARIABLES FOUND", known),
    ):
        out += [place.line(), place.band(name), *_named(part, place)] if part else []
    return out


def events(detail: Detail, place: Place, why: Why | None = None) -> list[Line]:
    """The rules now, of a run that has not ended, and what happened, newest first."""
    found = rules(why, place) if why is not None else []
    if found:
        found = [*found, place.line(), place.band(f"EVENTS {len(detail.events)}" if detail.events else "EVENTS")]
    if not detail.events:
        return [*found, *place.text(facts.NO_EVENTS, "muted")]
    return [*found, *(facts.event(event, place) for event in reversed(detail.events))]


def _named(rows: list[tuple[str, str]], place: Place) -> list[Line]:
    """Names and values; a value takes as many lines as it needs."""
    name_room = min(NAME_ROOM, max(6, place.width // 3))
    out = []
    for name, text in rows:
        for n, part in enumerate(_parts(text, place.width - name_room - 4)):
            line = place.line().put(1, "" if n else name, "muted", room=name_room)
            out.append(line.put(name_room + 3, part, room=place.width - name_room - 4))
    return out


def _parts(text: str, width: int) -> list[str]:
    """Words in lines, and what has no blank in pieces."""
    if width <= 0:
        return [text]
    return [part[n : n + width] for part in wrapped(text, width) for n in range(0, max(1, len(part)), width)]


def _checkpoint_row(detail: Detail, record: Record, found: Checkpoint, place: Place, *, is_current: bool) -> Line:
    word, style = facts.verdict(found, detail)
    line = place.line("cursor" if is_current else "")
    if is_current:
        line.put(0, place.glyphs.cursor, "accent")
    line.put(2, place.glyphs.saved, style)
    line.put(4, f"step {count(found.step)}" if found.step is not None else NONE, "bold" if is_current else "", room=13)
    line.put(18, clock(found.t), "muted").put(27, ago(max(0.0, place.now - found.t)), room=6, right=True)
    line.put(34, room(found.size), room=6, right=True)
    value = value_at(detail, float(found.step)) if found.step is not None else None
    line.put(41, loss(value) if value is not None else NONE, "" if value is not None else "muted", room=7, right=True)
    line.put(50, word, style, room=9)
    if place.width >= MEDIUM:
        line.put(PATH_AT, found.found, "muted", room=8)
    text = f"{found.why}: {found.path}" if word == "damaged" and found.why else _near(found.path, record)
    at = _path_at(place)
    return line.put(at, text, "muted", room=max(0, place.width - at - 1))


def _path_at(place: Place) -> int:
    """Where the path begins: behind what told of it, where there is room for that."""
    return PATH_AT + 9 if place.width >= MEDIUM else PATH_AT


def _near(path: str, record: Record) -> str:
    """A path as seen from where the run was started."""
    cwd = record.spec.cwd.rstrip("/") + "/" if record.spec is not None else "/"
    return path[len(cwd) :] if len(cwd) > 1 and path.startswith(cwd) else path
