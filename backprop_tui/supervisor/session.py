"""A slice's whole life: admitted, recorded, started under guard, supervised, published."""

from __future__ import annotations

import os

from backprop_tui.engines.argv import argv_of, environment_of, grace_s, stop_signal_of
from backprop_tui.engines.base import Launch
from backprop_tui.engines.local import LocalEngine
from backprop_tui.errors import EngineError, Interrupted, RunActive
from backprop_tui.files import FileLock
from backprop_tui.frozen import Frozen
from backprop_tui.model.run import Reason, Run
from backprop_tui.model.states import RunState
from backprop_tui.probes import tree as processes
from backprop_tui.supervisor.case import Case
from backprop_tui.supervisor.enrolment import enrol, request_of
from backprop_tui.supervisor.keeper import Keeper
from backprop_tui.supervisor.publish import Publisher
from backprop_tui.supervisor.recorder import Recorder
from backprop_tui.supervisor.signals import SignalBox
from backprop_tui.supervisor.timebox import TimeBox

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.model.decisions import Admission
    from backprop_tui.model.spec import SliceSpec
    from backprop_tui.store.home import Home
    from backprop_tui.supervisor.admission import AdmissionDesk, HeldLease
    from backprop_tui.supervisor.clock import Clock
    from backprop_tui.supervisor.gpuwatch import GpuWatch
    from backprop_tui.supervisor.observer import Observer


LOCK_WAIT_S = 0.5


class Plan(Frozen):
    """A slice that somebody wants: everything but the permission to start."""

    spec: SliceSpec
    is_resume: bool
    wait_s: float | None = None
    """How long to queue for admission; None: refuse at once, infinity: as long as it takes."""


