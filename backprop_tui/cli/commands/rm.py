"""backprop rm"""

from __future__ import annotations

import sys

from backprop_tui.cli import diagnostics, output, words
from backprop_tui.cli.diagnostics import ExitCode
from backprop_tui.control import annotating
from backprop_tui.control.settling import settle_if_any
from backprop_tui.errors import UsageError
from backprop_tui.watch.history import History
from backprop_tui.watch.homes import open_home

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.cli.parsing import Parsed


def run(parsed: Parsed) -> int:
    """Archive runs (the default), bring them back, or delete their records."""
    home = open_home()
    settle_if_any(home)
    ids = list(dict.fromkeys(map(History(home).resolve, parsed.words)))
    done = []
    if not parsed.flag("restore") and not _is_sure(parsed, ids):
        diagnostics.say("backprop: nothing was changed")
        return ExitCode.INTERRUPTED
    for run_id in ids:
        if parsed.flag("purge"):
            text = f"deleted, {words.size(annotating.purge(home, run_id))} freed"
        else:
            annotating.archive(home, run_id, archived=not parsed.flag("restore"))
            restored, archived = "back in the history", f"archived; bring it back: backprop rm --restore {run_id}"
            text = restored if parsed.flag("restore") else archived
        done.append({"id": run_id, "text": text})
        if not parsed.flag("json") and not parsed.flag("quiet"):
            output.emit(f"{run_id}: {text}")
    if parsed.flag("json"):
        output.emit_json(done)
    return ExitCode.OK


def _is_sure(parsed: Parsed, ids: list[str]) -> bool:
    if parsed.flag("yes"):
        return True
    what = "delete the records of" if parsed.flag("purge") else "archive"
    if not sys.stdin.isatty():
        raise UsageError(f"{what} {', '.join(ids)}? There is nobody to ask", hint="say --yes")
    diagnostics.write(f"{what} {', '.join(ids)}? [y/N] ")
    return sys.stdin.readline().strip().lower() in ("y", "yes")
