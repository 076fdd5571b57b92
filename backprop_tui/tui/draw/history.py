"""The table of past runs."""

from __future__ import annotations

from backprop_tui.frozen import Frozen
from backprop_tui.tui.draw.bands import band
from backprop_tui.tui.draw.glyphs import BAD, sign_style, word_style
from backprop_tui.tui.draw.line import Line, cells
from backprop_tui.watch.figures import NONE, age, count, duration, loss
from backprop_tui.watch.metrics import label

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.store.rows import Row
    from backprop_tui.tui.draw.glyphs import Glyphs

SMALL, MEDIUM, LOSSES = 80, 110, 56
LABEL = 3
"""Signs of the name of what stands in the place of the loss."""
FILTER_ROOM = 40
"""Columns that the field of the filter takes, where there are as many."""


class Layout(Frozen):
    """Where the columns are: first column and room."""

    name: tuple[int, int]
    status: int
    took: tuple[int, int] | None
    steps: tuple[int, int] | None
    loss: tuple[int, int] | None
    checkpoints: tuple[int, int] | None
    args: tuple[int, int] | None
    tags: tuple[int, int] | None
    id: int | None
    age: tuple[int, int]


def layout(width: int, *, has_tags: bool = False) -> Layout:
    """The columns that there is room for."""
    if width < LOSSES:
        return _least(width, status=width - 17)
    if width < SMALL:
        return _least(width, status=width - 26).replace(loss=(width - 15, 7))
    if width < MEDIUM:
        more = width - SMALL
        return Layout(
            name=(4, 22 + more),
            status=29 + more,
            took=(39 + more, 6),
            steps=(46 + more, 8),
            loss=(55 + more, 8),
            checkpoints=(64 + more, 5),
            args=None,
            tags=None,
            id=None,
            age=(73 + more, 6),
        )
    end = width - 120
    room = 20 + end if has_tags else 32 + end
    return Layout(
        name=(4, 24),
        status=31,
        took=(41, 6),
        steps=(48, 8),
        loss=(57, 8),
        checkpoints=(66, 5),
        args=(73, room),
        tags=(94 + end, 11) if has_tags else None,
        id=106 + end,
        age=(113 + end, 6),
    )


def _least(width: int, *, status: int) -> Layout:
    return Layout(
        name=(4, max(4, status - 7)),
        status=status,
        took=None,
        steps=None,
        loss=None,
        checkpoints=None,
        args=None,
        tags=None,
        id=None,
        age=(width - 7, 6),
    )


_TITLES = (
    ("took", "TOOK", "took", True),
    ("steps", "STEPS", "steps", True),
    ("loss", "LOSS", "loss", True),
    ("checkpoints", "CKPT", "checkpoints", True),
    ("args", "ARGS", "", False),
    ("tags", "TAGS", "", False),
    ("age", "AGE", "age", True),
)


class Look(Frozen):
    """How the table is drawn."""

    width: int
    glyphs: Glyphs
    has_tags: bool = False
    """Whether any run in sight has tags."""
    words: tuple[str, ...] = ()
    """What the filter looks for."""


def title(look: Look, *, text: str, sort: str, is_descending: bool, focused: bool, archived: bool = False) -> Line:
    """The band of the table; `text` says how many runs there are."""
    glyphs, width = look.glyphs, look.width
    at = layout(width, has_tags=look.has_tags)
    mark = glyphs.descending if is_descending else glyphs.ascending
    words = f"{'ARCHIVED' if archived else 'HISTORY'} {text}".strip()
    line = band(width, words + (mark if sort == "name" else ""), focused=focused)
    line.put(at.status, "STATUS" + (mark if sort == "status" else ""), "title")
    for name, word, key, is_right in _TITLES:
        place: tuple[int, int] | None = getattr(at, name)
        if place is None:
            continue
        sorted_by = bool(key) and key == sort
        line.put(place[0], word + (mark if sorted_by else ""), "title", room=place[1], right=is_right)
        if name == "tags" or (name == "args" and at.tags is None):
            line.put(at.id or 0, "ID", "title")
    return line


def filter_line(width: int, text: str) -> Line:
    """The row of the filter: a reminder while it is not being typed."""
    line = Line(width).put(1, "/", "key").put(3, text, "bold", room=width - 4)
    hints = (("enter", "keep it"), ("esc", "clear"))
    room = sum(len(key) + len(words) + 1 for key, words in hints) + 3
    if width - room - 2 < FILTER_ROOM or line.at > width - room - 2:
        return line
    line.put(width - room - 1, "")
    for key, words in hints:
        line.put(max(line.at + 2, width - room - 1), key, "key").add(f" {words}", "muted")
    return line


def row(look: Look, run: Row, *, now: float, cursor: str = "", marked: bool = False) -> Line:
    """One run; `cursor` is the style of the row under the cursor, "" elsewhere."""
    glyphs, width = look.glyphs, look.width
    at = layout(width, has_tags=look.has_tags)
    line = Line(width, base=cursor)
    if cursor:
        line.put(0, glyphs.cursor, "accent")
    if marked:
        line.put(0, glyphs.mark, "accent bold")
    line.put(2, glyphs.state(run.state), sign_style(run.state))
    _name(line, at.name, run.name or run.id, look.words, bold=bool(cursor))
    if run.star:
        line.put(at.name[0] + at.name[1] + 1, glyphs.star, "star")
    line.put(at.status, run.state, word_style(run.state), room=9)
    is_bad = run.state in BAD
    for place, text, style in (
        (at.took, duration(run.took_s) if run.started else NONE, ""),
        (at.steps, count(run.steps), ""),
        (
            at.loss,
            _figure(run, at.loss[1] if at.loss else 0),
            "bad" if is_bad and run.loss != run.loss else "bold" if cursor else "",
        ),
        (at.checkpoints, str(run.checkpoints or NONE), "muted"),
    ):
        if place is not None:
            line.put(place[0], text, style, room=place[1], right=True)
    if at.args is not None:
        line.put(at.args[0], run.args, "muted", room=at.args[1])
    if at.tags is not None:
        line.put(at.tags[0], run.tags, "muted", room=at.tags[1])
    if at.id is not None:
        line.put(at.id, run.id, "muted", room=6)
    return line.put(at.age[0], age(max(0.0, now - (run.ended or run.created))), "muted", room=at.age[1], right=True)


def _figure(run: Row, room: int) -> str:
    """The loss; of a run without one the metric that speaks for it, with the beginning of its name."""
    if run.loss is not None or run.value is None:
        return loss(run.loss)
    value = f"{run.value:.2f}" if abs(run.value) < 9.995 else loss(run.value)
    return f"{label(run.metric)[: min(LABEL, room - 1 - len(value))]} {value}" if len(value) + 2 < room else value


def _name(line: Line, place: tuple[int, int], name: str, words: tuple[str, ...], *, bold: bool) -> None:
    style = "bold" if bold else ""
    lower = name.lower()
    found = next((word for word in words if word and word in lower), "")
    at = lower.find(found)
    if not found or len(lower) != len(name) or cells(name) > place[1]:
        line.put(place[0], name, style, room=place[1])
        return
    line.put(place[0], name[:at], style)
    line.put(place[0] + cells(name[:at]), name[at : at + len(found)], "match")
    line.add(name[at + len(found) :], style)
