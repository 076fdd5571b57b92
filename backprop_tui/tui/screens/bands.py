"""How the main screen is laid out and drawn: bands from top to bottom, and what each of them shows."""

from __future__ import annotations

import time

from textual.containers import Container

from backprop_tui.tui import actions
from backprop_tui.tui.draw import bands, orders
from backprop_tui.tui.draw.gauges import Gauges
from backprop_tui.tui.draw.gpus import Use
from backprop_tui.tui.draw.history import FILTER_ROOM
from backprop_tui.tui.draw.start import lines as draw_start
from backprop_tui.tui.screens.page import Page
from backprop_tui.tui.target import Target
from backprop_tui.tui.widgets.active import ActivePane
from backprop_tui.tui.widgets.canvas import Canvas
from backprop_tui.tui.widgets.column import Column
from backprop_tui.tui.widgets.filter import FilterField
from backprop_tui.tui.widgets.history import HistoryPane
from backprop_tui.tui.widgets.preview import ROWS as PREVIEW_ROWS
from backprop_tui.tui.widgets.preview import Preview

TYPE_CHECKING = False
if TYPE_CHECKING:
    from textual.app import ComposeResult

    from backprop_tui.tui.palette import Palette
    from backprop_tui.tui.state import State
    from backprop_tui.tui.terminal import Look

AIRY = 34
MEDIUM, WIDE, LEFT_WIDTH = 110, 190, 124
LEAST_LISTS = 7
"""Rows that the gauges leave to what frames the screen and to a row in each list."""
LEAST_HISTORY = 10
"""Rows that the history keeps when the preview is shown."""