class Session:
    """One supervised slice, in the main thread of a process that does nothing else meanwhile."""

    def __init__(self, home: Home, plan: Plan, desk: AdmissionDesk, observer: Observer, clock: Clock) -> None:
        self._home = home
        self._plan = plan
        self._desk = desk
        self._observer = observer
        self._clock = clock

    def run(self) -> Run:
        """Take the slice to its end; returns the finished record.

        Raises:
            AdmissionRefused: the Governor said no, or the wait ran out.
            Interrupted: a person interrupted before the training was started.
            EngineError: the training could not be started; the record says so.
            RunActive: somebody else runs it.
            StoreError: the record cannot be written.
        """
        spec = self._plan.spec
        self._home.ensure()
        self._desk.open()
        lock = self._lock_existing() if self._plan.is_resume else None
        signals = SignalBox()
        lease: HeldLease | None = None
        try:
            admission, lease = self._desk.try_start(request_of(spec, os.environ))
            if lease is None and self._plan.wait_s is None:
                from backprop_tui.supervisor.queueing import refusal

                raise refusal(admission)
            if signals.has_stop:
                raise Interrupted("interrupted before anything was started")
            folder, spec, run, lock = enrol(self._home, self._plan, lock, self._clock)
            if lease is not None and not lease.lease.run_id:
                lease.update(run_id=run.id)
            publisher = Publisher(self._home, folder, spec, self._clock.monotonic())
            recorder = Recorder(folder, run, spec, publisher, self._clock)
            if lease is None:
                from backprop_tui.supervisor.queueing import Queue

                queue = Queue(self._desk, recorder, folder, spec, signals, self._observer)
                admission, lease = queue.wait(admission, self._plan.wait_s or 0.0)
                if lease is None:
                    return recorder.run
            case = Case(folder=folder, spec=spec, recorder=recorder, signals=signals, lease=lease, lock=lock)
            self._supervise(case, admission)
            return recorder.run
        finally:
            self._desk.leave()
            if lease is not None:
                self._desk.end(lease)
            if lock is not None:
                lock.release()
            signals.close()

    def _lock_existing(self) -> FileLock:
        run_id = self._plan.spec.run_id
        lock = FileLock(self._home.run(run_id).file("lock"))
        try:
            lock.acquire(LOCK_WAIT_S)  # a reader that settles or clears a run holds it for a moment
        except TimeoutError:
            raise RunActive(f"run {run_id} is running already", hint=f"see it with: backprop status {run_id}")
        return lock

    def _supervise(self, case: Case, admission: Admission) -> None:
        spec, recorder = case.spec, case.recorder
        if spec.resume_from is not None:
            from backprop_tui.supervisor.safety_copy import keep_copy, put_back

            keep_copy(case, self._observer.said)
        box_s = float(spec.setting("maxRunMinutes")) * 60
        launch = Launch(
            argv=argv_of(spec),
            env=environment_of(
                spec, os.environ, gpu=admission.gpu, deadline=self._clock.epoch() + box_s, token=recorder.token
            ),
            cwd=spec.cwd,
            log_path=case.folder.file("output.log"),
        )
        recorder.hold_lines()
        for decision in admission.decisions:
            recorder.event("decision", **decision.plain())
        recorder.change(RunState.STARTING, None, gpus=(admission.gpu.index,) if admission.gpu else ())
        self._observer.starting(spec, launch, admission)
        keeper = Keeper(case, _gpu_watch(admission, spec))
        engine = LocalEngine(processes.start_of)
        others = processes.children_of_self() - {keeper.guard.pid}
        # A shell can leave an orphan within a millisecond; Python needs longer than this to load.
        adopts = _adopt_orphans() if spec.is_command else None
        try:
            if spec.resume_from is not None and (text := put_back(spec, case.folder)):
                recorder.warn(text)
            training = engine.start(launch)
        except Exception as error:
            # Whatever it was: no training runs, and the guard must not wait for one.
            recorder.release_lines()
            keeper.guard.say_goodbye()
            text = error.message if isinstance(error, EngineError) else f"{type(error).__name__}: {error}"
            reason = Reason(code="spawn", text=text, by="box")
            recorder.change(RunState.FAILED, reason, ended=round(self._clock.epoch(), 3))
            recorder.close()
            raise
        box = TimeBox(box_s, self._clock.monotonic())
        if adopts is None:
            adopts = _adopt_orphans()
        from backprop_tui.supervisor import tree

        keeper.watch(engine, training, tree.TrainingTree(recorder.token, training, adopts=adopts, exclude=others))
        recorder.release_lines()
        recorder.amend(training=training)
        recorder.change(RunState.RUNNING, None, started=round(self._clock.epoch(), 3), log_start=engine.offset)
        self._observer.started(recorder.run, launch.log_path)
        self._follow(case, engine, keeper, box)
        keeper.guard.wait()
        recorder.close()
        engine.close()

    def _follow(self, case: Case, engine: LocalEngine, keeper: Keeper, box: TimeBox) -> None:
        # Imported while the training loads itself: its start does not need any of this.
        from backprop_tui.protocol.lines import LineSplitter
        from backprop_tui.supervisor.advising import Advising
        from backprop_tui.supervisor.continuity import Continuity
        from backprop_tui.supervisor.ending import Ending
        from backprop_tui.supervisor.inbox import Inbox
        from backprop_tui.supervisor.intake import Intake, follows_files
        from backprop_tui.supervisor.lessons import Lessons
        from backprop_tui.supervisor.loop import Supervision
        from backprop_tui.supervisor.outputs import Outputs
        from backprop_tui.supervisor.parts import Parts
        from backprop_tui.supervisor.reading import reading_of

        case.recorder.load_publishing()
        lessons = Lessons(self._home, case.spec, case.folder, case.recorder)
        reading = reading_of(case.spec, case.recorder.run)
        intake = Intake(case.recorder, reading, self._clock, follows_files=follows_files(case.spec))
        parts = Parts(
            engine=engine,
            tree=keeper.tree,
            recorder=case.recorder,
            box=box,
            inbox=Inbox(case.folder, case.recorder, case.spec.n),
            signals=case.signals,
            observer=self._observer,
            clock=self._clock,
            splitter=LineSplitter(),
            intake=intake,
            outputs=Outputs(
                case.spec, case.recorder, self._clock, home=self._home, pids=lambda: keeper.tree.pids, intake=intake
            ),
            housekeeping=keeper.keep,
            farewell=keeper.guard_farewell,
            ended=Ending(case.folder, case.spec, case.recorder, lessons.ended).ended,
            advising=Advising(case.spec, case.recorder, self._clock, intake, self._observer.said),
            continuity=Continuity(case.recorder, case.folder.file("metrics.jsonl"), case.spec),
        )
        Supervision(parts, grace_s=grace_s(case.spec), stop_signal=stop_signal_of(case.spec)).run()
        reading.close()
        lessons.learn(self._clock.epoch())


def _adopt_orphans() -> bool:
    from backprop_tui.supervisor.tree import adopt_orphans

    return adopt_orphans()


def _gpu_watch(admission: Admission, spec: SliceSpec) -> GpuWatch | None:
    if admission.gpu is None:
        return None
    from backprop_tui.supervisor.gpuwatch import GpuWatch

    return GpuWatch(admission.gpu.index, spec.setting("gpu.probe"))
