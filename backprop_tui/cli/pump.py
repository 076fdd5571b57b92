"""Passes a run's output on to whoever reads it, and draws the live line below it."""

from __future__ import annotations

import os
import select
import stat
import time

from backprop_tui.cli import diagnostics
from backprop_tui.cli.output import cut
from backprop_tui.watch.text import TerminalCleaner, clean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.model.run import Gap

PUMP_S = 0.05
"""At most this long one turn of the supervisor's loop passes output on."""
MAX_PARTIAL = 4096


class OutputPump:
    """Copies a run's log to a descriptor, never waiting for its reader while the training runs."""

    def __init__(self, log_path: str, start: int, fd: int, *, live: LiveLine | None) -> None:
        self._log = os.open(log_path, os.O_RDONLY | os.O_CLOEXEC)
        self._at = start
        self._fd = fd
        self._is_open = True
        self.gap: Gap | None = None
        """What was freed of the log: a reader that was too slow does not get it."""
        self._live = live
        self._unsent, self._at_unsent = b"", 0
        is_tty = os.isatty(fd)
        regular = stat.S_ISREG(os.fstat(fd).st_mode)
        # What poll calls writable takes this much at once without blocking.
        self._step = 1 << 16 if regular else 256 if is_tty else select.PIPE_BUF
        self._clean = TerminalCleaner(colour=use_colour()) if is_tty else None
        self._poll = select.poll()
        self._poll.register(fd, select.POLLOUT)

    def pump(self) -> bool:
        """Pass on what the reader takes now; True if something is left to pass on."""
        end = time.monotonic() + PUMP_S
        while self._is_open and time.monotonic() < end:
            if not self._fill():
                return False
            if not self._poll.poll(0):
                return True
            self._send()
        return self._is_open

    def drain(self) -> None:
        """Pass on all the rest, at the reader's pace."""
        while self._is_open and self._fill():
            self._wait_and_send()
        if self._clean is not None and self._is_open:
            self._take(self._shown(self._clean.flush(), last=True))
            while self._at_unsent < len(self._unsent) and self._is_open:
                self._wait_and_send()
        os.close(self._log)

    def _wait_and_send(self) -> None:
        self._poll.poll()
        self._send()

    def _fill(self) -> bool:
        while self._at_unsent >= len(self._unsent):
            limit = 1 << 16
            if self.gap is not None:
                self._at, limit = self.gap.around(self._at, limit)
            data = os.pread(self._log, limit, self._at)
            if not data:
                return False
            self._at += len(data)
            self._take(self._shown(self._clean.feed(data)) if self._clean else data)
        return True

    def _take(self, data: bytes) -> None:
        self._unsent, self._at_unsent = data, 0

    def _shown(self, data: bytes, *, last: bool = False) -> bytes:
        return data if self._live is None else self._live.take(data, last=last)

    def _send(self) -> None:
        if self._live is not None:
            self._live.erase()
        try:
            self._at_unsent += os.write(self._fd, self._unsent[self._at_unsent : self._at_unsent + self._step])
        except BlockingIOError:
            return
        except OSError:  # the reader has gone: the run goes on without one
            self._is_open = False
            self._take(b"")


class LiveLine:
    """The line at the bottom of the terminal, and above it the script's line that is not complete yet."""

    def __init__(self) -> None:
        self._partial = b""
        self._drawn_lines = 0
        self._text = ""

    def take(self, data: bytes, *, last: bool) -> bytes:
        """Keep back the line that is not complete; returns what may be printed for good."""
        whole, newline, rest = (self._partial + data).rpartition(b"\n")
        if len(rest) > MAX_PARTIAL:
            rest = rest.rpartition(b"\r")[2]  # of a progress bar what it shows last
        if len(rest) > MAX_PARTIAL or (last and rest):
            # Too long to be kept: it goes out as it is, and the next line begins below it.
            whole, newline, rest = whole + newline + rest, b"\n", b""
        self._partial = rest
        return whole + newline

    def draw(self, text: str) -> None:
        """Show a text, and the incomplete line above it, unless that is what is there."""
        columns = _columns()
        partial = self._partial.strip(b"\r").rpartition(b"\r")[2].decode("utf-8", "replace")
        lines = [cut(clean(line), columns - 1) for line in ((partial, text) if partial else (text,))]
        shown = "\n".join(lines)
        if shown != self._text or self._drawn_lines == 0:
            self.erase()
            diagnostics.write(shown)
            self._text, self._drawn_lines = shown, len(lines)

    def erase(self) -> None:
        """Clear what was drawn; the cursor is where the next output goes."""
        if self._drawn_lines:
            diagnostics.write("\r" + "\x1b[1A" * (self._drawn_lines - 1) + "\x1b[J")
            self._drawn_lines = 0


def use_colour() -> bool:
    """Whether a script's colours go to the terminal."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _columns() -> int:
    try:
        return os.get_terminal_size(2).columns or 80
    except OSError:
        return 80
