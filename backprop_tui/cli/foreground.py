"""What a person sees of a run that is supervised here: the script's output, one live line, a summary."""

from __future__ import annotations

import os
import select
import stat
import time

from backprop_tui.cli import diagnostics, words
from backprop_tui.control.starting import Observer
from backprop_tui.protocol.text import TerminalCleaner, clean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.engines.base import Launch
    from backprop_tui.model.decisions import Admission
    from backprop_tui.model.run import Run
    from backprop_tui.model.spec import SliceSpec

PUMP_S = 0.05
"""At most this long one turn of the supervisor's loop passes output on."""
BACKLOG_WAIT_S = 0.01
MAX_PARTIAL = 4096


class OutputPump:
    """Copies a run's log to a descriptor, never waiting for its reader while the training runs."""

    def __init__(self, log_path: str, start: int, fd: int, *, live: LiveLine | None) -> None:
        self._log = os.open(log_path, os.O_RDONLY | os.O_CLOEXEC)
        self._at = start
        self._fd = fd
        self._is_open = True
        self._live = live
        self._unsent = b""
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
            self._send()
        if self._clean is not None and self._is_open:
            self._unsent += self._shown(self._clean.flush(), last=True)
            while self._unsent and self._is_open:
                self._send()
        os.close(self._log)

    def _fill(self) -> bool:
        while not self._unsent:
            data = os.pread(self._log, 1 << 16, self._at)
            if not data:
                return False
            self._at += len(data)
            self._unsent = self._shown(self._clean.feed(data)) if self._clean else data
        return True

    def _shown(self, data: bytes, *, last: bool = False) -> bytes:
        return data if self._live is None else self._live.take(data, last=last)

    def _send(self) -> None:
        if self._live is not None:
            self._live.erase()
        try:
            sent = os.write(self._fd, self._unsent[: self._step])
        except OSError:  # the reader has gone: the run goes on without one
            self._is_open = False
            self._unsent = b""
            return
        self._unsent = self._unsent[sent:]


class LiveLine:
    """The line at the bottom of the terminal, and above it the script's line that is not complete yet."""

    def __init__(self) -> None:
        self._partial = b""
        self._drawn_lines = 0
        self._text = ""

    def take(self, data: bytes, *, last: bool) -> bytes:
        """Keep back the line that is not complete; returns what may be printed for good."""
        whole, newline, rest = (self._partial + data).rpartition(b"\n")
        self._partial = rest.rpartition(b"\r")[2] if len(rest.strip(b"\r")) > MAX_PARTIAL else rest
        if last and self._partial:
            whole, newline, self._partial = whole + newline + self._partial, b"\n", b""
        return whole + newline

    def draw(self, text: str) -> None:
        """Show a text, and the incomplete line above it, unless that is what is there."""
        columns = _columns()
        partial = self._partial.strip(b"\r").rpartition(b"\r")[2].decode("utf-8", "replace")
        lines = [clean(line)[: columns - 1] for line in ((partial, text) if partial else (text,))]
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


class Foreground(Observer):
    """Shows a run as it goes on."""

    def __init__(self, *, quiet: bool, json: bool) -> None:
        self._quiet = quiet
        self._out = 2 if json else 1
        is_terminal = os.isatty(1) and os.isatty(2) and os.environ.get("TERM") not in (None, "dumb")
        self._live = LiveLine() if is_terminal and not quiet and not json else None
        self._pump: OutputPump | None = None
        self._gpus: tuple[str, ...] = ()

    def queued(self, run: Run, admission: Admission) -> None:
        reason = run.reason.text if run.reason else "waits"
        self._say(f"{run.id} is queued, {reason} (ctrl-c leaves the queue)")

    def starting(self, spec: SliceSpec, launch: Launch, admission: Admission) -> None:
        box = words.duration(float(spec.setting("maxRunMinutes")) * 60)
        number = f", slice {spec.n}" if spec.n > 1 else ""
        python = f", {launch.argv[0]}" if not spec.is_command else ""
        limit = spec.setting("gpuMemoryLimit")
        memory = f", GPU memory {limit}" if limit and admission.gpu else ""
        self._say(f"run {spec.run_id}{number}: {words.chosen(admission)}{memory}, time box {box}{python}")
        for decision in admission.decisions:
            if decision.rule == "probe":
                self._say(decision.text)
        self._gpus = (admission.gpu.index,) if admission.gpu else ()

    def started(self, run: Run, log_path: str) -> None:
        start = run.slice.log_start if run.slice else 0
        self._pump = OutputPump(log_path, start, self._out, live=self._live)

    def turned(self, run: Run, left_s: float) -> float | None:
        has_more = self._pump.pump() if self._pump is not None else False
        if self._live is not None and not has_more:
            self._live.draw(self._line(run, left_s))
        return BACKLOG_WAIT_S if has_more else None

    def said(self, text: str) -> None:
        self._say(text)

    def finish(self) -> None:
        """The slice has ended: pass on what is left of its output."""
        if self._pump is not None:
            self._pump.drain()
        if self._live is not None:
            self._live.erase()

    def _say(self, text: str) -> None:
        if self._live is not None:
            self._live.erase()
        if not self._quiet:
            diagnostics.say(f"backprop: {text}")

    def _line(self, run: Run, left_s: float) -> str:
        parts = [f"{run.state}", f"{words.duration(left_s)} left"]
        if run.step is not None:
            parts.append(f"step {run.step:,}")
        if run.loss is not None:
            parts.append(f"loss {words.loss(run.loss)}")
        if self._gpus:
            parts.append(f"GPU {self._gpus[0]} {words.size(run.resources.gpu_used_bytes)}")
        return "[" + " · ".join(parts) + "]"


def summary(run: Run) -> list[str]:
    """What came of a slice, in a few lines."""
    newest = run.slice
    used = words.duration(newest.used_s if newest else None)
    lines = [f"backprop: {run.id} {run.state} after {used}: {run.reason.text if run.reason else ''}".rstrip(": ")]
    parts = [f"{len(run.slices)} slice" + ("s" if len(run.slices) != 1 else "")]
    if run.step is not None:
        parts.append(f"step {run.step:,}")
    if run.loss is not None:
        parts.append(f"loss {words.loss(run.loss)} (best {words.loss(run.best_loss)})")
    lines.append("  " + ", ".join(parts))
    lines.append("  " + words.checkpoints(run))
    lines += [f"  warning: {warning}" for warning in run.warnings]
    if newest is not None and newest.survivors:
        lines.append(f"  warning: {newest.survivors} processes could not be ended")
    if run.state != "completed":
        lines.append(f"  go on with it: backprop resume {run.id}")
    return lines


def use_colour() -> bool:
    """Whether a script's colours go to the terminal."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _columns() -> int:
    try:
        return os.get_terminal_size(2).columns or 80
    except OSError:
        return 80
