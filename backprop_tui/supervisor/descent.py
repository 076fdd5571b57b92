"""Climbs down the stop ladder alone: for the guard, and for whoever finds a training without a supervisor."""

from __future__ import annotations

import signal
import time

from backprop_tui.artifacts.writing import WriteWatch
from backprop_tui.frozen import Frozen
from backprop_tui.supervisor.stopping import Act, Rung, StopLadder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.supervisor.tree import TrainingTree

_POLL_S = 0.05


class Descent(Frozen):
    """What was sent, and what was left."""

    sent: tuple[tuple[float, str], ...]
    """(epoch seconds, signal)"""
    survivors: int


def act_on(tree: TrainingTree, act: Act, stop_signal: int) -> str:
    """Carry out one act; returns the signal's name, "" if nothing was sent."""
    if act is Act.SIGNAL:
        tree.signal_group(stop_signal)
        tree.wake()
        return signal.Signals(stop_signal).name
    if act is Act.TERM:
        tree.signal_all(signal.SIGTERM, tree.scan())
        tree.wake()
        return "SIGTERM"
    if act is Act.KILL:
        tree.signal_all(signal.SIGKILL, tree.scan_thoroughly())
        return "SIGKILL"
    return ""


def climb_down(tree: TrainingTree, *, grace_s: float, stop_signal: int, checkpoints: tuple[str, ...] = ()) -> Descent:
    """Stop a whole tree, waiting as the ladder says; returns when it is gone or cannot be ended."""
    watch = WriteWatch()
    for path in checkpoints:
        watch.learn(path)
    writing = watch.is_writing(time.time(), {})
    ladder = StopLadder(grace_s=grace_s, now=time.monotonic(), writing=writing)
    sent: list[tuple[float, str]] = []
    has_passed_on = False
    while True:
        members = tree.scan()
        if not members:
            members = tree.scan_thoroughly()
        if not members:
            break
        is_led = any(member.pid == tree.root.pid for member in members)
        if sent and not is_led and not has_passed_on and ladder.rung is Rung.GRACE:
            has_passed_on = True
            tree.pass_on(stop_signal)
        act = ladder.step(time.monotonic(), alive=True, growing=watch.is_writing(time.time(), {}))
        if act is Act.GIVE_UP:
            break
        if act is not None and (name := act_on(tree, act, stop_signal)) and (not sent or sent[-1][1] != name):
            sent.append((time.time(), name))
        time.sleep(_POLL_S)
    return Descent(sent=tuple(sent), survivors=len(members))
