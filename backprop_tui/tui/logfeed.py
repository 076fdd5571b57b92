"""The thread behind the log page: it counts lines, reads those in sight, and searches."""

from __future__ import annotations

import threading
import time

from backprop_tui.tui import messages
from backprop_tui.tui.feeds import Feed
from backprop_tui.watch.lines import LogLines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.message import Message

    from backprop_tui.store.home import Home

LOOK_EVERY_S = 0.25
PROBLEMS_EVERY_S = 1.0
BLOCKS_A_LOOK = 64


class LogFeed(Feed):
    """Follows one run's log until it is told to stop. Of what is asked for only the newest of each kind is done."""

    def __init__(self, home: Home, run_id: str, post: Callable[[Message], object]) -> None:
        super().__init__("log", post)
        self._log = LogLines(home, run_id)
        self._asked = threading.Event()
        self._wanted: tuple[int, ...] | None = None
        self._search: tuple[str, int, bool] | None = None
        """Words, from which line on, and whether upwards."""
        self._wants_problems = False
        self._looked_for_problems = float("-inf")

    def work(self) -> None:
        seen = -1
        try:
            while not self._is_stopping.is_set():
                has_more = False
                for _ in range(BLOCKS_A_LOOK):
                    has_more = self._log.scan()
                    if not has_more:
                        break
                if self._log.size != seen:
                    seen = self._log.size
                    self._post(messages.LogGrown(self._log.total, self._log.size))
                if not has_more:
                    self._asked.wait(LOOK_EVERY_S)
                self._asked.clear()
                self._answer()
        finally:
            self._log.close()

    def read(self, wanted: tuple[int, ...]) -> None:
        """Read the lines with these numbers."""
        self._wanted = wanted
        self._asked.set()

    def find(self, words: str, start: int, *, is_up: bool) -> None:
        """Look for words from a line on."""
        self._search = words, start, is_up
        self._asked.set()

    def find_problems(self) -> None:
        """Look for errors and warnings; at most once a second."""
        self._wants_problems = True
        self._asked.set()

    def stop(self) -> None:
        super().stop()
        self._asked.set()

    def _answer(self) -> None:
        if (search := self._search) is not None:
            self._search = None
            words, start, is_up = search
            self._post(messages.LogFound(words, self._log.find(words, start, is_up=is_up)))
        now = time.monotonic()
        if self._wants_problems and now - self._looked_for_problems >= PROBLEMS_EVERY_S:
            self._wants_problems, self._looked_for_problems = False, now
            self._post(messages.LogProblems(tuple(self._log.problems())))
        if (wanted := self._wanted) is not None:
            self._wanted = None
            lines: list[tuple[int, str]] = []
            for first, count in _stretches(wanted):
                lines += enumerate(self._log.lines(first, count), first)
            self._post(messages.LogRead(wanted, tuple(lines)))


def _stretches(numbers: tuple[int, ...]) -> list[tuple[int, int]]:
    """Numbers in a row as (first, how many)."""
    found: list[tuple[int, int]] = []
    for number in numbers:
        if found and sum(found[-1]) == number:
            found[-1] = found[-1][0], found[-1][1] + 1
        else:
            found.append((number, 1))
    return found
