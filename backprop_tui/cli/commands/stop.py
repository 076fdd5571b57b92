"""backprop stop"""

from __future__ import annotations

import time

from backprop_tui.cli import diagnostics, output
from backprop_tui.cli.diagnostics import ExitCode
from backprop_tui.control import requesting
from backprop_tui.control.settling import settle_if_any
from backprop_tui.errors import Interrupted, RunNotActive, UsageError
from backprop_tui.watch.history import History
from backprop_tui.watch.homes import open_home
from backprop_tui.watch.record import read_record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.cli.parsing import Parsed
    from backprop_tui.control.requesting import Answer
    from backprop_tui.store.home import Home

POLL_S = 0.05


def run(parsed: Parsed) -> int:
    """Ask runs to stop, and wait until they have ended."""
    home = open_home()
    settle_if_any(home)
    history = History(home)
    if parsed.flag("all") == bool(parsed.words):
        raise UsageError("which runs?", hint="name them, or stop every run with --all")
    ids = [row.id for row in history.active()] if parsed.flag("all") else list(map(history.resolve, parsed.words))
    if parsed.flag("dry_run"):
        how = "kill" if parsed.flag("force") else "stop"
        output.would(f"{how}: {' '.join(dict.fromkeys(ids)) or 'nothing runs now'}", json=parsed.flag("json"))
        return ExitCode.OK
    answers = [_ask(home, run_id, parsed) for run_id in dict.fromkeys(ids)]
    try:
        for answer in answers:
            if answer.ok:
                _wait(home, answer.run_id)
    except KeyboardInterrupt:
        raise Interrupted("not waiting any longer; what was asked to stop goes on stopping") from None
    documents = [_tell(home, answer, parsed) for answer in answers]
    if parsed.flag("json"):
        output.emit_json(documents)
    elif not answers and not parsed.flag("quiet"):
        output.emit("nothing runs now")
    return ExitCode.OK if all(answer.ok for answer in answers) else ExitCode.FAILED


def _ask(home: Home, run_id: str, parsed: Parsed) -> Answer:
    try:
        answer = requesting.stop(home, run_id, force=parsed.flag("force"))
    except RunNotActive as error:
        return requesting.Answer(run_id=run_id, ok=True, text=error.message)
    if answer.ok and not parsed.flag("quiet"):
        diagnostics.say(f"backprop: {run_id}: {answer.text}")
    return answer


def _wait(home: Home, run_id: str) -> None:
    while not read_record(home, run_id).run.state.is_ended:
        settle_if_any(home)
        time.sleep(POLL_S)
    requesting.leave_lost(home, run_id)  # its supervisor may have been killed meanwhile


def _tell(home: Home, answer: Answer, parsed: Parsed) -> dict[str, object]:
    run = read_record(home, answer.run_id).run
    if not parsed.flag("json") and not (parsed.flag("quiet") and answer.ok):
        reason = f": {run.reason.text}" if run.reason and answer.ok else ""
        output.emit(f"{run.id} is {run.state}{reason}" if answer.ok else f"{run.id}: {answer.text}")
    return {**answer.plain(), "state": run.state}
