"""backprop pause, continue and extend"""

from __future__ import annotations

from backprop_tui.cli import output
from backprop_tui.cli.diagnostics import ExitCode
from backprop_tui.cli.launching import time_of
from backprop_tui.control import requesting
from backprop_tui.control.settling import settle_if_any
from backprop_tui.errors import RequestRefused, UsageError
from backprop_tui.watch.history import History
from backprop_tui.watch.homes import open_home

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.cli.parsing import Parsed


def run(parsed: Parsed) -> int:
    """Ask a run's supervisor and tell what it answers."""
    home = open_home()
    settle_if_any(home)
    run_id = History(home).resolve(parsed.words[0])
    seconds = _seconds(parsed.words[1]) if parsed.command == "extend" else 0.0
    if parsed.flag("dry_run"):
        state = requesting.check_active(home, run_id, parsed.command).state
        output.would(f"{parsed.command} {run_id}, which is {state}", json=parsed.flag("json"))
        return ExitCode.OK
    if parsed.command == "pause":
        answer = requesting.pause(home, run_id)
    elif parsed.command == "continue":
        answer = requesting.unpause(home, run_id)
    else:
        answer = requesting.extend(home, run_id, seconds)
    if not answer.ok:
        raise RequestRefused(f"{run_id}: {answer.text}")
    if parsed.flag("json"):
        output.emit_json(answer.plain())
    elif not parsed.flag("quiet"):
        output.emit(f"{run_id}: {answer.text}")
    return ExitCode.OK


def _seconds(text: str) -> float:
    sign = -1 if text.startswith("-") else 1
    try:
        return sign * 60 * time_of(text.lstrip("+-"), "TIME")
    except UsageError:
        hint = "minutes, or such as 90s, 10m, 1h30m; with a minus in front it shortens the box"
        raise UsageError(f"TIME is {text!r:.40}", hint=hint) from None
