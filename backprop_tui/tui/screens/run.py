"""The page of one run: six tabs, followed live."""

from __future__ import annotations

import time

from backprop_tui.tui import actions, messages
from backprop_tui.tui.draw import page
from backprop_tui.tui.draw.place import Place, View
from backprop_tui.tui.screens.page import Page
from backprop_tui.tui.target import Target
from backprop_tui.tui.widgets.canvas import Canvas

TYPE_CHECKING = False
if TYPE_CHECKING:
    from textual.app import ComposeResult

    from backprop_tui.tui.detail import Detail
    from backprop_tui.tui.palette import Palette
    from backprop_tui.tui.state import State
    from backprop_tui.tui.terminal import Look
    from backprop_tui.watch.why import Why

OVERVIEW, OUTPUT, CURVES, CHECKPOINTS, SETUP, EVENTS = range(6)


class RunPage(Page):
    """Everything known of one run."""

    CSS_PATH = "run.tcss"
    SCOPE = actions.RUN
    BINDINGS = actions.bindings(actions.RUN)

    def __init__(self, palette: Palette, look: Look, target: Target, state: State, *, tab: int = OVERVIEW) -> None:
        super().__init__(palette, look)
        self._state = state
        self._run = target
        self._detail: Detail | None = None
        self._why: Why | None = None
        self._tab = tab
        self._view = View()
        self.title_line, self.tabs = Canvas(palette, id="title"), Canvas(palette, id="tabs")
        self.body = Canvas(palette, id="body")

    def compose(self) -> ComposeResult:
        yield self.title_line
        yield self.tabs
        yield self.body
        yield self.footer

    @property
    def target(self) -> Target:
        record = self._detail.record if self._detail is not None else None
        if record is None:
            return self._run
        return Target(id=record.run.id, name=record.notes.name or "", state=str(record.run.state))

    @property
    def run_id(self) -> str:
        """The run that is shown."""
        return self._run.id

    def turn_to(self, target: Target) -> None:
        """Show another run from now on."""
        self._run, self._detail, self._why = target, None, None
        self._view = self._view.replace(cursor=0, offset=0)
        # What keys act on is what is shown, from now on.
        self.title_line.show([self.titled(target.called, target.state, target.id)])
        self.tabs.show([])
        self.body.show([])
        self._want_rules()

    def take(self, detail: Detail) -> None:
        """What is known of it now."""
        if detail.run_id == self._run.id:
            self._detail = detail
            self.draw()

    def take_why(self, run_id: str, why: Why) -> None:
        """What the rules say of it now."""
        if run_id == self._run.id:
            self._why = why
            self.draw()

    def _want_rules(self) -> None:
        """They are applied only while they are looked at."""
        self.post_message(messages.WhyWanted(self._run.id if self._tab == EVENTS else None))

    def draw(self) -> None:
        """Draw what is known now."""
        if self._detail is None or not self.size.width:
            return
        place = self._place
        self.title_line.show([page.title(self._detail, place)])
        self.tabs.show([page.tabs(self._detail, place, self._tab)])
        self.body.show(page.body(self._detail, place, self._tab, self._view, self._why)[: place.height])
        record = self._detail.record
        name = "ended" if record is not None and record.run.state.is_ended else "run"
        if record is not None and record.run.state == "queued":
            name = "waiting"
        if self._tab == CURVES:
            name = "curves"
        elif self._tab == CHECKPOINTS and name == "ended":
            name = "checkpoints"
        is_held = record is not None and bool(record.run.held)
        self.draw_footer(actions.FOOTERS[name], {"run.hold": "release"} if is_held else {})

    @property
    def _place(self) -> Place:
        width, height = self.size
        return Place(
            width=width, height=max(1, height - 3), glyphs=self.look.glyphs, now=time.time(), box=self._state.box
        )

    def on_mount(self) -> None:
        self.set_interval(1.0, self.draw)
        self._want_rules()

    def on_unmount(self) -> None:
        self.post_message(messages.WhyWanted(None))

    def action_tab(self, n: int) -> None:
        """One of the six parts."""
        self._tab = n
        self._want_rules()
        self._change(cursor=0, offset=0)

    def action_move(self, by: int) -> None:
        """Down or up: the checkpoint, or what is in sight."""
        if self._tab == CHECKPOINTS:
            self._change(cursor=min(max(0, self._checkpoints - 1), max(0, self._view.cursor + by)))
        elif self._detail is not None and self.size.width:
            place = self._place
            most = max(0, page.length(self._detail, place, self._tab, self._why) - place.height)
            by = -by if self._tab == OUTPUT else by  # output is counted from its end
            self._change(offset=min(most, max(0, min(most, self._view.offset) + by)))

    def action_first(self) -> None:
        self.action_move(-(1 << 30))

    def action_last(self) -> None:
        self.action_move(1 << 30)

    def action_page(self, by: float) -> None:
        self.action_move(int(by * max(2, self.size.height - 3)))

    @property
    def _checkpoints(self) -> int:
        record = self._detail.record if self._detail is not None else None
        return len(record.run.checkpoints) if record is not None else 0

    def action_choose(self) -> None:
        """Resume from the checkpoint under the cursor."""
        record = self._detail.record if self._detail is not None else None
        if self._tab != CHECKPOINTS:
            self.post_message(messages.Answer("enter: it resumes from a checkpoint; 4 shows them."))
            return
        if record is None:
            return
        found = list(reversed(record.run.checkpoints))
        if not found:
            self.post_message(messages.Answer("enter: there is no checkpoint to resume from."))
        elif not record.run.state.is_ended:
            self.post_message(messages.Answer("enter: the run has not ended; K stops it first."))
        else:
            path = found[min(self._view.cursor, len(found) - 1)].path
            self.app.resume_from(self.target, path)  # type: ignore[attr-defined]  # a verb of the dashboard's

    def action_metric(self) -> None:
        """The next metric first."""
        self._change_charts(focus=self._view.focus + 1)

    def action_switch(self, what: str) -> None:
        """Turn something of the charts on or off."""
        self._change_charts(**{what: not getattr(self._view, what)})

    def _change_charts(self, **changes: object) -> None:
        if self._tab not in (OVERVIEW, CURVES):
            self._tab = CURVES  # where it can be seen
        self._change(**changes)

    def action_zoom(self) -> None:
        """One chart in full, and back."""
        if not self._view.is_zoomed:
            self._tab = CURVES
        self._change(is_zoomed=not self._view.is_zoomed)

    def _change(self, **changes: object) -> None:
        self._view = self._view.replace(**changes)
        self.draw()
