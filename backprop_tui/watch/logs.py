"""A run's output: its last lines, and what is added to it."""

from __future__ import annotations

import os

from backprop_tui.errors import StoreError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.model.run import Gap
    from backprop_tui.store.home import Home

BLOCK = 64 * 1024
MAX_TAIL = 16 * 1024 * 1024
"""A line may be a progress bar of any length."""


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
        self._at = 0
        self.skipped = 0
        """Bytes that were freed where the reading went on; whoever tells of them sets it back."""
        self._gap = self._read_gap()

    def seek_tail(self, lines: int) -> None:
        """Go to where the last `lines` lines begin."""
        end = os.fstat(self._file.fileno()).st_size
        first = max(self._gap.end if self._gap else 0, end - MAX_TAIL)
        wanted = lines + (end > 0 and os.pread(self._file.fileno(), 1, end - 1) == b"\n")
        at = end
        while lines > 0 and at > first:
            start = max(first, at - BLOCK)
            block = os.pread(self._file.fileno(), at - start, start)
            found = block.count(b"\n")
            if found >= wanted:
                for _ in range(wanted):
                    block = block[: block.rindex(b"\n")]
                self._at = start + len(block) + 1
                return
            wanted -= found
            at = start
        self._at = first if lines > 0 else end

    def read(self, limit: int = BLOCK) -> bytes:
        """What comes next, without what was freed since; b"" when there is nothing (yet)."""
        data = self._next(limit)
        if b"\0" in data:  # perhaps freed meanwhile
            self._gap = self._read_gap()
            data = self._next(limit)
        self._at += len(data)
        return data

    def _next(self, limit: int) -> bytes:
        if self._gap is not None:
            at, limit = self._gap.around(self._at, limit)
            self.skipped += at - self._at
            self._at = at
        return os.pread(self._file.fileno(), limit, self._at)

    def _read_gap(self) -> Gap | None:
        try:
            return self._home.run(self._run_id).read_run().log_gap
        except StoreError:
            return None

    def has_ended(self) -> bool:
        """Whether the run has ended, and no slice follows by itself: nothing will be added."""
        return self._home.run(self._run_id).read_run().is_over

    def close(self) -> None:
        self._file.close()
