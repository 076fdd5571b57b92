"""Every action: its keys, its words, and where it works.

Bindings, footers, help and command palette are all made from this table.
"""

from __future__ import annotations

from backprop_tui.frozen import Frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from textual.binding import BindingType

MAIN, RUN, LOG, COMPARE = "main", "run", "log", "compare"
ALL = (MAIN, RUN, LOG, COMPARE)
SEEN = (MAIN, RUN, COMPARE)
"""Where letters are free for verbs: a log takes n and ! for itself."""


class Action(Frozen):
    """Something that a key does."""

    id: str
    """What a user's keymap names, such as run.kill."""
    keys: str
    """Textual's names, with commas; the first is the one that is shown."""
    action: str
    """The method behind it; app. before those that work on runs."""
    label: str
    """For the footer, a word or two."""
    help: str
    """For the help and the command palette."""
    scopes: tuple[str, ...]


def _action(id_: str, keys: str, action: str, label: str, words: str = "", scopes: tuple[str, ...] = (MAIN,)) -> Action:
    return Action(id=id_, keys=keys, action=action, label=label, help=words or label, scopes=scopes)


ACTIONS: tuple[Action, ...] = (
    _action("run.launch", "n", "app.launch", "launch", "launch a run", SEEN),
    _action("app.demo", "d", "app.demo", "demo run", "a demo of half a minute, while there is no run"),
    _action("run.open", "enter,right", "app.open", "open", "open the run"),
    _action("run.resume", "r", "app.resume", "resume", "resume where it was saved", ALL),
    _action("run.again", "R", "app.again", "run again", "run again from step 0", ALL),
    _action("run.kill", "K", "app.kill", "kill", "kill: save and stop", ALL),
    _action("run.pause", "p", "app.pause", "pause", "pause, continue", ALL),
    _action("run.hold", "h", "app.hold", "hold", "hold in the queue; release", ALL),
    _action("run.why", "w", "app.why", "why", "why: every rule of the Governor", SEEN),
    _action("run.extend", "plus,equals_sign", "app.extend(5)", "5 min", "5 minutes more", ALL),
    _action("run.shorten", "minus", "app.extend(-5)", "5 min off", "take 5 minutes off again", ALL),
    _action("run.box", "t", "app.box", "time box", "time box: more, less", ALL),
    _action("run.logs", "l", "app.logs", "logs", "logs, full screen", SEEN),
    _action("run.star", "asterisk", "app.star", "star", "star, unstar", ALL),
    _action("run.edit", "e", "app.edit", "edit", "name, tags, note", ALL),
    _action("run.copy", "y", "app.copy", "copy", "copy id, command, path", ALL),
    _action("run.export", "E", "app.export", "export", "export the metrics as CSV", (MAIN, RUN, COMPARE)),
    _action("run.remove", "D", "app.remove", "remove", "archive, delete", (MAIN, RUN)),
    _action("list.down", "j,down", "move(1)", "down", "down (or arrows)", ALL),
    _action("list.up", "k,up", "move(-1)", "up", "up", ALL),
    _action("list.first", "g,home", "first", "first", "first", ALL),
    _action("list.last", "G,end", "last", "last", "last", ALL),
    _action("list.page_down", "pagedown,ctrl+d", "page(0.5)", "half a page", "half a page down", ALL),
    _action("list.page_up", "pageup,ctrl+u", "page(-0.5)", "half a page", "half a page up", ALL),
    _action("list.filter", "slash", "filter", "filter", "filter while you type"),
    _action("list.sort", "s", "app.sort", "sort", "sort by"),
    _action("list.mark", "space", "mark", "mark", "mark, unmark"),
    _action("list.compare", "c", "app.compare", "compare", "compare marked runs", (MAIN, RUN)),
    _action("list.archived", "A", "archived", "archived", "archived runs, and back"),
    _action("list.undo", "u", "app.undo", "undo", "undo archive, star, edit, unmark"),
    _action(
        "run.previous", "left_square_bracket", "app.turn(-1)", "previous run", "the run before in the list", (RUN,)
    ),
    _action("run.next", "right_square_bracket", "app.turn(1)", "next run", "the next run in the list", (RUN,)),
    _action("chart.metric", "m", "metric", "metric", "next metric", (RUN, COMPARE)),
    _action("chart.log", "L", "switch('is_log')", "log axis", "log axis", (RUN, COMPARE)),
    _action("chart.time", "T", "switch('by_time')", "by time", "by time, by step", (RUN, COMPARE)),
    _action("chart.outliers", "O", "switch('shows_all')", "outliers", "outliers too", (RUN, COMPARE)),
    _action("compare.hide", "space", "hide", "hide", "hide, show its curve", (COMPARE,)),
    _action("compare.take_out", "x", "take_out", "take out", "take out of the comparison", (COMPARE,)),
    _action("compare.same", "a", "switch('shows_same')", "all", "parameters that are the same, too", (COMPARE,)),
    _action("log.search", "slash", "search", "search", "search upwards", (LOG,)),
    _action("log.next", "n", "again(True)", "next", "next match", (LOG,)),
    _action("log.previous", "N", "again(False)", "previous", "previous match", (LOG,)),
    _action("log.follow", "f", "last", "follow", "follow the end", (LOG,)),
    _action("log.wrap", "w", "wrap", "wrap", "wrap long lines", (LOG,)),
    _action("log.problems", "exclamation_mark", "problems", "errors only", "errors and warnings only", (LOG,)),
    *(
        _action(f"tab.{n}", str(n), f"tab({n - 1})", word, word, (RUN,))
        for n, word in enumerate(("overview", "log", "curves", "checkpoints", "setup", "events"), 1)
    ),
    _action("checkpoint.resume", "enter", "choose", "resume from it", "resume from this checkpoint", (RUN,)),
    _action("pane.next", "tab", "next_pane(1)", "next pane", "next pane"),
    _action("pane.previous", "shift+tab", "next_pane(-1)", "pane before", "pane before"),
    _action("pane.active", "1", "pane('active')", "active", "the runs in progress"),
    _action("pane.history", "2", "pane('history')", "history", "the history"),
    _action("pane.preview", "3", "pane('preview')", "preview", "curve and log beside the lists"),
    _action("screen.zoom", "z", "zoom", "zoom", "zoom, and back", SEEN),
    _action("screen.gauges", "v", "gauges", "gauges", "gauges in another form"),
    _action("screen.problems", "exclamation_mark", "app.problems", "problems", "problems", SEEN),
    _action("box.drain", "H", "app.drain", "drain", "drain the box: nothing new starts, and back", SEEN),
    _action("box.yield", "Y", "app.give_back", "yield", "yield the box: all save, stop, come back later", SEEN),
    _action("screen.commands", "colon,ctrl+p", "app.commands", "commands", "all commands", ALL),
    _action("screen.settings", "comma", "app.settings", "settings", "settings", ALL),
    _action("screen.help", "question_mark,f1", "app.keys", "help", "help", ALL),
    _action("screen.redraw", "ctrl+l,f5", "app.redraw", "draw again", "draw everything again", ALL),
    _action("screen.back", "escape,left", "back", "back", "back; clear filter, marks", ALL),
    _action("screen.leave", "q", "back", "back", "back", (RUN, LOG, COMPARE)),
    _action("app.suspend", "ctrl+z", "app.suspend_process", "suspend", "back to the shell", ALL),
    _action("app.quit", "q", "app.leave", "quit", "quit (runs keep going)"),
    _action("app.quit_anywhere", "ctrl+q", "app.leave", "quit", "quit from anywhere", (RUN, LOG, COMPARE)),
)
BY_ID = {action.id: action for action in ACTIONS}
FOOTERS: dict[str, tuple[str, ...]] = {
    "active": (
        "run.launch", "run.open", "run.kill", "run.pause", "run.extend", "pane.next", "run.logs", "screen.problems",
        "run.copy", "run.edit", "screen.zoom", "screen.commands", "screen.settings",
    ),
    "queued": (
        "run.launch", "run.why", "run.hold", "run.kill", "run.open", "pane.next", "screen.problems", "run.edit",
        "run.copy", "screen.commands",
    ),
    "history": (
        "run.launch", "run.resume", "run.open", "list.filter", "list.mark", "list.sort", "pane.next", "run.logs",
        "run.star", "run.edit", "run.remove", "screen.zoom", "screen.commands",
    ),
    "marks": ("list.compare", "screen.back", "list.mark", "run.resume", "run.remove", "run.copy"),
    "archived": ("run.remove", "list.archived", "run.open", "list.filter"),
    "first": ("run.launch", "app.demo", "screen.commands", "screen.settings"),
    "run": (
        "run.kill", "run.pause", "run.extend", "run.box", "run.logs", "run.why", "run.copy", "run.edit",
        "run.previous", "run.next", "screen.commands",
    ),
    "waiting": (
        "run.hold", "run.kill", "run.why", "run.edit", "run.copy", "run.previous", "run.next", "screen.commands",
    ),
    "ended": (
        "run.resume", "tab.2", "run.copy", "run.edit", "run.remove", "run.again", "run.previous", "run.next",
        "screen.commands",
    ),
    "curves": ("chart.metric", "chart.log", "chart.time", "chart.outliers", "screen.zoom", "run.export"),
    "checkpoints": ("checkpoint.resume", "list.down", "run.copy", "run.previous", "run.next"),
    "log": (
        "log.next", "log.search", "log.follow", "log.problems", "log.wrap", "list.last", "run.copy",
    ),
    "compare": (
        "compare.hide", "compare.take_out", "chart.metric", "chart.log", "chart.time", "chart.outliers", "compare.same",
        "screen.zoom", "run.export",
    ),
}  # fmt: skip
"""What a footer names, in the order of importance."""
_SIGNS = {
    "plus": "+",
    "equals_sign": "=",
    "minus": "-",
    "asterisk": "*",
    "exclamation_mark": "!",
    "question_mark": "?",
    "colon": ":",
    "slash": "/",
    "comma": ",",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "escape": "esc",
    "pagedown": "PgDn",
    "pageup": "PgUp",
    "ctrl+l": "ctrl+l",
}


def shown_key(key: str) -> str:
    """A key of Textual's as people read it."""
    return _SIGNS.get(key, key)


def key_of(action: Action, keymap: Mapping[str, str]) -> str:
    """The first key of an action, as Textual names it, with what the user has changed."""
    return keymap.get(action.id, action.keys).partition(",")[0].strip()


def within(scope: str) -> list[Action]:
    """The actions that work on a screen."""
    return [action for action in ACTIONS if scope in action.scopes]


def bindings(scope: str) -> list[BindingType]:
    """A screen's bindings."""
    from textual.binding import Binding

    return [Binding(a.keys, a.action, a.label, show=False, id=a.id) for a in within(scope)]
