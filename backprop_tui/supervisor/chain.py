"""A run's slices one after the other, in one process that holds the run's lock and hears signals throughout."""

from __future__ import annotations

from backprop_tui.errors import BackpropError, Interrupted, RunActive
from backprop_tui.files import FileLock
from backprop_tui.model.run import Reason
from backprop_tui.model.states import RunState
from backprop_tui.supervisor.session import Session
from backprop_tui.supervisor.signals import SignalBox
from backprop_tui.supervisor.station import Station

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from backprop_tui.governor.going_on import Following
    from backprop_tui.model.run import Run
    from backprop_tui.model.spec import SliceSpec
    from backprop_tui.store.home import Home
    from backprop_tui.supervisor.admission import AdmissionDesk
    from backprop_tui.supervisor.clock import Clock
    from backprop_tui.supervisor.observer import Observer
    from backprop_tui.supervisor.session import Enrolled, Plan

    PlanNext = Callable[[Home, SliceSpec, Following], Plan]

LOCK_WAIT_S = 0.5


class Chain:
    """One run for as long as it goes on; most have one slice."""

    def __init__(self, home: Home, desk: AdmissionDesk, observer: Observer, clock: Clock, plan_next: PlanNext) -> None:
        """`plan_next` plans the slice that follows one which has ended."""
        self._home = home
        self._desk = desk
        self._observer = observer
        self._clock = clock
        self._plan_next = plan_next

    def run(self, plan: Plan) -> Run:
        """Take the run to the end of its last slice; returns the record.

        Raises:
            BackpropError: as `Session.run`; of a slice that follows another one, only what its record says, too.
        """
        self._home.ensure()
        self._desk.open()
        lock = self._lock_existing(plan.spec.run_id) if plan.is_resume else None
        signals = SignalBox()
        station = Station(self._home, self._desk, self._observer, self._clock, signals)
        done: Enrolled | None = None
        try:
            while True:
                session = Session(station, plan, lock)
                try:
                    done = session.run()
                except (BackpropError, OSError) as error:
                    self._end(session.enrolled, error)
                    if done is None:
                        raise
                    done = self._not_started(done, session.enrolled, error)
                finally:
                    lock = session.enrolled.lock if session.enrolled is not None else lock
                following = self._next(done, signals)
                if following is None:
                    return done.recorder.run
                plan = following
        finally:
            if lock is not None:
                lock.release()
            signals.close()

    def _lock_existing(self, run_id: str) -> FileLock:
        lock = FileLock(self._home.run(run_id).file("lock"))
        try:
            lock.acquire(LOCK_WAIT_S)  # a reader that settles or clears a run holds it for a moment
        except TimeoutError:
            raise RunActive(f"run {run_id} is running already", hint=f"see it with: backprop status {run_id}")
        return lock

    def _not_started(self, done: Enrolled, following: Enrolled | None, error: Exception) -> Enrolled:
        """The last slice, where a later one did not come to run; raises `error` where its own record says why."""
        if following is None:
            self._leave(done, _words(error))
            return done
        if isinstance(error, Interrupted):  # a person has ended its wait in the queue
            return following
        raise error

    def _end(self, failed: Enrolled | None, error: Exception) -> None:
        """The record of a slice that did not leave the queue as it should says why."""
        if failed is None or failed.recorder.run.state is not RunState.QUEUED:
            return
        recorder = failed.recorder
        recorder.follows = lambda _run: False
        reason = Reason(code="spawn", text=f"not started: {_words(error)}", by="box")
        recorder.change(RunState.STOPPED, reason, ended=round(self._clock.epoch(), 3))
        recorder.close()

    def _next(self, done: Enrolled, signals: SignalBox) -> Plan | None:
        """The slice that follows one which has ended."""
        if done.recorder.is_disowned:
            return None
        from backprop_tui.governor.going_on import following

        follows = following(done.recorder.run, done.spec)
        plan = self._plan(done, follows, signals) if done.recorder.run.goes_on else None
        if follows.why and not follows.goes_on:
            self._conclude(done, follows)
        self._observer.ended(done.recorder.run, None if plan is None else follows)
        return plan

    def _conclude(self, done: Enrolled, follows: Following) -> None:
        """A run that could have gone on ends here."""
        text = f"done: {follows.why}" if follows.is_done else f"it does not go on by itself: {follows.why}"
        done.recorder.event("over", text=follows.why)
        if follows.is_early:
            done.recorder.warn(text)
            done.recorder.flush(force=True)
        done.recorder.close()
        self._observer.said(text)

    def _plan(self, done: Enrolled, follows: Following, signals: SignalBox) -> Plan | None:
        _clear_up()
        try:
            plan = self._plan_next(self._home, done.spec, follows)
        except (BackpropError, OSError) as error:
            self._leave(done, _words(error))
            return None
        self._answer(done)
        if signals.has_stop:
            self._leave(done, "a person has interrupted it")
        done.recorder.close()
        return plan if done.recorder.run.goes_on else None

    def _answer(self, done: Enrolled) -> None:
        """What was asked of a slice that had ended already."""
        from backprop_tui.supervisor.between import Between

        Between(done.folder, done.recorder, done.spec.n, self._observer).listen()

    def _leave(self, done: Enrolled, why: str) -> None:
        from backprop_tui.supervisor.between import leave

        leave(done.recorder, self._observer, why)
        done.recorder.close()


def _words(error: Exception) -> str:
    return error.message if isinstance(error, BackpropError) else str(error)


def _clear_up() -> None:
    """What a slice leaves in memory must not add up over hundreds of them."""
    import gc

    gc.unfreeze()
    gc.collect()
