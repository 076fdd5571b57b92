"""Everything known of one run."""

from __future__ import annotations

import os
import time

from backprop_tui.errors import StoreError
from backprop_tui.frozen import Frozen
from backprop_tui.model.run import Notes
from backprop_tui.model.secrets import masked
from backprop_tui.model.states import RunState
from backprop_tui.store.rows import source_mark

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from backprop_tui.model.run import Run
    from backprop_tui.model.spec import SliceSpec
    from backprop_tui.store.folder import RunFolder
    from backprop_tui.store.home import Home


class Record(Frozen):
    """A run's state, the spec of its newest slice and its notes, as of `t`."""

    run: Run
    spec: SliceSpec | None
    """None when it cannot be read."""
    notes: Notes
    t: float
    """When this was read, epoch seconds."""
    folder: str

    @property
    def left_s(self) -> float | None:
        """Time left in the box of the running slice, seconds; None when there is none."""
        newest = self.run.slice
        if newest is None or self.run.state not in (RunState.STARTING, RunState.RUNNING, RunState.PAUSED):
            return None
        if self.run.state is RunState.PAUSED:
            return newest.box_s - newest.used_s
        return newest.box_s - (self.t - newest.started - newest.paused_s)

    def plain(self) -> dict[str, Any]:
        """The record as one JSON document."""
        run = self.run
        spec = None
        if self.spec is not None:
            spec = self.spec.plain()
            spec["env"] = masked(self.spec.env)
        return {
            **run.plain(),
            "name": self.notes.name,
            "tags": list(self.notes.tags),
            "note": self.notes.note,
            "star": self.notes.star,
            "archived": self.notes.archived,
            "loss": run.loss,
            "failure": run.failure.plain() if run.failure else None,
            "main_metric": None if run.main is None else run.main[0],
            "main_value": None if run.main is None else run.main[1],
            "left_s": None if self.left_s is None else round(self.left_s, 1),
            "folder": self.folder,
            "spec": spec,
        }


def read_record(home: Home, run_id: str, spec: SliceSpec | None = None) -> Record:
    """The record of a run; `spec`, if given, is known to be that of its newest slice.

    Raises:
        RunNotFound, StoreError: there is none, or its state cannot be read.
    """
    folder = home.run(run_id)
    run = folder.read_run()
    if spec is None:
        try:
            spec = folder.read_spec()
        except StoreError:
            spec = None
    try:
        notes = folder.read_notes()
    except StoreError:
        notes = Notes()
    return Record(run=run, spec=spec, notes=notes, t=time.time(), folder=folder.path)


class RecordReader:
    """Reads one run's record again and again: only what has changed is read. For one thread."""

    def __init__(self, home: Home, run_id: str) -> None:
        self._home, self._run_id = home, run_id
        self._mark = ""
        self._spec_mark = ""
        self._record: Record | None = None

    def read(self) -> Record:
        """The record now.

        Raises:
            RunNotFound, StoreError: there is none, or its state cannot be read.
        """
        folder = self._home.run(self._run_id)
        mark = source_mark(folder)
        if self._record is not None and mark == self._mark:
            self._record = self._record.replace(t=time.time())
            return self._record
        spec_mark = _spec_mark(folder)
        known = self._record.spec if self._record is not None and spec_mark == self._spec_mark else None
        self._record = read_record(self._home, self._run_id, known)
        self._mark, self._spec_mark = mark, spec_mark
        return self._record


def _spec_mark(folder: RunFolder) -> str:
    """Differs after the newest spec was written; that of a start which died is replaced."""
    newest = folder.spec_numbers()[-1:]
    try:
        info = os.stat(folder.file(f"spec-{newest[0]}.json")) if newest else None
    except OSError:
        info = None
    return f"{newest}{info.st_mtime_ns}.{info.st_ino}" if info else ""


def read_events(home: Home, run_id: str, limit: int) -> list[dict[str, Any]]:
    """The newest events of a run, oldest first."""
    return home.run(run_id).events(limit)
