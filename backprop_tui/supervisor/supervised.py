"""A slice that was admitted: started under guard, supervised to its end, its record completed."""

from __future__ import annotations

import os

from backprop_tui.engines.argv import argv_of, environment_of, grace_s, stop_signal_of
from backprop_tui.engines.base import Launch
from backprop_tui.engines.local import LocalEngine
from backprop_tui.errors import EngineError
from backprop_tui.model.run import Reason
from backprop_tui.model.states import RunState
from backprop_tui.probes import tree as processes
from backprop_tui.supervisor.keeper import Keeper
from backprop_tui.supervisor.timebox import TimeBox

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.model.decisions import Admission
    from backprop_tui.model.run import Process
    from backprop_tui.model.spec import SliceSpec
    from backprop_tui.supervisor.between import Between
    from backprop_tui.supervisor.case import Case
    from backprop_tui.supervisor.gpuwatch import GpuWatch
    from backprop_tui.supervisor.overseers import Overseers
    from backprop_tui.supervisor.station import Station

GPU_STOP_S = 2.0


class SupervisedSlice:
    """One slice, from its start to a complete record; its lease is given back as soon as nothing of it is left."""

    _between: Between
    """Hears what is asked once it has ended."""

    def __init__(self, station: Station, case: Case) -> None:
        self._home = station.home
        self._desk = station.desk
        self._observer = station.observer
        self._clock = station.clock
        self._case = case

    def run(self, admission: Admission) -> None:
        """Start the training where the Governor has said, see it to its end, and complete its record.

        Raises:
            EngineError: it could not be started; the record says so.
        """
        case = self._case
        spec, recorder = case.spec, case.recorder
        if spec.resume_from is not None:
            from backprop_tui.supervisor.safety_copy import keep_copy

            keep_copy(case, self._observer.said)
        box_s = spec.box_s
        launch = Launch(
            argv=argv_of(spec),
            env=self._environment(admission),
            cwd=spec.cwd,
            log_path=case.folder.file("output.log"),
        )
        recorder.hold_lines()
        for decision in admission.decisions:
            recorder.event("decision", **decision.plain())
        recorder.change(RunState.STARTING, None, gpus=tuple(gpu.index for gpu in admission.gpus))
        self._observer.starting(spec, launch, admission)
        gpu, engine = _gpu_watch(admission, spec), LocalEngine(processes.start_of)
        keeper = self._keeper(gpu)
        others = processes.children_of_self() - {keeper.guard.pid}
        # A shell can leave an orphan within a millisecond; Python needs longer than this to load.
        adopts = _adopt_orphans() if spec.is_command else None
        training = self._start(keeper, engine, launch)
        box = TimeBox(box_s, self._clock.monotonic())
        if adopts is None:
            adopts = _adopt_orphans()
        from backprop_tui.supervisor import tree

        keeper.watch(engine, training, tree.TrainingTree(recorder.token, training, adopts=adopts, exclude=others))
        recorder.release_lines()
        recorder.amend(training=training)
        recorder.change(RunState.RUNNING, None, started=round(self._clock.epoch(), 3), log_start=engine.offset)
        self._observer.started(recorder.run, launch.log_path)
        overseers = self._follow(engine, keeper, box)
        keeper.guard.wait()
        if gpu is not None:
            gpu.stop(GPU_STOP_S)
        self._afterwards()
        self._desk.end(case.lease)
        overseers.finish(self._is_asked_to_stop)
        recorder.close()
        engine.close()

    def _is_asked_to_stop(self) -> bool:
        """The slice has ended: whether a person wants an end of what is still done; answers what is asked meanwhile."""
        return self._between.listen() or self._case.signals.has_stop

    def _environment(self, admission: Admission) -> dict[str, str]:
        """The training's; its framework is told of a limit of GPU memory, and the record what keeps it."""
        spec, recorder = self._case.spec, self._case.recorder
        ends = self._clock.epoch() + spec.box_s
        env = environment_of(spec, os.environ, gpus=admission.gpus, deadline=ends, token=recorder.token)
        wanted, limit = spec.setting_or("gpuMemoryLimit", None), None
        if admission.gpus and wanted is not None:
            from backprop_tui.supervisor.limiting import limited

            changes, limit = limited(spec, env, admission.gpus)
            env.update(changes)
            if limit is None:
                recorder.warn(f"GPU memory is not limited to {wanted}: the GPU does not tell how much it has")
            else:
                self._observer.said(f"GPU memory: {limit.text}")
        recorder.amend(memory_limit=limit)
        return env

    def _keeper(self, gpu: GpuWatch | None) -> Keeper:
        try:
            return Keeper(self._case, gpu)
        except OSError as error:
            text = f"its guard could not be started: {error.strerror}"
            self._not_started(text)
            raise EngineError(text)

    def _start(self, keeper: Keeper, engine: LocalEngine, launch: Launch) -> Process:
        case = self._case
        spec, recorder = case.spec, case.recorder
        try:
            if spec.resume_from is not None:
                from backprop_tui.supervisor.safety_copy import put_back

                if text := put_back(spec, case.folder):
                    recorder.warn(text)
            return engine.start(launch)
        except Exception as error:
            # Whatever it was: no training runs, and the guard must not wait for one.
            keeper.guard.say_goodbye()
            self._not_started(error.message if isinstance(error, EngineError) else f"{type(error).__name__}: {error}")
            raise

    def _not_started(self, why: str) -> None:
        """The record says so, and the person's commands hear of it."""
        from backprop_tui.supervisor.overseers import hooks_without_training

        case = self._case
        case.recorder.release_lines()
        reason = Reason(code="spawn", text=why, by="box")
        case.recorder.change(RunState.FAILED, reason, ended=round(self._clock.epoch(), 3))
        self._desk.end(case.lease)
        hooks_without_training(case, self._clock, self._observer.said)
        case.recorder.close()

    def _afterwards(self) -> None:
        """The slice has ended and its record is complete; its lease is still held."""
        from backprop_tui.supervisor.needs import learn_needs

        learn_needs(self._home, self._case.spec, self._case.recorder.run, self._clock.epoch())

    def _follow(self, engine: LocalEngine, keeper: Keeper, box: TimeBox) -> Overseers:
        # Imported while the training loads itself: its start does not need any of this.
        from backprop_tui.protocol.lines import LineSplitter
        from backprop_tui.supervisor.advising import Advising
        from backprop_tui.supervisor.between import Between
        from backprop_tui.supervisor.continuity import Continuity
        from backprop_tui.supervisor.ending import Ending
        from backprop_tui.supervisor.inbox import Inbox
        from backprop_tui.supervisor.intake import Intake, follows_files
        from backprop_tui.supervisor.lessons import Lessons
        from backprop_tui.supervisor.loop import Supervision
        from backprop_tui.supervisor.outputs import Outputs
        from backprop_tui.supervisor.overseers import Overseers
        from backprop_tui.supervisor.parts import Parts
        from backprop_tui.supervisor.reading import reading_of

        case = self._case
        case.recorder.load_publishing()
        lessons = Lessons(self._home, case.spec, case.folder, case.recorder)
        reading = reading_of(case.spec, case.recorder.run)
        intake = Intake(case.recorder, reading, self._clock, follows_files=follows_files(case.spec))
        overseers = Overseers(case, keeper, box, self._clock, self._observer.said)
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
            housekeeping=overseers.keep,
            farewell=keeper.guard_farewell,
            ended=Ending(case.folder, case.spec, case.recorder, lessons.ended).ended,
            advising=Advising(case.spec, case.recorder, self._clock, intake, self._observer.said),
            continuity=Continuity(case.recorder, case.folder.file("metrics.jsonl"), case.spec),
            overseers=overseers.all,
        )
        Supervision(parts, grace_s=grace_s(case.spec), stop_signal=stop_signal_of(case.spec)).run()
        reading.close()
        lessons.learn(self._clock.epoch())
        self._between = Between(case.folder, case.recorder, case.spec.n, self._observer)
        overseers.settle(self._is_asked_to_stop)
        return overseers


def _adopt_orphans() -> bool:
    from backprop_tui.supervisor.tree import adopt_orphans

    return adopt_orphans()


def _gpu_watch(admission: Admission, spec: SliceSpec) -> GpuWatch | None:
    if not admission.gpus:
        return None
    from backprop_tui.supervisor.gpuwatch import GpuWatch

    baseline = {gpu.index: gpu.used_bytes for gpu in admission.gpus if gpu.used_bytes is not None}
    return GpuWatch(tuple(gpu.index for gpu in admission.gpus), spec.setting("gpu.probe"), baseline=baseline)
