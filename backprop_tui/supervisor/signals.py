"""Signals to the supervisor: handlers only take note, the loop acts."""

from __future__ import annotations

import os
import signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

_WATCHED = (
    signal.SIGINT,
    signal.SIGTERM,
    signal.SIGHUP,
    signal.SIGQUIT,
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGCHLD,
    signal.SIGTSTP,
)
STOP_SIGNALS = frozenset({signal.SIGINT, signal.SIGTERM, signal.SIGQUIT})
DOORBELL = signal.SIGUSR2
ECHO_S = 0.2


class SignalBox:
    """Collects signals and wakes a poll on `fileno()`; to be made in the main thread."""

    def __init__(self) -> None:
        self._arrived: list[int] = []
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._reader, False)
        os.set_blocking(self._writer, False)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _WATCHED)
        self._old_wakeup = signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        self._old = {number: signal.signal(number, self._note) for number in _WATCHED}

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._arrived.append(number)

    def fileno(self) -> int:
        return self._reader

    @property
    def has_stop(self) -> bool:
        """A person or the system asked to stop, and nobody took it yet."""
        return any(number in STOP_SIGNALS for number in self._arrived)

    def take(self) -> list[int]:
        """The signals since the last call, in order."""
        self._empty()
        arrived, self._arrived = self._arrived, []
        return arrived

    def take_others(self) -> None:
        """Pass over all signals that ask for no stop."""
        self._empty()
        self._arrived = [number for number in self._arrived if number in STOP_SIGNALS]

    def _empty(self) -> None:
        try:
            while os.read(self._reader, 512):
                pass
        except BlockingIOError:
            pass

    def close(self) -> None:
        """Put back what was there before."""
        for number, handler in self._old.items():
            signal.signal(number, handler)
        signal.signal(DOORBELL, signal.SIG_IGN)  # one that was rung for a run just ended would kill
        signal.set_wakeup_fd(self._old_wakeup)
        os.close(self._reader)
        os.close(self._writer)


def forget_after_fork() -> None:
    """In a forked child: no signal but SIGKILL ends it, and none is passed to the parent's loop."""
    signal.set_wakeup_fd(-1)
    for number in _WATCHED:
        signal.signal(number, signal.SIG_DFL if number == signal.SIGCHLD else signal.SIG_IGN)


class Echo:
    """The same signal at the same moment, as timeout sends it to a process and to its group, is one request."""

    def __init__(self) -> None:
        self._last = (0, float("-inf"))

    def is_of(self, number: int, now: float) -> bool:
        """Whether this signal, which came at `now` (monotonic seconds), repeats the one before."""
        before, self._last = self._last, (number, now)
        return before[0] == number and now - before[1] < ECHO_S
