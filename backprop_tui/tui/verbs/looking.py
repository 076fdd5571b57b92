"""Keys that show something, and that leave."""

from __future__ import annotations

import time

from textual import on

from backprop_tui.control import annotating
from backprop_tui.tui.screens.commands import open_palette
from backprop_tui.tui.screens.compare import ComparePage
from backprop_tui.tui.screens.help import HelpDialog
from backprop_tui.tui.screens.log import LogPage
from backprop_tui.tui.screens.page import Page
from backprop_tui.tui.screens.problems import ProblemsDialog
from backprop_tui.tui.screens.questions import SortDialog
from backprop_tui.tui.screens.run import RunPage
from backprop_tui.tui.verbs.starting import StartingVerbs
from backprop_tui.watch.comparing import MOST, Comparison

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.tui.target import Target
    from backprop_tui.watch.comparing import Compared

QUIT_WITHIN_S = 2.0


class LookingVerbs(StartingVerbs):
    """Nothing here changes a run."""

    _asked_to_quit = float("-inf")

    def action_leave(self) -> None:
        """Quit; runs go on."""
        self.exit()

    def action_help_quit(self) -> None:
        """ctrl+c does nothing to runs; twice within two seconds it quits."""
        now = time.monotonic()
        if now - self._asked_to_quit < QUIT_WITHIN_S:
            self.exit()
        self._asked_to_quit = now
        self.say("ctrl+c does nothing to runs. Once more quits; K stops a run.")

    def action_redraw(self) -> None:
        """Draw every cell anew."""
        self.screen.refresh(layout=True)
        for widget in self.screen.walk_children():
            widget.refresh()

    # --- one run

    def action_open(self) -> None:
        """The page of the run under the cursor."""
        target = self.target("enter")
        if target is not None:
            self.open_run(target)

    def open_run(self, target: Target, *, tab: int = 0) -> None:
        """The page of a run, at one of its parts; what it needed a person for has been seen then."""
        self.see(target.id)
        self.detail.look_at(target.id)
        self.push_screen(RunPage(self.palette, self.look, target, self.state, tab=tab), self._look_again)

    def _look_again(self, _none: None) -> None:
        """Follow again what is below the page that was left."""
        below = next((screen for screen in reversed(self.screen_stack) if isinstance(screen, RunPage)), None)
        if below is not None:
            self.detail.look_at(below.run_id)
        else:
            self.main.look_at_cursor(again=True)

    def action_turn(self, by: int) -> None:
        """The next run of the list that one came from."""
        page = self.screen
        if not isinstance(page, RunPage):
            return
        target = self.main.step(page.run_id, by)
        if target is None:
            key, where = ("]", "after") if by > 0 else ("[", "before")
            self.say(f"{key}: no run comes {where} {page.target.called} in the list.")
            return
        self.see(target.id)
        self.detail.look_at(target.id)
        page.turn_to(target)

    def action_logs(self) -> None:
        """The whole log of the run under the cursor."""
        target = self.target("l")
        if target is not None:
            self.see(target.id)
            self.push_screen(LogPage(self.home, self.palette, self.look, target))

    def see(self, run_id: str) -> None:
        """A person has seen what this run needed one for."""
        if self.state.forget(run_id):
            self.main.draw_frame()
            self.background(lambda: annotating.see(self.home, run_id))

    # --- several

    def action_compare(self) -> None:
        """The marked runs side by side; one mark goes with the run under the cursor."""
        ids = list(self.main.marks)
        under = self.screen.target if isinstance(self.screen, Page) else None
        if (len(ids) == 1 or self.screen is not self.main) and under is not None and under.id not in ids:
            ids.insert(0, under.id)
        if len(ids) < 2:
            self.say("c: mark runs in the lists with space first; one mark goes with the run in hand.")
            return

        def work() -> None:
            comparison = Comparison(self.home, ids)
            self.call_from_thread(self._show_compared, comparison, comparison.read(), len(ids))

        self.background(work)

    def _show_compared(self, comparison: Comparison, runs: list[Compared], asked: int) -> None:
        if len(runs) < 2:
            self.say("c: their records cannot be read.")
            return
        if asked > MOST:
            self.say(f"Compare shows {MOST} runs at most; the first {MOST} marked are shown.")
        self.push_screen(ComparePage(self.palette, self.look, comparison, runs))

    @on(ComparePage.Stale)
    def _compare_again(self) -> None:
        page = self.screen
        if isinstance(page, ComparePage):
            self.background(lambda: self.call_from_thread(page.take, page.comparison.read()))

    def action_sort(self) -> None:
        """Choose the order of the history."""
        history = self.main.history

        def answered(value: str | None) -> None:
            if value:
                reverse = value == history.view.sort and not history.view.reverse
                self.history.show(history.view.replace(sort=value, reverse=reverse))

        self.push_screen(SortDialog(self.palette, history.view.sort), answered)

    # --- about the program

    def action_problems(self) -> None:
        """What needs a person."""
        self.push_screen(ProblemsDialog(self.palette, self.look.glyphs, self.state, self.see), self._problem_answered)

    def _problem_answered(self, answer: tuple[str, Target] | None) -> None:
        if answer is None:
            return
        verb, target = answer
        if verb == "open":
            self.open_run(target)
        else:
            self.resume(target)

    def action_keys(self) -> None:
        """The keys of this screen, and of all others."""
        scope = getattr(self.screen, "SCOPE", "")
        self.push_screen(HelpDialog(self.palette, self.look.glyphs, scope, self.keymap))

    def action_commands(self) -> None:
        """Every command of this screen."""
        open_palette(self)
