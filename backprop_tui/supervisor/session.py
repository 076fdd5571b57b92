"""A slice's whole life: asked for, recorded, waited for, supervised."""

from __future__ import annotations

import os

from backprop_tui.errors import Interrupted, StoreError
from backprop_tui.frozen import Frozen
from backprop_tui.model.run import Run
from backprop_tui.supervisor.case import Case
from backprop_tui.supervisor.enrolment import enrol, request_of
from backprop_tui.supervisor.publish import Publisher
from backprop_tui.supervisor.recorder import Recorder
from backprop_tui.supervisor.supervised import SupervisedSlice

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.files import FileLock
    from backprop_tui.model.decisions import Admission
    from backprop_tui.model.spec import SliceSpec
    from backprop_tui.store.folder import RunFolder
    from backprop_tui.supervisor.admission import HeldLease
    from backprop_tui.supervisor.station import Station


class Plan(Frozen):
    """A slice that somebody wants: everything but the permission to start."""

    spec: SliceSpec
    is_resume: bool
    wait_s: float | None = None
    """How long to queue for admission; None: refuse at once, infinity: as long as it takes."""
    by_itself: bool = False
    """It follows the slice before, or was taken up after a loss: nobody has just asked for it."""


class Enrolled(Frozen):
    """A slice that has a record."""

    folder: RunFolder
    spec: SliceSpec
    recorder: Recorder
    lock: FileLock


class Session:
    """One supervised slice."""

    def __init__(self, station: Station, plan: Plan, lock: FileLock | None) -> None:
        """`lock` is the run's, None for a new run; that of `enrolled` is left to whoever made the session."""
        self._station = station
        self._home = station.home
        self._desk = station.desk
        self._signals = station.signals
        self._plan = plan
        self._lock = lock
        self.enrolled: Enrolled | None = None

    def run(self) -> Enrolled:
        """Take the slice to its end, or to the end of its wait; its record is complete then.

        Raises:
            AdmissionRefused: the Governor said no, or the wait ran out.
            Interrupted: a person interrupted before the training was started.
            EngineError: the training could not be started; the record says so.
            RunActive: somebody else runs it.
            StoreError: the record cannot be written.
        """
        lease: HeldLease | None = None
        try:
            admission, lease = self._ask()
            if self._signals.has_stop:
                raise Interrupted("interrupted before anything was started")
            self.enrolled = it = self._enrol()
            if lease is not None and not lease.lease.run_id:
                lease.update(run_id=it.folder.id)
            if admission is None or lease is None:
                from backprop_tui.supervisor.queueing import Queue

                request = request_of(it.spec, os.environ, self._home)
                queue = Queue(self._desk, it.recorder, it.folder, request, self._signals, self._station.observer)
                admission, lease = queue.wait(self._plan.wait_s or 0.0)
                if lease is None:
                    return it
            case = Case(
                folder=it.folder,
                spec=it.spec,
                recorder=it.recorder,
                signals=self._signals,
                lease=lease,
                lock=it.lock,
            )
            SupervisedSlice(self._station, case).run(admission)
            return it
        finally:
            self._desk.leave()
            if lease is not None:
                self._desk.end(lease)

    def _ask(self) -> tuple[Admission | None, HeldLease | None]:
        """The Governor's verdict on a start now, and the lease if it is yes; None: that is asked in the queue."""
        spec, by_itself = self._plan.spec, self._plan.by_itself
        if by_itself and self._home.run(spec.run_id).read_run().held:
            return None, None
        try:
            admission, lease = self._desk.try_start(request_of(spec, os.environ, self._home))
        except StoreError:
            if not by_itself:
                raise
            return None, None  # another backprop stands on the lock: there is time
        if lease is None and (self._plan.wait_s is None or admission.is_final):
            from backprop_tui.supervisor.queueing import refusal

            raise refusal(admission)
        return admission, lease

    def _enrol(self) -> Enrolled:
        folder, spec, run, lock = enrol(self._home, self._plan, self._lock, self._station.clock)
        if not self._plan.by_itself:
            run = run.replace(held="")  # whoever resumes a run wants it to go on
        run = run.replace(goes_on=_may_go_on(run, spec))
        publisher = Publisher(self._home, folder, spec, self._station.clock.monotonic())
        recorder = Recorder(folder, run, spec, publisher, self._station.clock, follows=lambda run: _goes_on(run, spec))
        return Enrolled(folder=folder, spec=spec, recorder=recorder, lock=lock)


def _may_go_on(run: Run, spec: SliceSpec) -> bool:
    """Whether a next slice follows if this one uses its time box up."""
    if not spec.is_chain:
        return False  # the usual case loads nothing
    from backprop_tui.governor.going_on import goes_on_after

    return goes_on_after(run, spec)


def _goes_on(run: Run, spec: SliceSpec) -> bool:
    """Whether a next slice follows now that this one has ended."""
    from backprop_tui.governor.going_on import following

    return following(run, spec).goes_on
