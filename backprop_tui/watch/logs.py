"""A run's output: its last lines, and what is added to it."""

from __future__ import annotations

import os

from backprop_tui.errors import StoreError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.store.home import Home

BLOCK = 64 * 1024
MAX_TAIL = 64 * 1024 * 1024


class LogReader:
    """Reads output.log from a place on."""

    def __init__(self, home: Home, run_id: str) -> None:
        self._home = home
        self._run_id = run_id
        self.path = home.run(run_id).file("output.log")
        try:
            self._file = open(self.path, "rb")  # noqa: SIM115  # closed by close()
        except FileNotFoundError:
            raise StoreError(f"run {run_id} has printed nothing yet") from None
        except OSError as error:
            raise StoreError(f"cannot read {self.path}: {error.strerror}") from None

    def seek_tail(self, lines: int) -> None:
        """Go to where the last `lines` lines begin."""
        end = os.fstat(self._file.fileno()).st_size
        start, data = end, b""
        while start > 0 and data.count(b"\n") <= lines and len(data) < MAX_TAIL:
            size = min(BLOCK, start)
            start -= size
            data = os.pread(self._file.fileno(), size, start) + data
        ending = b"\n" if data.endswith(b"\n") else b""
        body = data[: len(data) - len(ending)]
        kept = b"\n".join(body.split(b"\n")[-lines:]) + ending if lines > 0 else b""
        self._file.seek(end - len(kept))

    def read(self, limit: int = BLOCK) -> bytes:
        """What comes next, b"" when there is nothing (yet)."""
        return self._file.read(limit)

    def has_ended(self) -> bool:
        """Whether the run has ended: nothing will be added."""
        return self._home.run(self._run_id).read_run().state.is_ended

    def close(self) -> None:
        self._file.close()
