"""What may be asked of a running slice besides its end; each answers whether it was done, and in words."""

from __future__ import annotations

import math

from backprop_tui.model.run import Reason
from backprop_tui.model.states import RunState
from backprop_tui.supervisor.timebox import in_minutes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.model.run import Run
    from backprop_tui.store.requests import Request
    from backprop_tui.supervisor.parts import Parts
    from backprop_tui.supervisor.recorder import Recorder


def carry_out(p: Parts, request: Request, *, is_stopping: bool, has_ended: bool) -> tuple[bool, str]:
    """What a person asks for, if it is no stop."""
    match request.verb:
        case "pause":
            reason = Reason(code="person", text=f"paused by {request.who}", by="person")
            return pause(p, reason, has_ended=has_ended)
        case "continue":
            return go_on(p, by="person")
        case "hold" | "release":
            return hold(p.recorder, request.who if request.verb == "hold" else "")
        case "extend":
            return extend(p, request.args.get("seconds"), is_stopping=is_stopping)
    return False, f"unknown request {request.verb!r}"


def pause(p: Parts, reason: Reason, *, has_ended: bool) -> tuple[bool, str]:
    """Let the training stand still; its time box stands still too.

    A person's pause takes the place of the Governor's: it no longer ends by itself.
    """
    run = p.recorder.run
    if run.state is RunState.PAUSED and reason.by == "person" and _is_governors(run):
        p.recorder.amend(reason=reason)
        p.recorder.amend_slice(reason=reason)
        p.recorder.event("state", state=run.state, reason=reason.plain())
        return True, "paused, until you continue it"
    if p.recorder.run.state is not RunState.RUNNING or has_ended:
        return False, f"it is {p.recorder.run.state}, not running"
    p.tree.pause()
    p.box.pause(now := p.clock.monotonic())
    p.recorder.change(RunState.PAUSED, reason, **p.box.clocks(now))
    return True, "paused"


def go_on(p: Parts, *, by: str) -> tuple[bool, str]:
    """Wake a paused training: the Governor only what it has paused itself, a person only what the Governor has not.

    Args:
        p: the slice's parts.
        by: person or governor.
    """
    run = p.recorder.run
    if run.state is not RunState.PAUSED:
        return False, f"it is {run.state}, not paused"
    if _is_governors(run) != (by == "governor"):
        why = run.reason.text if run.reason else "paused"
        return False, f"the Governor holds it ({why}); it continues by itself"
    p.box.resume(now := p.clock.monotonic())
    p.recorder.change(RunState.RUNNING, None, **p.box.clocks(now))
    p.tree.wake()
    return True, "running"


def extend(p: Parts, seconds: object, *, is_stopping: bool) -> tuple[bool, str]:
    """Move the end of the time box by so many seconds."""
    if not isinstance(seconds, (int, float)) or abs(seconds) > 1e9 or math.isnan(seconds):
        return False, f"not a number of seconds: {seconds!r}"
    if is_stopping:
        return False, "it is stopping already"
    now = p.clock.monotonic()
    p.box.extend(float(seconds), now)
    p.recorder.amend_slice(box_s=p.box.limit_s)
    return True, f"the time box is {in_minutes(p.box.limit_s)} now"


def hold(recorder: Recorder, who: str) -> tuple[bool, str]:
    """Let the run wait in the queue once its slice has ended, or with who="" no longer."""
    run = recorder.run
    if who and not run.goes_on:
        return False, f"it is {run.state}, and no further slice of it follows by itself"
    recorder.amend(held=who)
    recorder.event("held", by=who)
    return True, "its next slice waits until it is released" if who else "released"


def nothing_follows(recorder: Recorder) -> None:
    """A person has stopped the run: no further slice begins, not even if this supervisor dies before the end."""
    recorder.follows = lambda _run: False
    recorder.amend(goes_on=False)


def _is_governors(run: Run) -> bool:
    return run.reason is not None and run.reason.by == "governor"
