"""Keys for the Governor: hold a run, drain or yield the box, ask why."""

from __future__ import annotations

from textual import on

from backprop_tui.control import requesting, steering
from backprop_tui.tui import messages
from backprop_tui.tui.draw.chain import person
from backprop_tui.tui.screens.run import EVENTS, RunPage
from backprop_tui.tui.screens.steering import DrainDialog, YieldDialog
from backprop_tui.tui.verbs.base import Base, name_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from backprop_tui.control.steering import Steered
    from backprop_tui.tui.screens.dialog import Dialog
    from backprop_tui.tui.screens.soon import Soon
    from backprop_tui.tui.target import Target
    from backprop_tui.watch.record import Record


class GoverningVerbs(Base):
    """One run is asked through its supervisor; orders for the whole box lie where all supervisors read them."""

    def open_run(self, target: Target, *, tab: int = 0) -> None:
        """The page of a run, at one of its parts."""
        raise NotImplementedError

    # --- one run

    def action_hold(self) -> None:
        """Let runs wait until they are released; release those that are held."""
        records = self.active("h")
        held = [record for record in records if record.run.held]
        free = [record for record in records if not record.run.held]
        stuck = [record for record in free if record.run.state != "queued" and not record.run.goes_on]
        for record in stuck:
            self.say(f"h: {name_of(record)} is {record.run.state}, and no further slice follows. p pauses it.")
        self.ask(held, lambda run_id: requesting.release(self.home, run_id), _released)
        others = [record for record in free if record not in stuck]
        self.ask(others, lambda run_id: requesting.hold(self.home, run_id), _held)

    def action_why(self) -> None:
        """Every rule of the Governor for the run in hand, and what was decided before."""
        if isinstance(self.screen, RunPage):
            self.screen.action_tab(EVENTS)
        elif (target := self.target("w")) is not None:
            self.open_run(target, tab=EVENTS)

    @on(messages.WhyWanted)
    def _why_wanted(self, message: messages.WhyWanted) -> None:
        self.rules.look_at(message.run_id)

    @on(messages.WhySeen)
    def _why_seen(self, message: messages.WhySeen) -> None:
        for screen in self.screen_stack:
            if isinstance(screen, RunPage):
                screen.take_why(message.run_id, message.why)

    # --- the whole box

    def action_drain(self) -> None:
        """Let nothing new start on the box; or let runs start again."""
        if self.state.orders.drained_by:
            self._order(lambda: steering.drain(on=False), "Runs start again.")
            return
        self._asking(lambda: steering.drain(on=True, is_dry=True), DrainDialog, self._drained)

    def action_give_back(self) -> None:
        """Let all runs save and give the GPUs back for a while; or let them come back now."""
        if self.state.orders.yield_by:
            self._order(lambda: steering.yield_(on=False), "The yield is over: runs come back.")
            return
        self._asking(lambda: steering.yield_(on=True, is_dry=True), YieldDialog, self._yielded)

    def _asking(
        self, look: Callable[[], Steered], dialog: Callable[..., Dialog], answered: Callable[[str | None], None]
    ) -> None:
        """Look at whom an order concerns, then ask."""

        def work(soon: Soon) -> None:
            concerned = look()
            self.call_from_thread(soon.give_way, dialog(self.palette, self.look.glyphs, concerned), answered)

        self.question(work)

    def _drained(self, answer: str | None) -> None:
        if answer:
            said = "Nothing new starts until H ends the drain; what runs finishes its slice."
            self._order(lambda: steering.drain(on=True), said)

    def _yielded(self, answer: str | None) -> None:
        if answer:
            minutes = float(answer)
            said = f"All runs save and stop; they come back in {minutes:g} min, or when Y ends it."
            self._order(lambda: steering.yield_(on=True, seconds=minutes * 60), said)

    def _order(self, give: Callable[[], object], said: str) -> None:
        def work() -> None:
            give()
            self.call_from_thread(self.say, said)

        self.background(work)


def _held(record: Record) -> str:
    what = "waits" if record.run.state == "queued" else "ends with this slice and then waits"
    return f"{name_of(record)} {what} until h releases it."


def _released(record: Record) -> str:
    return f"{name_of(record)}, held by {person(record.run.held)}, is released."
