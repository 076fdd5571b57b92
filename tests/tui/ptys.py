"""A program in a terminal of its own: what it wrote, byte for byte, and the modes that it left."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import termios
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.requirements import require
from tests.stand_ins.waiting import wait_until

MODES = {
    "?1049": "alternate screen",
    "?1000": "mouse",
    "?1003": "mouse, any event",
    "?1015": "mouse, urxvt",
    "?1006": "mouse, SGR",
    "?1004": "focus",
    "?2004": "bracketed paste",
}
_SWITCH = re.compile(rb"\x1b\[(\?\d+)([hl])")
_TERMINAL = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LC_ALL": "C.UTF-8"}


def resize(fd: int, columns: int, rows: int) -> None:
    """Make a terminal another size, as a window does."""
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


class OnTerminal:
    """A program whose controlling terminal is ours."""

    def __init__(
        self, argv: Sequence[str], *, env: dict[str, str], cwd: Path, size: tuple[int, int] = (80, 24)
    ) -> None:
        self.main, self.other = pty.openpty()
        resize(self.main, *size)
        self.before = termios.tcgetattr(self.other)
        setsid = shutil.which("setsid")
        require("setsid", setsid is not None, "there is no setsid")
        self.process = subprocess.Popen(
            [str(setsid), "--ctty", *argv],
            cwd=cwd,
            env={**_TERMINAL, **env},
            stdin=self.other,
            stdout=self.other,
            stderr=self.other,
        )
        self.written = b""
        self._is_reading = True
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        while self._is_reading:
            if not select.select([self.main], [], [], 0.05)[0]:
                continue
            try:
                data = os.read(self.main, 65536)
            except OSError:
                return
            if not data:
                return
            self.written += data

    def type(self, keys: str) -> None:
        os.write(self.main, keys.encode())

    def shows(self, text: str) -> bool:
        """Whether it has ever been written in one piece."""
        return text.encode() in self.written

    def wait_for(self, text: str) -> None:
        try:
            wait_until(lambda: self.shows(text) or self.process.poll() is not None)
        except AssertionError:
            raise AssertionError(f"never written: {text}; but:\n{self.written[-3000:]!r}")
        assert self.shows(text), f"it ended: {self.written[-3000:]!r}"

    def wait(self, limit_s: float = 20.0) -> int:
        """Its exit code, negative for a signal."""
        wait_until(lambda: self.process.poll() is not None, limit_s)
        return self.process.wait()

    def settle(self) -> None:
        """Take everything that has been written: the other end is ours too, so it is kept."""
        seen = -1
        while seen != len(self.written) or select.select([self.main], [], [], 0)[0]:
            seen = len(self.written)
            select.select([], [], [], 0.05)

    @property
    def modes(self) -> dict[str, bool]:
        """The modes that it has switched, as they stand now; the cursor's under ?25."""
        return {name.decode(): switch == b"h" for name, switch in _SWITCH.findall(self.written)}

    def assert_restored(self) -> None:
        """The terminal is as the shell had it."""
        self.settle()
        modes = self.modes
        on = [name for mode, name in MODES.items() if modes.get(mode)]
        assert not on, f"still on: {on}"
        assert modes.get("?1049") is False, "it never left the alternate screen"
        assert modes.get("?25") is True, "the cursor stays hidden"
        assert modes.get("?7") is not False, "lines do not wrap any more"
        assert self.written.count(b"\x1b[>") == self.written.count(b"\x1b[<u"), "kitty's keys stay on"
        assert termios.tcgetattr(self.other) == self.before

    @property
    def said(self) -> list[str]:
        """The lines on the normal screen after it left its own."""
        return _SWITCH.sub(b"", self.written.rpartition(b"\x1b[?1049l")[2]).decode().splitlines()

    def left_s(self, name: str) -> float:
        """What stands under LEFT in the run's row, as it was first drawn, seconds."""
        self.wait_for(name)

        def found() -> re.Match[bytes] | None:
            drawn = re.sub(rb"\x1b\[[0-9;?]*[A-Za-z]", b"", self.written)
            return re.search(re.escape(name.encode()) + rb" +(\d+):(\d\d)\b", drawn)

        wait_until(found)
        match = found()
        assert match is not None
        return int(match[1]) * 60.0 + int(match[2])

    def stop_reading(self) -> None:
        """Take nothing any more."""
        self._is_reading = False
        self._reader.join()

    def hang_up(self) -> None:
        """Close the terminal's other side, as a window that is closed."""
        self.stop_reading()
        os.close(self.other)
        os.close(self.main)
        self.main = self.other = -1

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        if self.main >= 0:
            self.hang_up()


@contextmanager
def on_terminal(argv: Sequence[str], **options: Any) -> Iterator[OnTerminal]:
    terminal = OnTerminal(argv, **options)
    try:
        yield terminal
    finally:
        terminal.close()


def end_of(pid: int) -> float:
    """Wait for the end of a process, ours or not; the CPU seconds that it had used."""
    used = 0.0

    def is_gone() -> bool:
        nonlocal used
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return True
        used = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        return fields[0] in "ZX"

    try:
        wait_until(is_gone)
    except AssertionError:
        os.kill(pid, signal.SIGKILL)
        raise AssertionError(f"it never ended, and used {used} s")
    return used


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
