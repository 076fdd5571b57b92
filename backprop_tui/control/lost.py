"""Finds runs whose supervisor is gone, and brings their record to a truthful end.

Only a process on the run's own host may judge it. Whatever still trains without a supervisor and without a
guard is stopped first.
"""

from __future__ import annotations

import os
import time

from backprop_tui.engines.argv import grace_s, stop_signal_of
from backprop_tui.errors import BackpropError, StoreError
from backprop_tui.files import FileLock
from backprop_tui.frozen import Frozen
from backprop_tui.model.run import Reason
from backprop_tui.model.states import RunState
from backprop_tui.probes import host
from backprop_tui.probes.tree import is_alive
from backprop_tui.protocol.lines import LineSplitter
from backprop_tui.supervisor.living import has_supervisor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.model.run import Run
    from backprop_tui.model.spec import SliceSpec
    from backprop_tui.store.folder import RunFolder
    from backprop_tui.store.home import Home
    from backprop_tui.supervisor.intake import Intake

GUARD_WAIT_S = 5.0
"""A guard whose training is gone needs a moment to write its report."""
UNMADE_S = 60.0
CHUNK = 256 * 1024


class Settled(Frozen):
    """What a look at the active runs of this host has found."""

    lost: tuple[str, ...] = ()
    """Ids of the runs that have turned out to be lost."""
    owed: tuple[str, ...] = ()
    """Of those, lost now or before, that were to go on by themselves and have nobody who sees to it."""


def settle_lost(home: Home) -> Settled:
    """Judge every active run of this host."""
    lost, owed = [], []
    for run_id in sorted(home.active_ids()):
        try:
            if _settle(home, run_id):
                lost.append(run_id)
            if is_owed(home.run(run_id).read_run()):
                owed.append(run_id)
        except (BackpropError, OSError, TypeError, ValueError, LookupError):
            continue  # one broken record must not hide the others; it shows as broken
    return Settled(lost=tuple(lost), owed=tuple(owed))


def is_owed(run: Run) -> bool:
    """Whether a run was to go on by itself, and the supervisor that was to see to it is gone."""
    return run.state.is_ended and run.goes_on and not has_supervisor(run)


def _settle(home: Home, run_id: str) -> bool:
    folder = home.run(run_id)
    try:
        run = folder.read_run()
    except StoreError:
        _clear_unmade(home, folder)
        return False
    if run.state.is_ended or has_supervisor(run):
        return False
    lock = FileLock(folder.file("lock"))
    if not _take(lock, run):
        return False  # its guard is still stopping the training
    try:
        run = folder.read_run()
        if run.state.is_ended or has_supervisor(run):
            return False
        _conclude(home, folder, run)
        return True
    finally:
        lock.release()


def _take(lock: FileLock, run: Run) -> bool:
    if run.training is not None and is_alive(run.training):
        return lock.try_acquire()
    try:
        lock.acquire(GUARD_WAIT_S)
    except TimeoutError:
        return False
    return True


def _conclude(home: Home, folder: RunFolder, run: Run) -> None:
    from backprop_tui.governor.going_on import following
    from backprop_tui.supervisor.clock import Clock
    from backprop_tui.supervisor.continuity import Continuity
    from backprop_tui.supervisor.intake import Intake, follows_files
    from backprop_tui.supervisor.outputs import Outputs
    from backprop_tui.supervisor.publish import Publisher
    from backprop_tui.supervisor.reading import rest_of
    from backprop_tui.supervisor.recorder import Recorder

    spec = folder.read_spec()
    reason, ended = _explain(folder, run, spec)
    clock = Clock()
    was_queued, was_stopped = run.state is RunState.QUEUED, _is_stopped_by_person(run)
    recorder = Recorder(
        folder,
        run,
        spec,
        Publisher(home, folder, spec, -1.0),
        clock,
        follows=lambda lost: not was_stopped and (was_queued or following(lost, spec).goes_on),
    )
    recorder.take_over()
    intake = Intake(recorder, rest_of(spec, run), clock, follows_files=follows_files(spec))
    end = _catch_up(folder, intake, run)
    Outputs(spec, recorder, clock, home=home, intake=intake).look_once_more(is_cut=True, ended=ended)
    recorder.judge(final=True)
    Continuity(recorder, folder.file("metrics.jsonl"), spec).look(final=True)
    recorder.amend(training=None, output_bytes=end)
    used_s = 0.0 if was_queued else _trained_s(run, ended)
    recorder.change(RunState.LOST, reason, ended=round(ended, 3), log_end=end, used_s=used_s)
    if not (was_queued or was_stopped) and (follows := following(recorder.run, spec)).is_early:
        recorder.warn(f"it does not go on by itself: {follows.why}")
        recorder.flush(force=True)
    recorder.close()


