"""backprop drain and yield"""

from __future__ import annotations

import time

from backprop_tui.cli import diagnostics, output, words
from backprop_tui.cli.diagnostics import ExitCode
from backprop_tui.cli.launching import time_of
from backprop_tui.control import steering
from backprop_tui.errors import Interrupted, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.cli.parsing import Parsed
    from backprop_tui.control.steering import Concerned, Steered

POLL_S = 0.1
LONGEST_S = 7 * 86_400.0
PATIENCE_S = 300.0
"""Longer than any training takes to save and end, but one whose checkpoint still grows."""


def run(parsed: Parsed) -> int:
    """Give the order, or take it back, and say whom it concerns."""
    on, is_dry = not parsed.flag("off"), parsed.flag("dry_run")
    if parsed.command == "drain":
        told = steering.drain(on=on, is_dry=is_dry)
    else:
        told = steering.yield_(on=on, seconds=_seconds(parsed), is_dry=is_dry)
    now = time.time()
    if is_dry:
        output.would("; ".join(lines(told, now)), json=parsed.flag("json"))
        return ExitCode.OK
    if parsed.flag("json"):
        output.emit_json(told.plain())
    elif not parsed.flag("quiet"):
        for line in lines(told, now):
            output.emit_wrapped("", line)
    if told.verb == "yield" and told.is_on:
        return _wait(told, is_silent=parsed.flag("json") or parsed.flag("quiet"))
    return ExitCode.OK


def _wait(told: Steered, *, is_silent: bool) -> int:
    """Until every run has given back what it holds, so that the next command of a script may use it."""
    left, end = told.runs, time.monotonic() + PATIENCE_S
    try:
        while left and steering.is_in_force(told):
            if time.monotonic() > end:
                names = ", ".join(map(_called, left))
                diagnostics.say(f"backprop: not stopped after {words.duration(PATIENCE_S)}: {names}")
                return ExitCode.FAILED
            held = steering.still_held(told)
            for run in left:
                if run not in held and not is_silent:
                    gpus = f": GPU {', '.join(run.gpus)} is free of it" if run.gpus else ""
                    diagnostics.say(f"backprop: {_called(run)} has ended{gpus}")
            left = held
            time.sleep(POLL_S)
    except KeyboardInterrupt:
        text = "not waiting any longer; what was asked to stop goes on stopping"
        raise Interrupted(text, hint="to take it back: backprop yield --off") from None
    return ExitCode.OK


def lines(told: Steered, now: float) -> list[str]:
    """What was ordered and what follows from it, a sentence each."""
    if not told.is_on:
        what = "runs may start again" if told.verb == "drain" else "runs may come back"
        was = "" if told.was_on else f" (there was no {told.verb})"
        return [f"{what}{was}" + (f"; {told.waiting} in the queue" if told.waiting else "")]
    if told.verb == "drain":
        found = ["nothing new starts on this box until: backprop drain --off"]
        found += [f"{_called(run)} goes on to the end of its slice" for run in told.runs]
    else:
        left = 0.0 if told.until is None else told.until - now
        found = [
            f"all runs save and stop; the GPUs stay free for {words.duration(left)}, or until: backprop yield --off"
        ]
        found += [_saves(run, now) for run in told.runs]
        if not told.runs:
            found.append("nothing holds a GPU or a slot now")
    if told.waiting:
        found.append(f"{told.waiting} in the queue, where they stay")
    return found


def _called(run: Concerned) -> str:
    return f"{run.run_id} ({run.name})" if run.name else run.run_id


def _saves(run: Concerned, now: float) -> str:
    if not run.is_known:
        return f"{_called(run)} saves and stops; what it has saved is not known"
    if run.saved_t is None:
        return (
            f"{_called(run)} saves and stops; no checkpoint of it has been seen yet: what it does not save now is lost"
        )
    return f"{_called(run)} saves and stops; its last checkpoint is {words.age(now - run.saved_t)} old"


def _seconds(parsed: Parsed) -> float:
    if not parsed.words:
        return steering.YIELD_S
    if parsed.flag("off"):
        raise UsageError("backprop yield --off takes no TIME")
    seconds = 60 * time_of(parsed.words[0], "TIME")
    if seconds > LONGEST_S:
        raise UsageError(
            f"TIME is {parsed.words[0]!r:.40}", hint="at most a week; to start nothing new: backprop drain"
        )
    return seconds
