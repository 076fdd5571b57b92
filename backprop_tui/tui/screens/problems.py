"""What needs a person, and what the Governor takes care of."""

from __future__ import annotations

import time

from textual.binding import Binding
from textual.containers import Container
from textual.content import Content
from textual.screen import ModalScreen

from backprop_tui.tui.draw.line import Line
from backprop_tui.tui.draw.orders import sentences
from backprop_tui.tui.target import Target
from backprop_tui.tui.widgets.canvas import Canvas
from backprop_tui.watch.figures import age

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult

    from backprop_tui.tui.draw.glyphs import Glyphs
    from backprop_tui.tui.palette import Palette
    from backprop_tui.tui.state import Problem, State

WIDTH, HELD = 76, 6
HELD_STATES = ("paused", "queued", "timeboxed", "failed")
"""Of runs in progress: the last two are between two slices."""
KEYS = (("enter", "look"), ("r", "resume, run again"), ("x", "seen"))


class ProblemsDialog(ModalScreen["tuple[str, Target]"]):
    """Dismissed with a verb, open or resume, and its run; or with None."""

    DEFAULT_CLASSES = "dialog"
    AUTO_FOCUS = ""
    BINDINGS = [  # noqa: RUF012  # Textual reads it once
        Binding("escape,q,exclamation_mark", "leave", show=False),
        Binding("j,down", "move(1)", show=False),
        Binding("k,up", "move(-1)", show=False),
        Binding("enter", "answer('open')", show=False),
        Binding("r", "answer('resume')", show=False),
        Binding("x", "seen", show=False),
        Binding("X", "all_seen", show=False),
    ]

    def __init__(self, palette: Palette, glyphs: Glyphs, state: State, see: Callable[[str], None]) -> None:
        """`see` takes a run off the list for good."""
        super().__init__()
        self._palette, self._glyphs, self._state, self._see = palette, glyphs, state, see
        self._cursor = 0
        self.said = Canvas(palette, id="said")

    def compose(self) -> ComposeResult:
        with Container(id="box", classes="box"):
            yield self.said

    def on_mount(self) -> None:
        self.query_one("#box").border_title = Content("Problems")
        self.draw()

    def on_resize(self) -> None:
        self.draw()

    @property
    def current(self) -> Problem | None:
        """The problem under the cursor."""
        found = self._state.problems
        return found[min(self._cursor, len(found) - 1)] if found else None

    def draw(self) -> None:
        """Draw what is known now."""
        width = max(30, min(WIDTH, self.app.size.width) - 2)
        room = max(1, (self.app.size.height - 8) // 2)
        lines = [Line(width, base="panel"), *self._needs(width, room), *self._box(width), *self._held(width)]
        last = Line(width, base="panel")
        if self._state.problems:
            last.put(2, "X", "key").add(" All seen   ", "muted")
        last.put(last.at or 2, "esc", "key").add(" Close", "muted")
        lines = [*lines[: self.app.size.height - 4], Line(width, base="panel"), last]
        box = self.query_one("#box")
        box.styles.width, box.styles.height = width + 2, len(lines) + 2
        self.said.styles.height = len(lines)
        self.said.show(lines)

    def _needs(self, width: int, room: int) -> list[Line]:
        problems = self._state.problems
        if not problems and not self._state.box_problems:
            return [Line(width, base="panel").put(2, "Nothing needs you.", "ok")]
        top = max(0, min(self._cursor, len(problems) - 1) - room + 1)
        lines = []
        for n, problem in enumerate(problems[top : top + room], top):
            is_here = n == min(self._cursor, len(problems) - 1)
            since = age(max(0.0, time.time() - problem.t))
            reason = f": {problem.reason}" if problem.reason else ""
            line = Line(width, base="cursor" if is_here else "panel")
            line.put(1, self._glyphs.cursor if is_here else "", "accent")
            line.put(2, f"{self._glyphs.state(problem.state)} {problem.name}", "bad bold", room=20)
            lines.append(line.put(23, f"{problem.state} {since} ago{reason}", room=width - 25))
            if is_here:
                keys = Line(width, base="panel").put(23, "")
                for key, words in KEYS:
                    keys.put(max(23, keys.at + 2 if keys.at > 23 else 23), key, "key").add(f" {words}", "muted")
                lines.append(keys)
        return lines

    def _box(self, width: int) -> list[Line]:
        return [Line(width, base="panel").put(2, text, "bad bold", room=width - 4) for text in self._state.box_problems]

    def _held(self, width: int) -> list[Line]:
        """Orders for the box, then the runs that the Governor holds or brings on by itself."""
        held = [row for row in self._state.rows if row.state in HELD_STATES and not row.is_by_person]
        ordered = sentences(self._state.orders)
        if not held and not ordered:
            return []
        title = Line(width, base="panel").put(2, "The Governor is taking care of these:", "muted")
        lines = [Line(width, base="panel"), title]
        lines += [
            Line(width, base="panel").put(2, f"{text[:1].upper()}{text[1:]}.", "hold", room=width - 4)
            for text in ordered
        ]
        for row in held[:HELD]:
            line = Line(width, base="panel").put(2, f"{self._glyphs.state(row.state)} {row.name}", "hold", room=20)
            text = self._glyphs.words(f"{row.state}: {row.reason or row.reason_long}")
            lines.append(line.put(23, text, room=width - 25))
        if len(held) > HELD:
            lines.append(Line(width, base="panel").put(4, f"and {len(held) - HELD} more", "muted"))
        return lines

    def action_move(self, by: int) -> None:
        self._cursor = max(0, min(len(self._state.problems) - 1, self._cursor + by))
        self.draw()

    def action_answer(self, verb: str) -> None:
        found = self.current
        if found is not None:
            self.dismiss((verb, Target(id=found.run_id, name=found.name, state=found.state)))

    def action_seen(self) -> None:
        """Take it off the list."""
        found = self.current
        if found is not None:
            self._see(found.run_id)
            self.draw()

    def action_all_seen(self) -> None:
        """Take all off the list."""
        for problem in list(self._state.problems):
            self._see(problem.run_id)
        self.draw()

    def action_leave(self) -> None:
        self.dismiss(None)
