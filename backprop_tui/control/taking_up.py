"""Takes up the runs that were to go on by themselves when the machine, or their supervisor, went down."""

from __future__ import annotations

import math
import os

from backprop_tui import files
from backprop_tui.control.leaving import leave
from backprop_tui.control.lost import is_owed
from backprop_tui.control.resuming import ResumeWish, plan_resume
from backprop_tui.control.starting import run_detached
from backprop_tui.control.wishes import env_as_recorded
from backprop_tui.errors import BackpropError, EngineError, RunActive, StoreError
from backprop_tui.files import FileLock
from backprop_tui.governor.going_on import LOSSES, following
from backprop_tui.governor.progress import losses_without_progress
from backprop_tui.probes.host import boot_id
from backprop_tui.text import quoted

_MAX_TOLD = 1 << 20

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from backprop_tui.model.run import Run
    from backprop_tui.model.spec import SliceSpec
    from backprop_tui.store.home import Home


def take_up(home: Home, owed: Iterable[str]) -> tuple[str, ...]:
    """Start these runs again, detached, each to wait for its turn; returns what came of it, a sentence each.

    One process does this; another that wants to at the same time does nothing.
    """
    lock = FileLock(os.path.join(home.path, "taking-up.lock"))
    try:
        if not lock.try_acquire():
            return ()
    except OSError:
        return ()
    with lock:
        taken, said = [], []
        for run_id in owed:
            try:
                if missing := _missing(home, run_id):
                    if _is_news(home, run_id):
                        said.append(f"{run_id} is to go on by itself and waits: {missing} is not there")
                elif left := _take_up(home, run_id):
                    said.append(f"{run_id} was to go on by itself and is left: {left}")
                else:
                    taken.append(run_id)
            except RunActive:
                continue  # somebody was faster
            except (BackpropError, OSError, TypeError, ValueError, LookupError) as error:
                # It stays as it is: whoever looks next tries again, and one must not keep the others from it.
                words = error.message if isinstance(error, BackpropError) else str(error)
                said.append(f"{run_id} is to go on by itself, and could not be taken up: {words}")
    if taken:
        said.insert(0, f"taken up again, as they were to go on by themselves: {', '.join(taken)}")
    return tuple(said)


def _take_up(home: Home, run_id: str) -> str:
    """Start one; returns why it is left alone instead, "" if it is not."""
    folder = home.run(run_id)
    run, spec = folder.read_run(), folder.read_spec()
    if not is_owed(run):
        raise RunActive(f"run {run_id} has been taken up already")
    why = _reason_to_leave(run, spec)
    if not why:
        follows = following(run, spec)
        # What only waited has all of its box before it.
        box_minutes = follows.box_minutes if follows.goes_on else spec.box_minutes
        wish = ResumeWish(flags={}, wait_s=math.inf, box_minutes=box_minutes, by_itself=True)
        try:
            plan = plan_resume(home, run_id, wish).plan
            # Whoever looks at the history first has another shell than whoever started the run.
            plan = plan.replace(spec=plan.spec.replace(recorded_env=spec.recorded_env))
            run_detached(home, plan, env_as_recorded(spec.recorded_env, os.environ))
        except (RunActive, StoreError, EngineError):
            raise
        except BackpropError as error:
            why = error.message
    if why:
        leave(home, folder, why)
    return why


def _missing(home: Home, run_id: str) -> str:
    """What a run cannot do without and may come back, as its disk may not be mounted yet; "" if all is there."""
    spec = home.run(run_id).read_spec()
    if not spec.setting_or("takeUp", True):
        return ""  # it does not wait for anything
    wanted = [spec.cwd]
    if not spec.is_command:
        wanted.append(os.path.join(spec.cwd, spec.command[0]))
    if spec.interpreter is not None:
        wanted.append(os.path.join(spec.cwd, spec.interpreter))
    return next((quoted(path) for path in wanted if not os.path.exists(path)), "")


def _is_news(home: Home, run_id: str) -> bool:
    """Whether this has not been said of the run since the machine was started."""
    path, boot = os.path.join(home.path, "waiting"), boot_id()
    try:
        told = files.read_bytes(path, _MAX_TOLD).decode("utf-8", "replace").splitlines()
    except OSError:
        told = []
    if not told or told[0] != boot:
        told = [boot]
    if run_id in told[1:]:
        return False
    try:
        files.write_atomic(path, "\n".join([*told, run_id]).encode())
    except OSError:
        pass  # it is said once more
    return True


def _reason_to_leave(run: Run, spec: SliceSpec) -> str:
    if not spec.setting_or("takeUp", True):
        return "takeUp is off"
    if (losses := losses_without_progress(run)) >= LOSSES:
        return f"it was lost {losses} times in a row without having come further"
    return ""
