"""backprop rename, tag and note"""

from __future__ import annotations

from backprop_tui.cli import output
from backprop_tui.cli.diagnostics import ExitCode
from backprop_tui.control import annotating
from backprop_tui.errors import UsageError
from backprop_tui.watch.history import History
from backprop_tui.watch.homes import open_home

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.cli.parsing import Parsed


def run(parsed: Parsed) -> int:
    """Change what people say of a run."""
    home = open_home()
    run_id = History(home).resolve(parsed.words[0])
    if parsed.flag("dry_run"):
        what = " ".join((*parsed.words[1:], *(f"--drop {tag}" for tag in parsed.texts("drop"))))
        output.would(f"{parsed.command} {run_id}: {what}", json=parsed.flag("json"))
        return ExitCode.OK
    if parsed.command == "rename":
        notes = annotating.rename(home, run_id, parsed.words[1])
        text = f"{run_id} is called {notes.name}"
    elif parsed.command == "tag":
        add, drop = parsed.words[1:], parsed.texts("drop")
        if not add and not drop:
            raise UsageError("which tags?", hint="backprop tag RUN TAG…, or --drop TAG")
        notes = annotating.retag(home, run_id, add=add, drop=drop)
        text = f"{run_id} has the tags: {' '.join(notes.tags) or 'none'}"
    else:
        notes = annotating.set_note(home, run_id, " ".join(parsed.words[1:]))
        text = f"{run_id}: noted"
    if parsed.flag("json"):
        output.emit_json({"id": run_id, **notes.plain()})
    elif not parsed.flag("quiet"):
        output.emit(text)
    return ExitCode.OK