class Bands(Page):
    """Header, news, gauges, ACTIVE, HISTORY, footer; on a tall screen a preview, on a wide one a page beside them."""

    def __init__(self, state: State, palette: Palette, look: Look, *, gauges: str = "auto") -> None:
        super().__init__(palette, look)
        self._state = state
        self.max_temp_c = 0
        """Of a GPU that a run may start on."""
        glyphs = look.glyphs
        # Kept at hand: what comes in while the screen is made or taken apart finds them all the same.
        self.header, self.news = Canvas(palette, id="header"), Canvas(palette, id="news")
        self.gauges, self.start = Canvas(palette, id="gauges"), Canvas(palette, id="start")
        self.active = ActivePane(palette, glyphs, id="active")
        self.history = HistoryPane(palette, glyphs, id="history")
        self.preview = Preview(palette, glyphs, id="preview")
        self.column = Column(palette, glyphs, id="column")
        self.filter = FilterField()
        self.marks: dict[str, Target] = {}
        self.active.marks = self.history.marks = self.marks
        self.gauge_mode = gauges
        self._zoomed = ""
        self._last: ActivePane | HistoryPane = self.active
        self._has_chosen_pane = False
        self._minute = 0
        self._second = 0

    def compose(self) -> ComposeResult:
        yield self.header
        yield self.news
        with Container(id="body"):
            with Container(id="left"):
                yield self.gauges
                yield self.active
                yield self.history
                yield self.start
                yield self.preview
                yield self.filter
            yield self.column
        yield self.footer

    def on_mount(self) -> None:
        self.filter.display = self.start.display = False
        self.active.focus()
        self.lay_out()

    # --- drawing

    @property
    def list_width(self) -> int:
        """Columns of the lists: all, or on a wide screen those beside the page of the run."""
        return LEFT_WIDTH if self.size.width >= WIDE else self.size.width

    def lay_out(self) -> None:
        """Give every band its height."""
        width, height = self.size
        if not width or not height:
            return
        zoomed, gap = self._zoomed, 1 if height >= AIRY else 0
        self.column.display = width >= WIDE and not zoomed
        self.query_one("#left").styles.width = LEFT_WIDTH if self.column.display else "1fr"
        self.gauges.display = not zoomed
        self.draw_gauges()
        for pane in (self.gauges, self.active, self.history):
            pane.styles.margin = (0 if zoomed else gap, 0, 0, 0)
        most = max(min(4, height - LEAST_LISTS + 1), height // 4, 1)
        rows = min(max(1, len(self.active.rows), 4 if gap else 1), most)
        self.active.styles.height = "1fr" if zoomed == "active" else 1 + rows
        if not self.is_first_run:
            self.active.display = zoomed in ("", "active")
            self.history.display = zoomed in ("", "history")
        self._lay_out_preview(rows, gap)
        self.draw_frame()
        self.call_after_refresh(self._place_filter)

    def _lay_out_preview(self, rows: int, gap: int) -> None:
        width, height = self.size
        left = height - 3 - (self.gauges.styles.height.value if self.gauges.styles.height else 0) - rows - 2 - 4 * gap
        fits = gap and MEDIUM <= width < WIDE and left - PREVIEW_ROWS >= LEAST_HISTORY and not self.is_first_run
        shown = self._zoomed == "preview" or (bool(fits) and not self._zoomed)
        if shown != self.preview.display:
            self.preview.display = shown
        self.preview.styles.height = "1fr" if self._zoomed == "preview" else PREVIEW_ROWS
        self.preview.styles.margin = (0 if self._zoomed else gap, 0, 0, 0)
        self.look_at_cursor()

    @property
    def _has_preview(self) -> bool:
        """Whether the screen is one that a preview fits on."""
        return MEDIUM <= self.size.width < WIDE and self.size.height >= AIRY

    def _place_filter(self) -> None:
        top = self.history.region.y - self.query_one("#left").region.y + 1
        self.filter.styles.offset = (3, top)
        self.filter.styles.width = max(8, min(FILTER_ROOM, self.list_width - 4))

    def welcome(self) -> None:
        """START HERE in place of the lists, as long as there is no run at all."""
        start = self.start
        self._choose_pane()
        is_first = self.history.total == 0 and not self.active.rows and not self.history.view.text
        is_first = is_first and not self.history.view.archived and not self._zoomed
        if is_first != start.display:
            start.display = is_first
            self.active.display = self.history.display = not is_first
            (self if is_first else self.active).focus()
            self.lay_out()
        if is_first:
            start.show(draw_start(self.list_width, max(1, start.size.height), self.look.glyphs))
        self.draw_frame()

    def _choose_pane(self) -> None:
        """Where nothing runs, what one looks for is in the history."""
        if self._has_chosen_pane or not self.history.total or self._state.snapshot is None:
            return
        self._has_chosen_pane = True
        if not self._state.rows:
            self.history.focus()

    @property
    def is_first_run(self) -> bool:
        """Nothing has ever run here."""
        return bool(self.start.display)

    def draw_gauges(self) -> None:
        """The box."""
        canvas = self.gauges
        if self._state.box is None or not canvas.display:
            canvas.styles.height = 0
            return
        history = {index: list(values) for index, values in self._state.use.items()}
        gauges = Gauges(
            self._state.box,
            self.look.glyphs,
            max_temp_c=self.max_temp_c,
            now=time.time(),
            use=Use(runs=self._state.users, me=self._state.me, history=history),
        )
        lines = gauges.lines(self.list_width, self.size.height, self.gauge_mode)
        lines = lines[: max(0, self.size.height - LEAST_LISTS)]
        canvas.styles.height = len(lines)
        canvas.show(lines)

    def draw_frame(self) -> None:
        """Header, news and footer."""
        width, glyphs, state = self.size.width, self.look.glyphs, self._state
        host, clock = state.box.name if state.box else "", time.strftime("%H:%M:%S")
        ordered = orders.short(state.orders)
        head = bands.Head(needs=state.needs, counts=state.counts, orders=ordered, host=host, clock=clock)
        self.header.show([bands.header(width, glyphs, head)])
        text, style, more = state.headline(glyphs)
        self.news.show([bands.news(width, glyphs.words(text), style, more=more)])
        if self.filter.has_focus:
            self.footer.offer(FILTERING, HELP)
        else:
            self.draw_footer(self._footer(), self._labels())

    def _footer(self) -> tuple[str, ...]:
        if self.is_first_run:
            return actions.FOOTERS["first"]
        if self.marks:
            return actions.FOOTERS["marks"]
        if self.history.view.archived:
            return actions.FOOTERS["archived"]
        current = self.pane.current
        if self.pane is self.active and current is not None and current.state == "queued":
            return actions.FOOTERS["queued"]
        return actions.FOOTERS["history" if self.pane is self.history else "active"]

    def _labels(self) -> dict[str, str]:
        found = {"pane.next": "active" if self.pane is self.history else "history"}
        row = self.active.current if self.pane is self.active else None
        if row is not None and row.state == "paused" and row.is_by_person:
            found["run.pause"] = "continue"
        if row is not None and row.is_held:
            found["run.hold"] = "release"
        if self.history.view.archived:
            found |= {"run.remove": "bring back", "list.archived": "history"}
        if self.marks:
            found |= {"list.compare": f"compare {len(self.marks)}", "screen.back": "unmark"}
        return found

    def draw(self) -> None:
        """Everything anew."""
        glyphs = self.look.glyphs
        self.active.glyphs = self.history.glyphs = self.preview.glyphs = self.column.glyphs = glyphs
        self.lay_out()
        for pane in (self.active, self.history, self.preview, self.column):
            pane.redraw()
        self.welcome()

    def tick(self) -> None:
        """A second may have passed: each is drawn once, with whatever comes in first."""
        second = int(time.time())
        if second == self._second:
            return
        self._second = second
        self.draw_frame()
        self.draw_gauges()
        if self.column.display:
            self.column.box = self._state.box
            self.column.redraw()
        minute = int(time.time() // 60)
        if minute != self._minute or self.history.has_seconds:
            self._minute = minute
            self.history.redraw()

    # --- what the screen that is made of it says

    @property
    def pane(self) -> ActivePane | HistoryPane:
        """The list that keys act on: the one that had the focus last."""
        return self._last

    def look_at_cursor(self, *, again: bool = False) -> None:
        """Follow the cursor with what is shown beside the lists; `again` after somebody else looked elsewhere."""
        raise NotImplementedError


FILTERING = (
    bands.Hint(key="enter", label="keep", press="enter"),
    bands.Hint(key="esc", label="clear", press="escape"),
    bands.Hint(key="up down", label="move", press="down"),
    bands.Hint(key="tab", label="fields: status tag script loss age", press="tab"),
)
HELP = (bands.Hint(key="F1", label="help", press="f1"),)
