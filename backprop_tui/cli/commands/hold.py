"""backprop hold and release"""

from __future__ import annotations

from backprop_tui.cli import output
from backprop_tui.cli.diagnostics import ExitCode, say
from backprop_tui.control import requesting
from backprop_tui.control.settling import settle_if_any
from backprop_tui.errors import RunNotActive
from backprop_tui.watch.history import History
from backprop_tui.watch.homes import open_home

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.cli.parsing import Parsed
    from backprop_tui.control.requesting import Answer
    from backprop_tui.store.home import Home


def run(parsed: Parsed) -> int:
    """Ask each run's supervisor and tell what it answers; the exit code says whether all did as they were asked."""
    home = open_home()
    settle_if_any(home)
    ids = list(dict.fromkeys(map(History(home).resolve, parsed.words)))
    if parsed.flag("dry_run"):
        output.would(f"{parsed.command}: {' '.join(ids)}", json=parsed.flag("json"))
        return ExitCode.OK
    answers = [_ask(home, run_id, parsed.command) for run_id in ids]
    if parsed.flag("json"):
        output.emit_json([answer.plain() for answer in answers])
    for answer in answers:
        if not answer.ok:
            say(f"backprop: {answer.run_id}: {answer.text}")
        elif not parsed.flag("json") and not parsed.flag("quiet"):
            output.emit(f"{answer.run_id}: {answer.text}")
    return ExitCode.OK if all(answer.ok for answer in answers) else ExitCode.USAGE


def _ask(home: Home, run_id: str, verb: str) -> Answer:
    try:
        return requesting.hold(home, run_id) if verb == "hold" else requesting.release(home, run_id)
    except RunNotActive as error:
        return requesting.Answer(run_id=run_id, ok=False, text=error.message)