def _trained_s(run: Run, ended: float) -> float:
    """How long the lost slice has trained, as far as that can be told: its record may be some seconds behind.

    Never 0 for a slice that was more than a place in the queue: by that its loss counts as one.
    """
    newest = run.slice
    if newest is None:
        return 0.0
    until_end = min(ended - newest.started - newest.paused_s, newest.box_s) if run.state is RunState.RUNNING else 0.0
    return round(max(newest.used_s, until_end, 0.001), 3)


def _is_stopped_by_person(run: Run) -> bool:
    """Whether somebody had stopped the run already, also while it ended for another reason; nothing follows then."""
    by_person = run.reason is not None and run.reason.by == "person"
    return run.state is RunState.STOPPING and (by_person or not run.goes_on)


def _catch_up(folder: RunFolder, intake: Intake, run: Run) -> int:
    """Read what the script printed after its supervisor died; returns the log's size."""
    splitter = LineSplitter()
    newest = run.slice
    try:
        with open(folder.file("output.log"), "rb") as log:
            log.seek(max(run.output_bytes, newest.log_start if newest else 0))
            while data := log.read(CHUNK):
                intake.feed(splitter.feed(data))
            intake.feed(splitter.flush())
            intake.rest()
            return log.tell()
    except FileNotFoundError:
        return 0


def _explain(folder: RunFolder, run: Run, spec: SliceSpec) -> tuple[Reason, float]:
    owner = run.owner
    guard = folder.read_guard()
    if owner is not None and owner.boot_id != host.boot_id():
        doing = "waited in the queue" if run.state is RunState.QUEUED else "ran"
        return Reason(code="box_gone", text=f"the machine was restarted while it {doing}", by="box"), run.updated
    sent = ""
    if guard is not None and guard.get("began", 0) >= (run.slice.started if run.slice else 0):
        names = [str(entry[1]) for entry in guard.get("sent", ())]
        sent = f"; its guard stopped the training ({', '.join(names)})" if names else ""
        ended = float(guard.get("ended", time.time()))
        return Reason(code="supervisor_gone", text=f"its supervisor was killed{sent}", by="guard"), ended
    from backprop_tui.supervisor.tree import TrainingTree, find_root

    token = owner.token if owner else ""
    left = run.training if run.training is not None and is_alive(run.training) else find_root(token)
    if left is not None:
        from backprop_tui.supervisor.descent import climb_down

        climb_down(
            TrainingTree(token, left, adopts=False),
            grace_s=grace_s(spec),
            stop_signal=stop_signal_of(spec),
            checkpoints=tuple(c.path for c in run.checkpoints[-3:]),
        )
        text = "its supervisor and its guard were killed; the training was stopped when that was found"
        return Reason(code="supervisor_gone", text=text, by="box"), time.time()
    return Reason(code="supervisor_gone", text="its supervisor was killed", by="box"), run.updated


def _clear_unmade(home: Home, folder: RunFolder) -> None:
    """Remove what a start left that died before it had a record; nothing was started then."""
    names = set(os.listdir(folder.path))
    if names - {"control", "lock", "spec-1.json", "notes.json", "events.jsonl"}:
        return
    if time.time() - os.stat(folder.path).st_mtime < UNMADE_S:
        return
    lock = FileLock(folder.file("lock"))
    if not lock.try_acquire():
        return
    try:
        import shutil

        shutil.rmtree(folder.path)
        home.clear_active(folder.id)
    finally:
        lock.release()
