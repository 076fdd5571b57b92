"""Asks a run's supervisor: stop, pause, continue, extend, hold, release."""

from __future__ import annotations

import os
import time

from backprop_tui.errors import RunActive, RunNotActive
from backprop_tui.frozen import Frozen
from backprop_tui.probes import host
from backprop_tui.store import requests
from backprop_tui.supervisor.living import has_supervisor
from backprop_tui.supervisor.signals import DOORBELL
from backprop_tui.supervisor.tree import send

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from backprop_tui.model.run import Run
    from backprop_tui.model.spec import SliceSpec
    from backprop_tui.store.home import Home

ANSWER_S = 10.0
POLL_S = 0.02


class Answer(Frozen):
    """What a supervisor answered to a request."""

    run_id: str
    ok: bool
    text: str


def stop(home: Home, run_id: str, *, force: bool = False) -> Answer:
    """Ask for the stop ladder, or with `force` for SIGKILL at once; raises as `ask`.

    Where the supervisor is gone, what was to go on by itself goes on no more.
    """
    if leave_lost(home, run_id):
        return Answer(run_id=run_id, ok=True, text="it has ended, and it does not go on by itself any more")
    return ask(home, run_id, "stop", {"force": force})


def pause(home: Home, run_id: str) -> Answer:
    """Ask for the whole tree to stand still; raises as `ask`."""
    return ask(home, run_id, "pause", {})


def unpause(home: Home, run_id: str) -> Answer:
    """Ask for a paused run to go on; raises as `ask`."""
    return ask(home, run_id, "continue", {})


def extend(home: Home, run_id: str, seconds: float) -> Answer:
    """Ask for the time box to end later, or with negative seconds earlier; raises as `ask`."""
    return ask(home, run_id, "extend", {"seconds": seconds})


def hold(home: Home, run_id: str) -> Answer:
    """Ask for a run to wait in the queue until it is released, now or once its slice has ended; raises as `ask`."""
    return ask(home, run_id, "hold", {})


def release(home: Home, run_id: str) -> Answer:
    """Ask for a held run to take its turn again; raises as `ask`."""
    return ask(home, run_id, "release", {})


def grace_s(spec: SliceSpec) -> float:
    """How long a run may take to save and end once it is asked to, seconds."""
    from backprop_tui.engines.argv import grace_s as grace_of

    return grace_of(spec)


def check_active(home: Home, run_id: str, verb: str) -> Run:
    """The run, if there is somebody to ask.

    Raises:
        RunNotActive: it has ended.
    """
    run = home.run(run_id).read_run()
    if run.is_over:
        raise RunNotActive(f"run {run_id} is {run.state}: there is nothing to {verb}")
    if run.state.is_ended and not has_supervisor(run):
        raise RunNotActive(
            f"run {run_id} is {run.state}, and its supervisor is gone: there is nobody to {verb} it",
            hint="backprop list takes it up again; then ask once more",
        )
    return run


def ask(home: Home, run_id: str, verb: str, args: dict[str, Any]) -> Answer:
    """Leave a request, ring, and wait for the answer.

    Raises:
        RunNotActive: the run has ended, or its supervisor has.
        StoreError: the request cannot be left.
    """
    folder = home.run(run_id)
    run = check_active(home, run_id, verb)
    who = who_asks()
    slice_n = run.owner.slice if run.owner else 0
    at = folder.events_size()
    request_id = requests.post(folder, verb, args=args, who=who, slice_n=slice_n)
    _ring(run)
    end = time.monotonic() + ANSWER_S
    while time.monotonic() < end:
        at, events = folder.events_after(at)
        for event in events:
            if event.get("event") == "request" and event.get("id") == request_id:
                return Answer(run_id=run_id, ok=bool(event.get("ok")), text=str(event.get("text")))
        if folder.read_run().is_over:
            return Answer(run_id=run_id, ok=verb == "stop", text="it ended meanwhile")
        time.sleep(POLL_S)
    requests.remove(folder, request_id)
    return Answer(run_id=run_id, ok=False, text=f"its supervisor did not answer within {ANSWER_S:g} s")


def leave_lost(home: Home, run_id: str) -> bool:
    """Let a run that was to go on by itself, and has lost its supervisor, go on no more; whether it is such a run."""
    from backprop_tui.control.leaving import leave
    from backprop_tui.control.lost import is_owed

    folder = home.run(run_id)
    end = time.monotonic() + ANSWER_S
    while is_owed(folder.read_run()):
        try:
            return leave(home, folder, f"stopped by {who_asks()}")
        except RunActive:
            if time.monotonic() > end:
                raise
            time.sleep(POLL_S)  # somebody takes it up this very moment
    return False


def who_asks() -> str:
    """This person on this box, as records name them."""
    return f"{_user()}@{host.hostname()}"


def _ring(run: Run) -> None:
    owner = run.owner
    if owner is not None and owner.host == host.hostname() and owner.boot_id == host.boot_id():
        send(owner.process, DOORBELL)


def _user() -> str:
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())
