"""The pane of runs in progress."""

from __future__ import annotations

from textual.reactive import reactive

from backprop_tui.tui.draw import active as draw
from backprop_tui.tui.draw.bands import one_line
from backprop_tui.tui.widgets.pane import ListPane

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from textual import events

    from backprop_tui.tui.draw.active import ActiveRow
    from backprop_tui.tui.draw.glyphs import Glyphs
    from backprop_tui.tui.palette import Palette

EMPTY = "Nothing is running. n launches a run, r resumes one from history."


class ActivePane(ListPane):
    """A row a run; the cursor stays with its run, and its row stays where it is while the cursor is on it."""

    cursor: reactive[str | None] = reactive(None, init=False, repaint=False)

    def __init__(self, palette: Palette, glyphs: Glyphs, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(palette, glyphs, id=id)
        self.rows: tuple[ActiveRow, ...] = ()
        self.marks: Mapping[str, object] = {}
        """Marked runs by id."""
        self._top = 0

    def take(self, rows: Sequence[ActiveRow]) -> None:
        """Show these runs from now on."""
        self.rows = self._steady(tuple(rows))
        ids = [row.id for row in self.rows]
        if self.cursor not in ids:
            self.cursor = ids[0] if ids else None
        self.redraw()

    @property
    def current(self) -> ActiveRow | None:
        """The run under the cursor."""
        return next((row for row in self.rows if row.id == self.cursor), None)

    @property
    def cursor_row(self) -> int:
        """Where the cursor is drawn, from the pane's top."""
        ids = [row.id for row in self.rows]
        return 1 + ids.index(self.cursor) - self._top if self.cursor in ids else 0

    def move(self, by: int) -> None:
        """Move the cursor by so many rows, as far as they go."""
        ids = [row.id for row in self.rows]
        if ids:
            at = ids.index(self.cursor) if self.cursor in ids else 0
            self.cursor = ids[min(len(ids) - 1, max(0, at + by))]

    def go_to(self, run_id: str) -> bool:
        """Put the cursor on this run; False if it is not here."""
        if not any(row.id == run_id for row in self.rows):
            return False
        self.cursor = run_id
        return True

    def redraw(self) -> None:
        """Draw what is known now."""
        width, room = self.size.width, max(1, self.size.height - 1)
        title = draw.title(width, len(self.rows), focused=self.has_focus)
        if not self.rows:
            self.show([title, one_line(EMPTY, width)])
            return
        ids = [row.id for row in self.rows]
        at = ids.index(self.cursor) if self.cursor in ids else 0
        self._top = min(max(self._top, at - room + 1), at, max(0, len(ids) - room))
        seen = self.rows[self._top : self._top + room]
        lines = draw.lines(width, seen, self.glyphs, cursor=self.cursor, focused=self.has_focus, marked=self.marks)
        self.show([title, *lines])

    def _steady(self, rows: tuple[ActiveRow, ...]) -> tuple[ActiveRow, ...]:
        """The row under the cursor stays in its place until the cursor leaves it."""
        before = [row.id for row in self.rows]
        after = [row.id for row in rows]
        if self.cursor not in before or self.cursor not in after:
            return rows
        at = min(before.index(self.cursor), len(rows) - 1)
        kept = rows[after.index(self.cursor)]
        others = [row for row in rows if row.id != self.cursor]
        return (*others[:at], kept, *others[at:])

    def watch_cursor(self, _old: str | None, new: str | None) -> None:
        self.post_message(self.Moved())
        self.redraw()

    def on_click(self, event: events.Click) -> None:
        at = event.y - 1 + self._top
        if event.y >= 1 and at < len(self.rows):
            self.cursor = self.rows[at].id
            if event.chain == 2:
                self.post_message(self.Chosen())

    def on_mouse_scroll_down(self) -> None:
        self.move(1)

    def on_mouse_scroll_up(self) -> None:
        self.move(-1)
