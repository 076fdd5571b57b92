"""Runs side by side: the loss at the last step that all have, and what differs."""

from __future__ import annotations

from textual.message import Message

from backprop_tui.tui import actions, messages
from backprop_tui.tui.draw import compare
from backprop_tui.tui.screens.page import Page
from backprop_tui.tui.target import Target
from backprop_tui.tui.widgets.canvas import Canvas
from backprop_tui.watch import comparing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult

    from backprop_tui.tui.palette import Palette
    from backprop_tui.tui.terminal import Look
    from backprop_tui.watch.comparing import Compared, Comparison


READ_EVERY_S = 2.0


class ComparePage(Page):
    """Up to six runs, A to F."""

    CSS_PATH = "compare.tcss"
    SCOPE = actions.COMPARE
    BINDINGS = actions.bindings(actions.COMPARE)

    class Stale(Message):
        """Runs that go on are compared: they shall be read again."""

    def __init__(self, palette: Palette, look: Look, comparison: Comparison, runs: Sequence[Compared]) -> None:
        """`runs` is what the comparison has read first."""
        super().__init__(palette, look)
        self.comparison = comparison
        self.runs = list(runs)
        metrics = comparing.common_metrics(self.runs)
        self._view = compare.View(width=80, height=20, glyphs=look.glyphs, metric=metrics[0] if metrics else "")
        self.title_line, self.body = Canvas(palette, id="title"), Canvas(palette, id="body")

    def compose(self) -> ComposeResult:
        yield self.title_line
        yield self.body
        yield self.footer

    @property
    def target(self) -> Target:
        return _target(self.runs[self._view.cursor])

    @property
    def compared(self) -> list[Target]:
        """All of them."""
        return [_target(run) for run in self.runs]

    def draw(self) -> None:
        """Draw what is compared now."""
        width, height = self.size
        if not width:
            return
        self._view = self._view.replace(width=width, height=max(1, height - 2), glyphs=self.look.glyphs)
        self.body.show(compare.lines(self.runs, self._view))
        self._frame()

    def _frame(self) -> None:
        self.title_line.show([self.titled(f"compare {len(self.runs)} runs")])
        self.draw_footer(actions.FOOTERS["compare"])

    def on_mount(self) -> None:
        self.draw()
        self.set_interval(1.0, self._frame)
        self.set_interval(READ_EVERY_S, self._read_again)

    def _read_again(self) -> None:
        if any(not run.record.run.state.is_ended for run in self.runs):
            self.post_message(self.Stale())

    def take(self, runs: Sequence[Compared]) -> None:
        """The runs as they are by now; those that cannot be read any more stay as they were."""
        fresh = {run.record.run.id: run for run in runs}
        self.runs = [fresh.get(run.record.run.id, run) for run in self.runs]
        self.draw()

    def action_move(self, by: int) -> None:
        self._change(cursor=min(len(self.runs) - 1, max(0, self._view.cursor + by)))

    def action_first(self) -> None:
        self._change(cursor=0)

    def action_last(self) -> None:
        self._change(cursor=len(self.runs) - 1)

    def action_page(self, by: float) -> None:
        self.action_move(3 if by > 0 else -3)

    def action_hide(self) -> None:
        self._change(hidden=self._view.hidden ^ {self._view.cursor})

    def action_take_out(self) -> None:
        if len(self.runs) <= 2:
            self.post_message(messages.Answer("x: two runs are needed for a comparison."))
            return
        del self.runs[self._view.cursor]
        self._change(hidden=frozenset(), cursor=min(self._view.cursor, len(self.runs) - 1))

    def action_metric(self) -> None:
        metrics = comparing.common_metrics(self.runs)
        if metrics:
            at = metrics.index(self._view.metric) if self._view.metric in metrics else -1
            self._change(metric=metrics[(at + 1) % len(metrics)])

    def action_switch(self, what: str) -> None:
        """Turn something of the view on or off."""
        self._change(**{what: not getattr(self._view, what)})

    def action_zoom(self) -> None:
        """The chart alone, and back."""
        self._change(is_zoomed=not self._view.is_zoomed)

    def _change(self, **changes: object) -> None:
        self._view = self._view.replace(**changes)
        self.draw()


def _target(run: Compared) -> Target:
    record = run.record
    return Target(id=record.run.id, name=run.name, state=str(record.run.state))
