"""A thread that asks where an answer may never come, so that nobody else has to wait for it."""

from __future__ import annotations

import queue
import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from backprop_tui.probes.answer import Answer


class TooLong(Exception):
    """The errand has not come back in time."""


class _Errand:
    __slots__ = ("answer", "done", "error", "work")

    def __init__(self, work: Callable[[], Answer]) -> None:
        self.work = work
        self.done = threading.Event()
        self.answer: Answer | None = None
        self.error: BaseException | None = None


class Errands:
    """Runs one errand at a time in a thread that lasts from the first one to `end`."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._todo: queue.SimpleQueue[_Errand | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._last: _Errand | None = None

    @property
    def is_stuck(self) -> bool:
        """Whether an errand that nobody waits for any more is still out."""
        return self._last is not None and not self._last.done.is_set()

    def run(self, work: Callable[[], Answer], timeout_s: float) -> Answer:
        """What the work returns. Not to be called while it `is_stuck`.

        Raises:
            TooLong: it takes longer than `timeout_s`; it is left to itself.
            Exception: whatever the work raises.
        """
        if self._thread is None:
            self._thread = threading.Thread(target=self._serve, name=self._name, daemon=True)
            self._thread.start()
        errand = self._last = _Errand(work)
        self._todo.put(errand)
        if not errand.done.wait(timeout_s):
            raise TooLong
        if errand.error is not None:
            raise errand.error
        assert errand.answer is not None
        return errand.answer

    def end(self) -> bool:
        """Let the thread end: at once, or if it is stuck, as soon as it comes back; whether it has."""
        if self._thread is None:
            return True
        self._todo.put(None)
        if self.is_stuck:
            return False
        self._thread.join()
        self._thread = None
        return True

    def _serve(self) -> None:
        while (errand := self._todo.get()) is not None:
            try:
                errand.answer = errand.work()
            except BaseException as error:  # noqa: BLE001  # raised where it is waited for
                errand.error = error
            errand.done.set()
