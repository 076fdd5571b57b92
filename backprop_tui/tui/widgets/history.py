"""The pane of past runs: any number of them, only those in sight are read."""

from __future__ import annotations

import time
from array import array

from textual.message import Message
from textual.reactive import reactive

from backprop_tui.tui.draw import history as draw
from backprop_tui.tui.draw.bands import one_line
from backprop_tui.tui.draw.line import Line
from backprop_tui.tui.widgets.pane import ListPane
from backprop_tui.watch.pages import View

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence, Set

    from textual import events

    from backprop_tui.store.rows import Row
    from backprop_tui.tui.draw.glyphs import Glyphs
    from backprop_tui.tui.palette import Palette
    from backprop_tui.watch.pages import Listing

AHEAD = 2
"""Screens above and below what is in sight that are read as well."""
SECONDS_BELOW_S = 61.0
"""Younger than this an age is told in seconds, and once more in minutes."""
KEPT = 2000
"""Rows that are kept in memory, at most."""
DESCENDING = frozenset({"age", "took", "steps", "checkpoints"})


class HistoryPane(ListPane):
    """A row a run; the cursor stays with its run whatever comes in above it."""

    class RowsWanted(Message):
        """These rows are in sight, or soon will be, and have not been read."""

        def __init__(self, keys: Sequence[int]) -> None:
            super().__init__()
            self.keys = keys

    cursor: reactive[int | None] = reactive(None, init=False, repaint=False)
    """The key of the run under it."""

    def __init__(self, palette: Palette, glyphs: Glyphs, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(palette, glyphs, id=id)
        self.view = View()
        self.keys: array[int] = array("q")
        self.total: int | None = None
        """Runs in the history; None before the first answer."""
        self.is_whole = False
        self.marks: Mapping[str, object] = {}
        """Marked runs by id."""
        self.has_filter = False
        """Whether the row below the title is kept for the filter."""
        self.has_active = False
        """Whether something runs: an empty history then has a reason."""
        self._rows: dict[int, Row] = {}
        self._top = 0
        self._at = 0
        """Where the cursor is."""
        self._beyond = 0
        """How far the cursor was sent behind the end of a listing that was not whole."""
        self._asked: frozenset[int] = frozenset()
        self._gone: frozenset[int] = frozenset()
        """Rows that are not there any more, until the next listing."""
        self._is_touched = False
        """Somebody has moved the cursor."""
        self._awaits: str | None = None

    # --- what comes in

    def take_listing(self, listing: Listing) -> None:
        """Show this view from now on."""
        is_other = listing.view != self.view
        if not is_other and not listing.is_whole and self._at >= len(listing.keys):
            return  # the cursor is behind what this one holds: the whole follows
        self.view, self.total, self.is_whole = listing.view, listing.total, listing.is_whole
        self.keys = listing.keys
        self._asked = self._gone = frozenset()
        if is_other or self.cursor is None or not (self._is_touched or self.has_focus):
            self._top = self._at = self._beyond = 0
            self.cursor = self.keys[0] if self.keys else None
        else:
            self._stay()
        if self.is_whole and self._beyond:
            self.move(self._beyond)
        self.redraw()

    def take_rows(self, rows: Mapping[int, Row], asked: Set[int] = frozenset()) -> None:
        """Rows that were asked for; those of them that are gone are not asked for again."""
        self._gone |= asked - rows.keys()
        if len(self._rows) + len(rows) > KEPT:
            sight = set(self._in_sight(AHEAD))
            self._rows = {key: row for key, row in self._rows.items() if key in sight}
        fresh = self.cursor is not None and self._rows.get(self.cursor) != rows.get(self.cursor)
        self._rows.update(rows)
        self._asked = frozenset()
        if self._awaits is not None:
            self.go_to(self._awaits)
        self.redraw()
        if fresh and self.cursor in rows:
            self.post_message(self.Moved())

    def forget(self) -> None:
        """What was read may be old: read what is in sight again, showing it meanwhile."""
        wanted = self._in_sight(0)
        self._rows = {key: self._rows[key] for key in wanted if key in self._rows}
        if wanted:
            self.post_message(self.RowsWanted(wanted))

    def _stay(self) -> None:
        """Keep the cursor on its run, in its place on the screen."""
        place = self._at - self._top
        try:
            self._at = self.keys.index(self.cursor)  # type: ignore[arg-type]  # not None: it was looked at
        except ValueError:
            if not self.is_whole:
                return  # it may come with the rest
            self._at = min(self._at, len(self.keys) - 1)
            self.cursor = self.keys[self._at] if self.keys else None
        self._top = max(0, self._at - place)

    # --- moving

    @property
    def current(self) -> Row | None:
        """The run under the cursor."""
        return None if self.cursor is None else self._rows.get(self.cursor)

    @property
    def cursor_row(self) -> int:
        """Where the cursor is drawn, from the pane's top."""
        return 1 + self.has_filter + self._at - self._top

    @property
    def has_seconds(self) -> bool:
        """Whether an age in sight is told in seconds: such a one grows with every second."""
        rows = [self._rows.get(key) for key in self._in_sight(0)]
        now = time.time()
        return any(row is not None and now - (row.ended or row.created) < SECONDS_BELOW_S for row in rows)

    def at_hand(self) -> list[Row]:
        """The rows that are known, in order."""
        return [self._rows[key] for key in self.keys[:KEPT] if key in self._rows]

    def row(self, key: int) -> Row | None:
        """A row that is at hand."""
        return self._rows.get(key)

    def move(self, by: int) -> None:
        """Move the cursor by so many rows, as far as they go."""
        self._is_touched, self._awaits = True, None
        if self.keys:
            last, at = len(self.keys) - 1, self._at + by
            self._beyond = 0 if self.is_whole else max(0, at - last)
            self._at = min(last, max(0, at))
            self.cursor = self.keys[self._at]

    def page(self, by: float) -> None:
        """Move by so many screens, by a row at least."""
        rows = max(1, int(abs(by) * self._room()))
        self.move(rows if by > 0 else -rows)

    def await_run(self, run_id: str) -> None:
        """The cursor goes to this run as soon as it is listed in sight, unless somebody moves it first."""
        self._awaits = run_id

    def go_to(self, run_id: str) -> bool:
        """Put the cursor on this run; False if it is not among those at hand."""
        key = next((key for key, row in self._rows.items() if row.id == run_id), None)
        if key is None or key not in self.keys:
            return False
        self.move(self.keys.index(key) - self._at)
        return True

    # --- drawing

    def redraw(self) -> None:
        """Draw what is known now."""
        width, room = self.size.width, self._room()
        self._top = min(max(self._top, self._at - room + 1), self._at, max(0, len(self.keys) - room))
        sight = self.keys[self._top : self._top + room]
        rows = [self._rows.get(key) for key in sight]
        look = draw.Look(
            width=width,
            glyphs=self.glyphs,
            has_tags=any(row is not None and row.tags for row in rows),
            words=tuple(word for word in self.view.text.lower().split() if word.isalnum()),
        )
        lines = [self._title(look)]
        if self.has_filter:
            lines.append(draw.filter_line(width, self.view.text))
        now = time.time()
        for key, row in zip(sight, rows, strict=True):
            style = ("cursor" if self.has_focus else "cursor-off") if key == self.cursor else ""
            if row is None:
                lines.append(Line(width, base=style))
            else:
                lines.append(draw.row(look, row, now=now, cursor=style, marked=row.id in self.marks))
        if not sight and self.total is not None:
            lines.append(one_line(self._why_empty(), width))
        self.show(lines)
        self._want()

    def _title(self, look: draw.Look) -> Line:
        text = ""
        if self.total is not None:
            text = f"{self.total:,}"
            if self.view.text:
                text = f"{len(self.keys):,}{'' if self.is_whole else '+'} of {text}"
            if self.marks:
                text += f" {self.glyphs.dot} {len(self.marks)} marked"
        return draw.title(
            look,
            text=text,
            sort=self.view.sort,
            is_descending=(self.view.sort in DESCENDING) != self.view.reverse,
            focused=self.has_focus,
            archived=self.view.archived,
        )

    def _why_empty(self) -> str:
        if strange := self.view.strange_word:
            return f'No run matches: "{strange}" names no field or value that is known. F1 tells. esc clears.'
        if self.view.text:
            return f'No run matches "{self.view.text}". esc clears.'
        if self.view.archived:
            return "Nothing is archived. D on an ended run archives it."
        return "Ended runs will be listed here." if self.has_active else "No runs yet. n launches one."

    def _want(self) -> None:
        missing = [
            key for key in self._in_sight(AHEAD) if key not in self._rows and key not in self._asked | self._gone
        ]
        if missing:
            self._asked = frozenset(missing) | self._asked
            self.post_message(self.RowsWanted(missing))

    def _in_sight(self, ahead: int) -> list[int]:
        room = self._room()
        return list(self.keys[max(0, self._top - ahead * room) : self._top + (1 + ahead) * room])

    def _room(self) -> int:
        return max(1, self.size.height - 1 - self.has_filter)

    # --- events

    def watch_cursor(self, _old: int | None, _new: int | None) -> None:
        self.post_message(self.Moved())
        self.redraw()

    def on_click(self, event: events.Click) -> None:
        first = 1 + self.has_filter
        at = event.y - first + self._top
        if event.y >= first and at < len(self.keys):
            self.move(at - self._at)
            row = self.current
            if event.chain == 2 and row is not None:
                self.post_message(self.Chosen())

    def on_mouse_scroll_down(self) -> None:
        self.move(3)

    def on_mouse_scroll_up(self) -> None:
        self.move(-3)
