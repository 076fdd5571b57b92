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

PROGRESS_EVERY_S = 2.0


class Publisher:
    """Keeps the two copies of a run's record up to date. Both can be made anew: failures are only told."""

    def __init__(self, home: Home, folder: RunFolder, spec: SliceSpec) -> None:
        self._home = home
        self._folder = folder
        self._spec = spec
        self._last_progress = float("-inf")

    def changed(self, run: Run, now: float) -> list[str]:
        """The state changed; returns what could not be written. `now` is monotonic seconds."""
        if run.state is RunState.STARTING:
            return []  # running or failed follows at once, and the training must not wait for this
        self._last_progress = now
        problems = self._mirror(run)
        if run.state in (RunState.QUEUED, RunState.RUNNING) or run.state.is_ended:
            problems += self._index(run)
        if run.state.is_ended and not problems:
            self._home.clear_active(run.id)
        return problems

    def progressed(self, run: Run, now: float) -> list[str]:
        """There are new steps or checkpoints; written at most every 2 s."""
        if now - self._last_progress < PROGRESS_EVERY_S:
            return []
        self._last_progress = now
        return self._mirror(run)

    def _mirror(self, run: Run) -> list[str]:
        if run.state is RunState.QUEUED:
            return []
        from backprop_tui.store import mirror

        try:
            paths = self._folder.checkpoint_paths(mirror.KEPT_PATHS) if run.checkpoint_count else []
            warning = mirror.update(self._home, run, self._spec, self._folder.read_notes(), paths)
        except (OSError, StoreError) as error:
            return [f"experiments.json could not be written: {error}"]
        return [warning] if warning else []

    def _index(self, run: Run) -> list[str]:
        from backprop_tui.store.index import Index
        from backprop_tui.store.rows import row_for

        try:
            index = Index(self._home)
            try:
                index.upsert([row_for(self._folder)])
            finally:
                index.close()
        except (OSError, StoreError) as error:
            return [f"the index could not be written: {error}"]
        return []
