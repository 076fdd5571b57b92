"""The end of a run's output as lines for a screen, followed as it grows."""

from __future__ import annotations

from collections import deque

from backprop_tui.errors import BackpropError
from backprop_tui.protocol.text import clean
from backprop_tui.watch.logs import LogReader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.store.home import Home

KEPT = 200
MAX_LINE = 2000
BLOCKS_A_LOOK = 8


class LogTail:
    """The newest lines, cleaned of all that acts on a terminal; of a progress bar what it shows last."""

    def __init__(self, home: Home, run_id: str, *, kept: int = KEPT) -> None:
        self._home, self._run_id = home, run_id
        self._reader: LogReader | None = None
        self._partial = b""
        self._kept = kept
        self.lines: deque[str] = deque(maxlen=kept)

    def read(self) -> bool:
        """Take up what is new; True if anything was."""
        if self._reader is None:
            try:
                self._reader = LogReader(self._home, self._run_id)
            except BackpropError:
                return False  # nothing was printed yet
            self._reader.seek_tail(self._kept)
        has_new = False
        for _ in range(BLOCKS_A_LOOK):
            data = self._reader.read()
            if not data:
                break
            has_new = True
            *whole, self._partial = (self._partial + data).split(b"\n")
            self._partial = self._partial.rpartition(b"\r")[2] if len(self._partial) > MAX_LINE else self._partial
            self._partial = self._partial[-MAX_LINE:]
            self.lines.extend(map(_shown, whole[-self._kept :]))
        return has_new

    def shown(self, count: int) -> list[str]:
        """The last `count` lines; one that is not complete yet is among them."""
        partial = [_shown(self._partial)] if self._partial.strip() else []
        return [*self.lines, *partial][-count:] if count > 0 else []

    def close(self) -> None:
        """Let go of the file."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None


def _shown(line: bytes) -> str:
    return clean(line[: 4 * MAX_LINE].rstrip(b"\r").decode("utf-8", "replace"), MAX_LINE)
