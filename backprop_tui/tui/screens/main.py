"""The main screen: the box, the runs in progress, the history."""

from __future__ import annotations

from textual import on
from textual.geometry import Offset
from textual.message import Message
from textual.widgets import Input

from backprop_tui.tui import actions, messages
from backprop_tui.tui.draw.gauges import MODES
from backprop_tui.tui.screens.bands import Bands
from backprop_tui.tui.target import Target
from backprop_tui.tui.widgets.history import HistoryPane
from backprop_tui.tui.widgets.pane import ListPane

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from backprop_tui.tui.detail import Detail


class MainScreen(Bands):
    """What is done on it, and what comes in."""

    CSS_PATH = "main.tcss"
    SCOPE = actions.MAIN
    LAST = ("screen.help", "app.quit")
    BINDINGS = actions.bindings(actions.MAIN)

    class LookingAt(Message):
        """The run that is shown beside the lists; None for none."""

        def __init__(self, run_id: str | None) -> None:
            super().__init__()
            self.run_id = run_id

    class ViewWanted(Message):
        """Another view of the history is wanted."""

        def __init__(self, *, archived: bool) -> None:
            super().__init__()
            self.archived = archived

    class Unmarked(Message):
        """Marks were taken off, which can be undone."""

        def __init__(self, targets: Sequence[Target]) -> None:
            super().__init__()
            self.targets = targets

    _awaits: str | None = None
    """A run that the cursor goes to as soon as it is seen."""
    _looking_at: str | None = None

    # --- what comes in

    def take_runs(self) -> None:
        """What runs has changed."""
        count, before = len(self.active.rows), self.active.cursor
        self.history.has_active = bool(self._state.rows)
        self.active.take(self._state.rows)
        if len(self._state.rows) != count:
            self.lay_out()
        if len(self._state.rows) != count or not self._has_chosen_pane:
            self.welcome()
        self._choose_pane()
        has_ended = before is not None and all(row.id != before for row in self.active.rows)
        if before is not None and has_ended and self.pane is self.active:
            self.history.await_run(before)  # keys go with the run, never to the one that takes its place
            self._last = self.history
            if self.active.has_focus:
                self.history.focus()
        if self._awaits is not None and any(row.id == self._awaits for row in self._state.rows):
            self.active.cursor, self._awaits = self._awaits, None
            if not self.filter.has_focus and self.active.display:
                self.active.focus()

    def await_run(self, run_id: str) -> None:
        """The cursor goes to this run as soon as it is seen."""
        self._awaits = run_id
        self.take_runs()

    def take_detail(self, detail: Detail) -> None:
        """The run that is looked at."""
        if detail.run_id == self._looking_at:
            self.preview.take(detail)
            self.column.take(detail)

    def look_at_cursor(self, *, again: bool = False) -> None:
        """Follow the cursor with what is shown beside the lists; `again` after somebody else looked elsewhere."""
        current = self.pane.current if self.preview.display or self.column.display else None
        run_id = current.id if current is not None else None
        if run_id != self._looking_at or again:
            self._looking_at = run_id
            self.post_message(self.LookingAt(run_id))

    @on(ListPane.Moved)
    def _moved(self) -> None:
        self.look_at_cursor()
        self._place_cursor()

    def _place_cursor(self) -> None:
        """A screen reader reads where the terminal's own cursor is."""
        if self.look.accessible:
            at = self.pane.region.offset
            self.app.cursor_position = Offset(at.x, at.y + self.pane.cursor_row)

    # --- the run in hand

    @property
    def target(self) -> Target | None:
        current = self.pane.current
        if current is None:
            return None
        return Target(id=current.id, name=current.name, state=current.state)

    def step(self, run_id: str, by: int) -> Target | None:
        """Move the cursor from this run, wherever it is listed now, and say on which run it is then.

        None where the run is not listed, or no other one beside it.
        """
        pane = next((pane for pane in (self.pane, self.active, self.history) if pane.go_to(run_id)), None)
        if pane is None:
            return None
        if pane is not self._last:
            self._last = pane
            pane.focus()
        pane.move(by)
        target = self.target
        return target if target is not None and target.id != run_id else None

    # --- keys

    def action_move(self, by: int) -> None:
        self.pane.move(by)

    def action_first(self) -> None:
        self.pane.move(-(1 << 40))

    def action_last(self) -> None:
        self.pane.move(1 << 40)

    def action_page(self, by: float) -> None:
        if isinstance(self.pane, HistoryPane):
            self.pane.page(by)
        else:
            self.pane.move(3 if by > 0 else -3)

    def action_pane(self, name: str) -> None:
        pane = self.query_one(f"#{name}")
        if self.is_first_run:
            self.post_message(messages.Answer("There is no run yet; n launches one."))
            return
        if self._zoomed and (name != "preview" or self._has_preview):
            self._zoomed = name
            self.lay_out()
        if pane.display:
            pane.focus()
        elif self.column.display:
            self.post_message(messages.Answer("The run under the cursor is shown beside the lists."))
        elif name == "preview":
            self.post_message(messages.Answer("The preview needs 110 columns and 34 rows; enter opens the run."))

    def action_next_pane(self, by: int) -> None:
        """The pane below, or with -1 above; round and round."""
        has_preview = self.preview.display or (self._zoomed and self._has_preview)
        names = ["active", "history", *(["preview"] if has_preview else [])]
        now = "preview" if self.preview.has_focus else str(self.pane.id)
        self.action_pane(names[(names.index(now) + by) % len(names)])

    def action_mark(self) -> None:
        target = self.target
        if target is None:
            return
        if self.marks.pop(target.id, None) is None:
            self.marks[target.id] = target
        self.pane.move(1)
        self._marks_changed()

    def mark_again(self, targets: Sequence[Target]) -> None:
        """These and no others."""
        self.marks.clear()
        self.marks |= {target.id: target for target in targets}
        self._marks_changed()

    def unmark(self) -> None:
        """No marks any more."""
        self.mark_again(())

    def _marks_changed(self) -> None:
        self.active.redraw()
        self.history.redraw()
        self.draw_frame()

    def action_gauges(self) -> None:
        self.gauge_mode = MODES[(MODES.index(self.gauge_mode) + 1) % len(MODES)]
        self.lay_out()

    def action_zoom(self) -> None:
        """The pane with the focus takes the whole screen; again for all."""
        if self.is_first_run:
            return
        focused = "preview" if self.preview.has_focus else str(self.pane.id)
        self._zoomed = "" if self._zoomed else focused
        self.lay_out()
        self.query_one(f"#{focused}").focus()

    def action_archived(self) -> None:
        """The archive in place of the history, and back."""
        self.unmark()
        self.history.focus()
        self.post_message(self.ViewWanted(archived=not self.history.view.archived))

    def action_filter(self) -> None:
        if self.is_first_run:
            self.post_message(messages.Answer("There is no run yet; n launches one."))
            return
        self.history.has_filter = self.filter.display = True
        if self._zoomed == "active":
            self.action_zoom()
        self.history.redraw()
        self._place_filter()
        self.set_focus(self.filter)  # at once: the next key may be here already, and is none of the list's

    def action_back(self) -> None:
        """One step back: field, filter, marks, archive, zoom; never further."""
        if self.filter.display or self.history.has_filter:
            self.filter.value = ""
            self._end_filter()
        elif self.marks:
            before = list(self.marks.values())
            self.unmark()
            self.post_message(self.Unmarked(before))
        elif self.history.view.archived:
            self.action_archived()
        elif self._zoomed:
            self.action_zoom()

    @on(Input.Submitted, "#history-filter")
    def _end_filter(self) -> None:
        self.filter.display = False
        self.history.has_filter = bool(self.filter.value)
        self.history.focus()
        self.history.redraw()

    def on_resize(self) -> None:
        self.lay_out()
        self.call_after_refresh(self.welcome)

    def on_descendant_focus(self) -> None:
        for pane in (self.active, self.history):
            if pane.has_focus or (pane is self.history and self.filter.has_focus):
                self._last = pane
        self.draw_frame()
        self.look_at_cursor()
        self._place_cursor()

    def on_descendant_blur(self) -> None:
        self.draw_frame()
