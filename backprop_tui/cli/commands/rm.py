"""backprop rm"""

from __future__ import annotations

import sys

from backprop_tui.cli import diagnostics, output, words
from backprop_tui.cli.diagnostics import ExitCode
from backprop_tui.control import annotating
from backprop_tui.control.settling import settle_if_any
from backprop_tui.errors import StoreError, UsageError
from backprop_tui.watch.history import History
from backprop_tui.watch.homes import open_home
from backprop_tui.watch.record import read_record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.cli.parsing import Parsed
    from backprop_tui.store.home import Home


def run(parsed: Parsed) -> int:
    """Archive runs (the default), bring them back, or delete their records."""
    if parsed.flag("restore") and parsed.flag("purge"):
        raise UsageError("--restore and --purge exclude each other")
    home = open_home()
    settle_if_any(home)
    ids = list(dict.fromkeys(map(History(home).resolve, parsed.words)))
    if parsed.flag("dry_run"):
        verb = "delete" if parsed.flag("purge") else "restore" if parsed.flag("restore") else "archive"
        output.would(f"{verb}: {' '.join(ids)}", json=parsed.flag("json"))
        return ExitCode.OK
    if not parsed.flag("restore") and not _is_sure(parsed, ids):
        diagnostics.say("backprop: nothing was changed")
        return ExitCode.STOPPED_BY_PERSON
    done = []
    for run_id in ids:
        text = _remove(home, run_id, parsed)
        done.append({"id": run_id, "text": text})
        if not parsed.flag("json") and not parsed.flag("quiet"):
            output.emit(f"{run_id}: {text}")
    if parsed.flag("json"):
        output.emit_json(done)
    return ExitCode.OK


def _remove(home: Home, run_id: str, parsed: Parsed) -> str:
    if parsed.flag("purge"):
        return f"deleted, {words.size(annotating.purge(home, run_id))} freed"
    if not parsed.flag("restore"):
        goes_on = _goes_on(home, run_id)
        annotating.archive(home, run_id)
        left = "it does not go on by itself any more; " if goes_on else ""
        return f"archived; {left}bring it back: backprop rm --restore {run_id}"
    if not read_record(home, run_id).notes.archived:
        return "it was not archived"
    annotating.archive(home, run_id, archived=False)
    return "back in the history"


def _goes_on(home: Home, run_id: str) -> bool:
    try:
        return read_record(home, run_id).run.goes_on
    except StoreError:
        return False


def _is_sure(parsed: Parsed, ids: list[str]) -> bool:
    if parsed.flag("yes"):
        return True
    what = "delete the records of" if parsed.flag("purge") else "archive"
    if not sys.stdin.isatty():
        raise UsageError(f"{what} {', '.join(ids)}? There is nobody to ask", hint="say --yes")
    diagnostics.write(f"{what} {', '.join(ids)}? [y/N] ")
    return sys.stdin.readline().strip().lower() in ("y", "yes")
