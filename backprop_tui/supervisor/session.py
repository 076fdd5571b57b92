"""A slice's whole life: admitted, recorded, started under guard, supervised, published."""

from __future__ import annotations

import os
import signal
import time

from backprop_tui.errors import AdmissionRefused, BackpropError, EngineError, Interrupted, RunActive, StoreError
from backprop_tui.frozen import Frozen
from backprop_tui.model.run import Owner, Process, Reason, Run, Slice
from backprop_tui.model.states import RunState
from backprop_tui.supervisor.signals import STOP_SIGNALS, SignalBox

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.files import FileLock
    from backprop_tui.model.decisions import Admission
    from backprop_tui.model.spec import SliceSpec
    from backprop_tui.store.folder import RunFolder
    from backprop_tui.store.home import Home
    from backprop_tui.supervisor.admission import AdmissionDesk, HeldFile
    from backprop_tui.supervisor.clock import Clock
    from backprop_tui.supervisor.observer import Observer

QUEUE_LOOK_S = 2.0


class Plan(Frozen):
    """A slice that somebody wants: everything but the permission to start."""

    spec: SliceSpec
    """Of a new run without an id: run_id is ""."""
    is_resume: bool
    wait_s: float | None = None
    """How long to queue for admission; None: refuse at once, infinity: as long as it takes."""


class Session:
    """One supervised slice. To be used in the main thread of a process that does nothing else meanwhile."""

    def __init__(self, home: Home, plan: Plan, desk: AdmissionDesk, observer: Observer, clock: Clock) -> None:
        self._home = home
        self._plan = plan
        self._desk = desk
        self._observer = observer
        self._clock = clock
        self._folder: RunFolder | None = None
        self._lock: FileLock | None = None
        self._signals = SignalBox()

    def run(self) -> Run:
        """Take the slice to its end; returns the finished record.

        Raises:
            AdmissionRefused: the Governor said no (and the wait, if any, ran out).
            Interrupted: a person interrupted before the training was started.
            EngineError: the training could not be started; the record says so.
            RunActive: somebody else runs it.
            StoreError: the record cannot be written.
        """
        from backprop_tui.supervisor.request import request_of

        close_inherited_files()
        spec = self._plan.spec
        lease: HeldFile | None = None
        try:
            self._home.ensure()
            self._desk.open()
            if self._plan.is_resume or spec.run_id or self._plan.wait_s is not None:
                spec = self._claim(spec)
            request = request_of(spec, os.environ)
            admission, lease = self._desk.try_start(request)
            if lease is None:
                if self._plan.wait_s is None:
                    self._give_up_claim()
                    raise refusal(admission)
                spec, admission, lease = self._wait(spec, admission)
            if self._folder is None:
                spec = self._claim(spec)
            return self._supervise(spec, admission, lease)
        finally:
            self._desk.leave()
            if lease is not None:
                lease.drop()
            if self._lock is not None:
                self._lock.release()
            self._signals.close()
