"""Applies the Governor's rules to the run whose events are looked at, again and again while they are."""

from __future__ import annotations

from backprop_tui.errors import BackpropError
from backprop_tui.tui import messages
from backprop_tui.tui.feeds import LookFeed
from backprop_tui.watch.why import why

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.message import Message

    from backprop_tui.store.home import Home

EVERY_S = 2.0


class WhyFeed(LookFeed):
    """In a thread of its own: a driver that hangs costs it the probe's time-out, and nobody else anything."""

    def __init__(self, home: Home, post: Callable[[Message], object]) -> None:
        super().__init__("rules", home, post)

    def work(self) -> None:
        while not self._is_stopping.is_set():
            self._changed.clear()
            run_id, has_ended = self._wanted, True
            if run_id is not None:
                try:
                    found = why(self._home, run_id)
                except BackpropError:
                    pass  # the page says that the record cannot be read
                else:
                    has_ended = found.run.state.is_ended and not found.run.goes_on
                    self._post(messages.WhySeen(run_id, found))
            self._changed.wait(None if has_ended else EVERY_S)
