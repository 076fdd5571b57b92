"""The keys, those of the screen in hand first, and the signs."""

from __future__ import annotations

from backprop_tui.tui import actions
from backprop_tui.tui.draw.line import Line, cells
from backprop_tui.tui.draw.place import wrapped
from backprop_tui.tui.screens.dialog import Choice, Dialog
from backprop_tui.tui.widgets.canvas import Canvas

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from backprop_tui.tui.draw.glyphs import Glyphs
    from backprop_tui.tui.palette import Palette

TITLES = {actions.MAIN: "Keys", actions.RUN: "Keys of a run's page", actions.LOG: "Keys of a log",
          actions.COMPARE: "Keys of a comparison"}  # fmt: skip
GROUPS = {
    "LOG": ("log.",),
    "COMPARE": ("compare.",),
    "CHARTS": ("chart.",),
    "RUNS": ("run.", "checkpoint."),
    "LISTS": ("list.",),
    "SCREEN": ("screen.", "box.", "app.", "pane.", "tab."),
}
PAIRS = {
    "list.down": ("list.up", "down, up (or arrows)"),
    "list.first": ("list.last", "first, last"),
    "list.page_down": ("list.page_up", "half a page"),
    "list.mark": ("list.compare", "mark; compare marked"),
    "list.archived": ("list.undo", "the archive; undo"),
    "run.resume": ("run.again", "resume; run again from 0"),
    "run.open": ("run.why", "open; why: the rules"),
    "run.pause": ("run.hold", "pause; hold in the queue"),
    "run.extend": ("run.shorten", "5 minutes more, less"),
    "run.copy": ("run.export", "copy; metrics as CSV"),
    "run.previous": ("run.next", "run before, run after"),
    "log.next": ("log.previous", "next match, previous"),
    "pane.active": ("pane.history", "to a pane"),
    "tab.1": ("tab.6", "parts of the page"),
    "screen.zoom": ("screen.gauges", "zoom; gauges' form"),
    "box.drain": ("box.yield", "drain the box; yield it"),
    "screen.redraw": ("app.suspend", "draw again; suspend"),
}
"""Two keys that share a line, and its words."""
UNSAID = ("screen.help", "screen.leave", "app.demo", "pane.previous", "pane.preview", "app.quit_anywhere",
          *(f"tab.{n}" for n in range(2, 6)))  # fmt: skip
STATES = (
    "running", "starting", "queued", "paused", "stopping",
    "completed", "timeboxed", "failed", "diverged", "stopped", "lost",
)  # fmt: skip
SIGNS_A_ROW = 3
NOTE = "In text fields letters type; esc leaves the field. ctrl+c twice quits."
KEY_ROOM, TWO_COLUMNS = 9, 60
Part = tuple[int, str, str]
"""Column, text, style."""
Group = list[tuple[Part, ...]]
"""Rows of parts, the first one a title."""


class HelpDialog(Dialog):
    """Made from the table of actions; it scrolls where it does not fit."""

    WIDTH = 112

    def __init__(self, palette: Palette, glyphs: Glyphs, scope: str, keymap: Mapping[str, str]) -> None:
        self._glyphs, self._scope, self._keymap = glyphs, scope or actions.MAIN, keymap
        self._top = 0
        title = TITLES.get(self._scope, "Keys")
        super().__init__(palette, title, [], [Choice(key="escape", label="Close", value="", shown="esc")])

    def draw(self) -> None:
        """As many columns of keys as fit, then the signs."""
        width = max(38, min(self.WIDTH, self.app.size.width) - 2)
        lines = self._lines(width)
        room = self.app.size.height - 2
        self._top = min(self._top, max(0, len(lines) - room))
        shown = lines[self._top : self._top + room]
        if self._top + room < len(lines):
            shown[-1] = Line(width, base="panel").put(2, "j", "key").add(" more", "muted")
        box = self.query_one("#box")
        box.styles.width, box.styles.height = width + 2, len(shown) + 2
        canvas = self.query_one("#said", Canvas)
        canvas.styles.height = len(shown)
        canvas.show(shown)

    def _lines(self, width: int) -> list[Line]:
        groups = [*_groups(self._scope, self._keymap), _signs(self._glyphs)]
        columns = _columns(groups, 1 if width < TWO_COLUMNS else 2)
        wide = width // len(columns)
        lines = []
        for n in range(max(map(len, columns))):
            line = Line(width, base="panel")
            for at, column in enumerate(columns):
                for place, text, style in column[n] if n < len(column) else ():
                    line.put(max(line.at, at * wide + 2 + place), text, style, room=max(0, wide - place - 3))
            lines.append(line)
        return lines + [Line(width, base="panel").put(2, text, "muted") for text in wrapped(NOTE, width - 4)]

    def action_scroll(self, by: int) -> None:
        """Move, where it does not fit."""
        self._top = max(0, self._top + by)
        self.draw()

    def other_key(self, key: str) -> None:
        """Lists' keys scroll; the key that opened it closes it."""
        step = {"j": 1, "down": 1, "k": -1, "up": -1, "pagedown": 10, "pageup": -10}.get(key)
        if step:
            self.action_scroll(step)
        elif key in ("question_mark", "q", "f1"):
            self.dismiss("")


def _groups(scope: str, keymap: Mapping[str, str]) -> list[Group]:
    """The actions of a screen by what they are about."""
    known = [action for action in actions.within(scope) if action.id not in UNSAID]
    ids = {action.id for action in known}
    firsts = {second: first for first, (second, _words) in PAIRS.items()}
    groups = []
    for title, prefixes in GROUPS.items():
        rows: Group = []
        for action in known:
            if not action.id.startswith(prefixes) or (action.id in firsts and firsts[action.id] in ids):
                continue
            key, words = actions.shown_key(actions.key_of(action, keymap)), action.help
            if action.id in PAIRS and PAIRS[action.id][0] in ids:
                second, words = PAIRS[action.id]
                key += f" {actions.shown_key(actions.key_of(actions.BY_ID[second], keymap))}"
            rows.append(((0, key, "key"), (max(KEY_ROOM, cells(key) + 1), words, "")))
        if rows:
            groups.append([((0, title, "title"),), *rows])
    return groups


def _signs(glyphs: Glyphs) -> Group:
    """What the signs of the states mean."""
    rows: Group = [((0, "SIGNS", "title"),)]
    for n in range(0, len(STATES), SIGNS_A_ROW):
        places = (0, 12, 25)
        rows.append(
            tuple(
                part
                for place, state in zip(places, STATES[n : n + SIGNS_A_ROW], strict=False)
                for part in ((place, glyphs.state(state), ""), (place + 2, state, "muted"))
            )
        )
    rows.append(((0, "3/6", ""), (4, "third slice of six", "muted"), (25, "#3", ""), (28, "third", "muted")))
    return rows


def _columns(groups: list[Group], count: int) -> list[Group]:
    """Groups one below the other, in columns as long as each other as can be."""
    if count == 1:
        return [_stacked(groups)]
    order = [groups[-1], *groups[:-1]]  # the signs go where there is room: below the first column
    best = min(range(1, len(order)), key=lambda n: max(len(_stacked(_first(order, n))), len(_stacked(order[n:]))))
    return [_stacked(_first(order, best)), _stacked(order[best:])]


def _first(order: list[Group], count: int) -> list[Group]:
    return [*order[1:count], order[0]]


def _stacked(groups: list[Group]) -> Group:
    rows: Group = []
    for group in groups:
        rows += [(), *group] if rows else group
    return rows
