"""The end of a dashboard that nobody asked for by a key: a signal, or a terminal that went away."""

from __future__ import annotations

import os
import select
import signal
import termios
import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable
    from types import FrameType
    from typing import Any, Self

SIGNALS = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM)
NORMAL_SCREEN = b"\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?2004l\x1b[?1049l\x1b[?25h"
"""No mouse, no bracketed paste, the screen from before, and its cursor."""
PATIENCE_S = 5.0
"""How long an end may take that a signal asked for, before the process ends as it is: all it does can be cut off."""


class Leaving:
    """While it is entered, a signal or a terminal that hangs up calls `leave` on the loop's thread.

    Textual handles neither: its input thread spins once the terminal is gone, and a signal's default leaves the
    terminal in the mode that it was drawn on in.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, leave: Callable[[], object]) -> None:
        self._loop, self._leave = loop, leave
        self._before: dict[int, Any] = {}
        self._modes: list[Any] | None = None
        self._patience: threading.Timer | None = None
        self._wake: tuple[int, int] = (-1, -1)
        self._watch = threading.Thread(target=self._watch_terminal, name="backprop-terminal", daemon=True)

    def __enter__(self) -> Self:
        try:
            self._modes = termios.tcgetattr(0)
        except termios.error:
            self._modes = None
        self._wake = os.pipe()
        self._watch.start()
        for number in SIGNALS:
            # Not the loop's handlers: those wait for a loop that may itself wait for a terminal that takes nothing.
            self._before[number] = signal.signal(number, self._signalled)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        if self._patience is not None:
            self._patience.cancel()
        os.write(self._wake[1], b".")
        self._watch.join()
        for fd in self._wake:
            os.close(fd)

    def _signalled(self, number: int, _frame: FrameType | None) -> None:
        self._end(128 + number)

    def _watch_terminal(self) -> None:
        """Sleeps until the terminal hangs up: that comes without a signal where it is not the controlling one."""
        poll = select.poll()
        poll.register(0, 0)
        poll.register(self._wake[0], select.POLLIN)
        for fd, event in poll.poll():
            if fd == 0 and event & select.POLLHUP:
                self._end(128 + signal.SIGHUP)

    def _end(self, code: int) -> None:
        if self._patience is None:
            self._patience = threading.Timer(PATIENCE_S, self._give_up, (code,))
            self._patience.daemon = True
            self._patience.start()
        self._loop.call_soon_threadsafe(self._leave)

    def _give_up(self, code: int) -> None:
        try:
            if self._modes is not None:
                termios.tcsetattr(0, termios.TCSANOW, self._modes)
            os.set_blocking(1, False)
            os.write(1, NORMAL_SCREEN)
        except (termios.error, OSError):
            pass
        os._exit(code)
