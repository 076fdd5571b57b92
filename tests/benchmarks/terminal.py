"""A program in a terminal of its own: its keys, every byte it writes, the CPU and the memory it takes."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import threading
import time
from pathlib import Path

QUIET_S = 0.25
"""A program that has written nothing for so long has answered."""
_ESCAPE = re.compile(
    rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[P_^X][^\x1b]*\x1b\\|[ -/]*[0-OQ-WYZ`-~=>])"
)
_HALF = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*|\][^\x07\x1b]*\x1b?|[P_^X][^\x1b]*\x1b?|[ -/]*)$")
KEPT = 1 << 20


class Terminal:
    """Starts a program in a pseudo-terminal and reads all that it writes."""

    def __init__(self, argv: list[str], env: dict[str, str], *, columns: int = 120, rows: int = 40) -> None:
        env = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8", **env}
        self.started = time.time()
        self.pid, self._fd = pty.fork()
        if not self.pid:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            os.execve(argv[0], argv, env)
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.count = 0
        """Bytes written so far."""
        self._text = b""
        """The newest of what was written, without what moves and colours."""
        self._half = b""
        self._passed = 0
        """Bytes of text that are no longer kept."""
        self._last = 0.0
        self._news = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_what: object) -> None:
        self.close()

    def _read(self) -> None:
        while True:
            try:
                select.select([self._fd], [], [])
                data = os.read(self._fd, 1 << 16)
            except OSError:
                data = b""
            now = time.time()
            with self._news:
                self._last = now
                self.count += len(data)
                data = self._half + data
                half = _HALF.search(data)
                self._half = data[half.start() :] if half else b""
                self._text += _ESCAPE.sub(b"", data[: half.start()] if half else data)
                if len(self._text) > 2 * KEPT:
                    self._passed += len(self._text) - KEPT
                    self._text = self._text[-KEPT:]
                self._news.notify_all()
            if not data:
                return

    @property
    def at(self) -> int:
        """Where the text that is written from now on begins."""
        with self._news:
            return self._passed + len(self._text)

    def wait(self, words: str = "", *, since: int = 0, timeout_s: float = 30.0) -> float:
        """When these words were written (any, if there are none) after the place `since`: epoch seconds.

        Raises:
            TimeoutError: they were not.
        """
        needle, end = words.encode(), time.monotonic() + timeout_s
        with self._news:
            while True:
                text = self._text[max(0, since - self._passed) :]
                if needle in text if needle else text:
                    return self._last
                if (left := end - time.monotonic()) <= 0:
                    raise TimeoutError(f"not seen within {timeout_s:g} s: {words!r} in {text[-300:]!r}")
                self._news.wait(left)

    def send(self, keys: str) -> int:
        """Press keys; returns where the text that answers them begins."""
        at = self.at
        os.write(self._fd, keys.encode())
        return at

    def settle(self, quiet_s: float = QUIET_S, timeout_s: float = 10.0) -> None:
        """Wait until it has written nothing for a while, as long as its clock lets it."""
        end = time.monotonic() + timeout_s
        while time.monotonic() < end:
            before = self.count
            time.sleep(quiet_s)
            if self.count == before:
                return

    def cpu_s(self) -> float:
        """CPU seconds of the program so far, user and system."""
        return time.clock_gettime((~self.pid << 3) | 2)  # Linux: the CPU clock of another process

    def memory_mb(self) -> tuple[float, float]:
        """Resident memory, and its share of what others use too, in MB."""
        text = Path(f"/proc/{self.pid}/smaps_rollup").read_text()
        rss, pss = (int(re.search(rf"^{name}:\s+(\d+)", text, re.M)[1]) for name in ("Rss", "Pss"))  # type: ignore[index]
        return rss / 1024, pss / 1024

    def close(self) -> None:
        """End it."""
        try:
            os.kill(self.pid, signal.SIGTERM)
            for _ in range(100):
                if os.waitpid(self.pid, os.WNOHANG)[0]:
                    break
                time.sleep(0.02)
            else:
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
        finally:
            os.close(self._fd)
