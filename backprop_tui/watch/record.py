"""Everything known of one run."""

from __future__ import annotations

import time

from backprop_tui.errors import StoreError
from backprop_tui.frozen import Frozen
from backprop_tui.model.run import Notes
from backprop_tui.model.secrets import masked
from backprop_tui.model.states import RunState

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from backprop_tui.model.run import Run
    from backprop_tui.model.spec import SliceSpec
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
            "left_s": None if self.left_s is None else round(self.left_s, 1),
            "folder": self.folder,
            "spec": spec,
        }


def read_record(home: Home, run_id: str) -> Record:
    """The record of a run.

    Raises:
        RunNotFound, StoreError: there is none, or its state cannot be read.
    """
    folder = home.run(run_id)
    run = folder.read_run()
    try:
        spec: SliceSpec | None = folder.read_spec()
    except StoreError:
        spec = None
    try:
        notes = folder.read_notes()
    except StoreError:
        notes = Notes()
    return Record(run=run, spec=spec, notes=notes, t=time.time(), folder=folder.path)


def read_events(home: Home, run_id: str, limit: int) -> list[dict[str, Any]]:
    """The newest events of a run, oldest first."""
    return home.run(run_id).events(limit)
