"""What a person may ask of a running slice besides its end; each answers whether it was done, and in words."""

from __future__ import annotations

import math

from backprop_tui.model.run import Reason
from backprop_tui.model.states import RunState
from backprop_tui.supervisor.timebox import in_minutes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.supervisor.parts import Parts


def pause(p: Parts, who: str, *, has_ended: bool) -> tuple[bool, str]:
    """Let the training stand still; its time box stands still too."""
    if p.recorder.run.state is not RunState.RUNNING or has_ended:
        return False, f"it is {p.recorder.run.state}, not running"
    p.tree.pause()
    p.box.pause(now := p.clock.monotonic())
    reason = Reason(code="person", text=f"paused by {who}", by="person")
    p.recorder.change(RunState.PAUSED, reason, **p.box.clocks(now))
    return True, "paused"


def go_on(p: Parts) -> tuple[bool, str]:
    """Wake a paused training."""
    if p.recorder.run.state is not RunState.PAUSED:
        return False, f"it is {p.recorder.run.state}, not paused"
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
