"""Tells the outside of the run's folder: the index of this host, and experiments.json."""

from __future__ import annotations

from backprop_tui.errors import StoreError
from backprop_tui.model.states import RunState

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.model.run import Run
    from backprop_tui.model.spec import SliceSpec
    from backprop_tui.store.folder import RunFolder
    from backprop_tui.store.home import Home
    from backprop_tui.store.index import Index

PROGRESS_EVERY_S = 2.0
RETRY_S = 0.25
MIRROR_WAIT_S = 10.0
BUSY_MS, BUSY_MEANWHILE_MS = 20_000, 50
"""How long another writer of the index is waited for: at the end, and while the training lives."""
INDEX_AFTER_S = 1.0
"""Loading SQLite takes 4 ms: a shorter slice leaves its row in the index to the next reader."""


class Publisher:
    """Keeps the two copies of a run's record up to date. Both can be made anew: failures are only told."""

    def __init__(self, home: Home, folder: RunFolder, spec: SliceSpec, now: float) -> None:
        """`now` is monotonic seconds."""
        self._home = home
        self._folder = folder
        self._spec = spec
        self._since = now
        self._last_progress = float("-inf")
        self.owes = False
        """Others were writing experiments.json: it is tried again with the next progress."""
        self._index_used: Index | None = None

    def load(self) -> None:
        """Import what `changed` needs at the end."""
        from backprop_tui.store import mirror  # noqa: F401

    def changed(self, run: Run, now: float) -> list[str]:
        """The state changed; returns what could not be written. `now` is monotonic seconds."""
        if run.state is RunState.STARTING:
            return []  # running or failed follows at once, and the training must not wait for this
        self._last_progress = now
        # While the training lives nothing may wait: its deadline and its signals are due in the same thread.
        problems = self._mirror(run, MIRROR_WAIT_S if run.state.is_ended else 0.0)
        if run.state.is_ended and now - self._since < INDEX_AFTER_S:
            return problems  # the mark in active/ leads the next reader to it
        if run.state.is_ended:
            problems += self._index(BUSY_MS)
        elif run.state in (RunState.QUEUED, RunState.RUNNING):
            self._index(BUSY_MEANWHILE_MS)  # where that fails, the mark in active/ leads readers to it
        if run.is_over and not problems:
            self._home.clear_active(run.id)
        return problems

    def progressed(self, run: Run, now: float) -> list[str] | None:
        """There are new steps or checkpoints; written at most every 2 s, None before that."""
        if now - self._last_progress < (RETRY_S if self.owes else PROGRESS_EVERY_S):
            return None
        self._last_progress = now
        return self._mirror(run, 0.0)

    def _mirror(self, run: Run, wait_s: float) -> list[str]:
        if run.state is RunState.QUEUED:
            return []
        from backprop_tui.store import mirror

        try:
            paths = self._folder.checkpoint_paths(mirror.KEPT_PATHS) if run.checkpoint_count else []
            warning = mirror.update(self._home, self._spec, paths, lambda: (run, self._folder.read_notes()), wait_s)
        except TimeoutError as error:
            self.owes = True
            return [f"experiments.json could not be written: {error}"] if wait_s else []
        except (OSError, StoreError) as error:
            return [f"experiments.json could not be written: {error}"]
        self.owes = False
        return [warning] if warning else []

    def _index(self, busy_ms: int) -> list[str]:
        index = self._open_index(busy_ms)
        if index is None:
            return ["the index could not be opened"]
        try:
            index.refresh([self._folder])
        except (OSError, StoreError) as error:
            return [f"the index could not be written: {error}"]
        return []

    def _open_index(self, busy_ms: int) -> Index | None:
        """Kept open: the last connection that closes moves the whole log into the database, which takes time."""
        from backprop_tui.store.index import Index

        if self._index_used is None:
            try:
                self._index_used = Index(self._home)
            except (OSError, StoreError):
                return None
        self._index_used.be_patient(busy_ms)
        return self._index_used
