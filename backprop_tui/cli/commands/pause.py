"""backprop pause, continue and extend"""

from __future__ import annotations

from backprop_tui.cli import output
from backprop_tui.cli.diagnostics import ExitCode
from backprop_tui.cli.launching import time_of
from backprop_tui.control import requesting
from backprop_tui.control.settling import settle_if_any
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
    if parsed.command == "pause":
        answer = requesting.pause(home, run_id)
    elif parsed.command == "continue":
        answer = requesting.unpause(home, run_id)
    else:
        text = parsed.words[1]
        sign = -1 if text.startswith("-") else 1
        answer = requesting.extend(home, run_id, sign * 60 * time_of(text.lstrip("+-"), "TIME"))
    if parsed.flag("json"):
        output.emit_json(answer.plain())
    elif not parsed.flag("quiet") or not answer.ok:
        output.emit(f"{run_id}: {answer.text}")
    return ExitCode.OK if answer.ok else ExitCode.FAILED
