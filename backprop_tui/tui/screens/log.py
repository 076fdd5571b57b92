"""A run's whole output, with search; it follows the end until one moves up."""

from __future__ import annotations

from textual import on
from textual.widgets import Input

from backprop_tui.tui import actions, messages
from backprop_tui.tui.draw import bands, logview
from backprop_tui.tui.logfeed import LogFeed
from backprop_tui.tui.screens.page import Page
from backprop_tui.tui.widgets.canvas import Canvas
from backprop_tui.tui.widgets.field import Field
from backprop_tui.watch.figures import room

TYPE_CHECKING = False
if TYPE_CHECKING:
    from textual.app import ComposeResult

    from backprop_tui.store.home import Home
    from backprop_tui.tui.palette import Palette
    from backprop_tui.tui.target import Target
    from backprop_tui.tui.terminal import Look

NOTHING = "It has printed nothing yet."
NO_PROBLEMS = "No line speaks of an error or a warning. ! shows all lines."
SEARCHING = (
    bands.Hint(key="enter", label="search upwards", press="enter"),
    bands.Hint(key="esc", label="leave the field", press="escape"),
)
TRACEBACK = "Traceback (most recent call last)"


class LogPage(Page):
    """Lines in sight are read by a thread of the page's own."""

    CSS_PATH = "log.tcss"
    SCOPE = actions.LOG
    BINDINGS = actions.bindings(actions.LOG)

    def __init__(self, home: Home, palette: Palette, look: Look, target: Target) -> None:
        super().__init__(palette, look)
        self._run = target
        self._feed = LogFeed(home, target.id, self.post_message)
        self._total, self._bytes = 0, 0
        self._only: tuple[int, ...] | None = None
        """The lines that are shown, None for all."""
        self._top = 0
        """Of what is shown, the first row in sight."""
        self._follows = True
        self._wraps = False
        self._lines: tuple[tuple[int, str], ...] = ()
        self._words, self._found = "", ""
        self._hit: int | None = None
        self._opens_at_error = target.state == "failed"
        self.title_line, self.body = Canvas(palette, id="title"), Canvas(palette, id="body")
        self.status = Canvas(palette, id="status")
        self.field = Field(id="search", compact=True, placeholder="search upwards from the end", select_on_focus=False)

    def compose(self) -> ComposeResult:
        yield self.title_line
        yield self.body
        yield self.status
        yield self.field
        yield self.footer

    @property
    def target(self) -> Target:
        return self._run

    def on_mount(self) -> None:
        self.field.display, self.field.cursor_blink = False, False
        self._feed.start()
        self.set_interval(1.0, self._frame)
        self.draw()

    def on_unmount(self) -> None:
        self._feed.stop()

    # --- what the thread says

    @on(messages.LogGrown)
    def _grown(self, message: messages.LogGrown) -> None:
        is_first = self._total == 0
        self._total, self._bytes = message.total, message.size
        if is_first and self._total and self._opens_at_error:
            self._feed.find(TRACEBACK, self._total, is_up=True)
        if self._only is not None:
            self._feed.find_problems()
        self._want()

    @on(messages.LogRead)
    def _lines_read(self, message: messages.LogRead) -> None:
        if message.wanted == self._wanted():
            self._lines = message.lines
            self.draw()

    @on(messages.LogFound)
    def _line_found(self, message: messages.LogFound) -> None:
        is_search = message.words == self._words
        if not is_search and not self._opens_at_error:
            return  # somebody has moved meanwhile
        self._opens_at_error = False
        if message.line is None:
            self._found = "no match" if is_search else ""
        else:
            self._hit = message.line if is_search else None
            self._found = f"line {message.line + 1:,}" if is_search else ""
            self._follows, self._only = False, None
            top = message.line - (self._room // 3 if is_search else 1)
            self._top = min(max(0, self._total - self._room), max(0, top))
        self._want()

    @on(messages.LogProblems)
    def _problems_found(self, message: messages.LogProblems) -> None:
        if self._only is not None:
            self._only = message.lines
            self._want()

    # --- keys

    def action_move(self, by: int) -> None:
        self._go(self._top + by)

    def action_page(self, by: float) -> None:
        self._go(self._top + (1 if by > 0 else -1) * max(1, self._room // 2))

    def action_first(self) -> None:
        self._go(0)

    def action_last(self) -> None:
        """To the end, and stay there."""
        self._follows = True
        self._want()

    def action_wrap(self) -> None:
        """Long lines over several rows, or cut."""
        self._wraps = not self._wraps
        self._want()

    def action_problems(self) -> None:
        """Errors and warnings only, with what is around them; or all again."""
        self._only = () if self._only is None else None
        self._lines, self._follows = (), True
        if self._only is not None:
            self._feed.find_problems()
        self._want()

    def action_search(self) -> None:
        self.field.display = True
        self.field.focus()
        self._frame()

    @on(Input.Submitted, "#search")
    def _submitted(self, message: Input.Submitted) -> None:
        self._close_field()
        self._words, self._hit, self._found = message.value, None, "searching" if message.value else ""
        if message.value:
            self._feed.find(message.value, self._total, is_up=True)
        self._want()

    def action_again(self, is_next: bool) -> None:  # Textual passes it so
        """The next match, upwards like the search; or the one before."""
        if not self._words:
            self.post_message(messages.Answer("n: search for something with / first."))
        elif self._hit is not None:
            self._feed.find(self._words, self._hit + (-1 if is_next else 1), is_up=is_next)
        else:
            self.post_message(messages.Answer(f"n: no line has {self._words}; / searches for something else."))

    def action_back(self) -> None:
        """Field, search, selection; then the page before."""
        if self.field.display:
            self._close_field()
        elif self._words:
            self._words, self._hit, self._found = "", None, ""
            self.draw()
        elif self._only is not None:
            self.action_problems()
        else:
            self.dismiss()

    def _close_field(self) -> None:
        self.field.display = False
        self.set_focus(None)
        self._frame()

    # --- drawing

    @property
    def _room(self) -> int:
        return max(1, self.size.height - 3)

    @property
    def _count(self) -> int:
        return self._total if self._only is None else len(self._only)

    def _go(self, top: int) -> None:
        self._opens_at_error = False
        last = max(0, self._count - self._room)
        self._top = min(last, max(0, top))
        self._follows = self._top == last and top >= last
        self._want()

    def _wanted(self) -> tuple[int, ...]:
        """The numbers of the lines in sight."""
        if self._only is None:
            return tuple(range(self._top, min(self._total, self._top + self._room)))
        return self._only[self._top : self._top + self._room]

    def _want(self) -> None:
        if self._follows:
            self._top = max(0, self._count - self._room)
        self._feed.read(self._wanted())
        self._frame()

    def draw(self) -> None:
        """Draw what is known now."""
        width = self.size.width
        if not width:
            return
        digits = logview.digits_of(self._total)
        view = logview.View(width=width, glyphs=self.look.glyphs, digits=digits, words=self._words)
        draw = logview.wrapped if self._wraps else logview.whole
        shown = [line for number, text in self._lines for line in draw(view, number, text, is_hit=number == self._hit)]
        shown = shown[-self._room :] if self._follows else shown[: self._room]
        if not self._count:
            shown = [bands.one_line(NOTHING if self._only is None else NO_PROBLEMS, width)]
        self.body.show(shown)
        self._frame()

    def _frame(self) -> None:
        width = self.size.width
        if not width:
            return
        state = getattr(self.app, "state_of", lambda target: target.state)(self._run)
        end = f"log, {self._total:,} lines, {room(self._bytes)}"
        self.title_line.show([self.titled(self._run.called, state, end)])
        below = self._count - self._top - self._room
        found = self._found if self._only is None else "errors and warnings only"
        self.status.show([logview.status(width, words=self._words, found=found, below=below)])
        if self.field.display:
            self.footer.offer(SEARCHING, ())
        else:
            self.draw_footer(actions.FOOTERS["log"])

    def on_resize(self) -> None:
        self._want()
        self.draw()
