"""What runs now, looked at again and again: only what has changed is read."""

from __future__ import annotations

import os
import time

from backprop_tui.errors import BackpropError, StoreError
from backprop_tui.frozen import Frozen
from backprop_tui.supervisor.living import has_supervisor
from backprop_tui.watch.record import Record, RecordReader, read_record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.store.home import Home

ORDER = ("running", "paused", "stopping", "starting", "queued")


class Snapshot(Frozen):
    """The runs that have not ended, or go on by themselves in a moment."""

    t: float
    """Epoch seconds."""
    active: tuple[Record, ...] = ()
    """By state, inside each by start or queue time, oldest first."""
    ended: tuple[Record, ...] = ()
    """Those that have ended since the last look."""
    broken: tuple[str, ...] = ()
    """Runs in progress whose record cannot be read, and why."""

    def get(self, run_id: str) -> Record | None:
        """The run with this id, if it is in progress."""
        return next((record for record in self.active if record.run.id == run_id), None)


class Watcher:
    """Follows the active runs of a home. For one thread."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._known: dict[str, RecordReader] = {}
        """By run id, those that were seen in progress."""

    def poll(self) -> Snapshot:
        """The runs in progress now."""
        active: list[Record] = []
        ended: list[Record] = []
        broken: list[str] = []
        ids = self._home.active_ids()
        for run_id in sorted(ids):
            reader = self._known.get(run_id) or RecordReader(self._home, run_id)
            try:
                record = reader.read()
            except (BackpropError, OSError) as error:
                if not isinstance(error, StoreError) or self._is_made(run_id):
                    broken.append(str(error))
                continue
            if not record.run.state.is_ended or (record.run.goes_on and has_supervisor(record.run)):
                active.append(record)
                self._known[run_id] = reader
            elif run_id in self._known:
                ended.append(record)
                del self._known[run_id]
        for run_id in self._known.keys() - ids:
            ended += self._gone(run_id)
        return Snapshot(
            t=time.time(), active=tuple(sorted(active, key=_place)), ended=tuple(ended), broken=tuple(broken)
        )

    def _gone(self, run_id: str) -> list[Record]:
        """A run that ended and was taken off the active ones between two looks, or was deleted."""
        del self._known[run_id]
        try:
            return [read_record(self._home, run_id)]
        except (BackpropError, OSError):
            return []

    def _is_made(self, run_id: str) -> bool:
        return os.path.lexists(self._home.run(run_id).file("state.json"))


def _place(record: Record) -> tuple[int, float, str]:
    run = record.run
    state = str(run.state)
    return ORDER.index(state) if state in ORDER else len(ORDER), run.slice.started if run.slice else run.created, run.id
