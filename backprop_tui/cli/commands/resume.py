"""backprop resume"""

from __future__ import annotations

import math

from backprop_tui.cli import output
from backprop_tui.cli.diagnostics import ExitCode
from backprop_tui.cli.launching import environment, flags_of, launch, wait_of
from backprop_tui.control import annotating
from backprop_tui.control.lost import settle_lost
from backprop_tui.control.resuming import ResumeWish, plan_resume
from backprop_tui.control.starting import run_detached
from backprop_tui.errors import BackpropError, UsageError
from backprop_tui.model.states import RunState
from backprop_tui.watch.history import History
from backprop_tui.watch.homes import open_home

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.cli.parsing import Parsed
    from backprop_tui.store.home import Home

MOST_LOST = 1000


def run(parsed: Parsed) -> int:
    """Start the next slice of a run."""
    if parsed.flag("fresh") and parsed.text("resume_from"):
        raise UsageError("--fresh and --resume-from exclude each other")
    if parsed.flag("all_lost"):
        return _all_lost(parsed)
    if not parsed.words:
        raise UsageError("which run?", hint="name it, or go on with every lost run with --all-lost")
    home = open_home()
    settle_lost(home)
    run_id = History(home).resolve(parsed.words[0])
    wish = _wish(parsed)
    planned = plan_resume(home, run_id, wish)
    if not parsed.flag("dry_run"):
        if name := parsed.text("name"):
            annotating.rename(home, run_id, name)
        if tags := parsed.texts("tag"):
            annotating.retag(home, run_id, add=tags, drop=[])
    return launch(home, planned, parsed)


def _wish(parsed: Parsed) -> ResumeWish:
    return ResumeWish(
        flags=flags_of(parsed),
        args=None if parsed.rest is None else tuple(parsed.rest),
        cwd=parsed.text("cwd"),
        env=environment(parsed.texts("env")),
        config_path=parsed.text("config"),
        resume_from=parsed.text("resume_from"),
        fresh=parsed.flag("fresh"),
        wait_s=wait_of(parsed),
    )


def _all_lost(parsed: Parsed) -> int:
    """Go on with every lost run that is not archived, detached: each waits for its turn."""
    if parsed.words or parsed.rest is not None or parsed.text("resume_from") or parsed.flag("fresh"):
        raise UsageError("--all-lost goes on with each run from its own newest checkpoint", hint="name one run instead")
    home = open_home()
    settle_lost(home)
    wish = _wish(parsed)
    wish = wish.replace(wait_s=math.inf if wish.wait_s is None else wish.wait_s)
    ids = [row.id for row in History(home).page(limit=MOST_LOST, state=RunState.LOST)]
    if parsed.flag("dry_run"):
        output.would(f"resume: {' '.join(ids) or 'no run is lost'}", json=parsed.flag("json"))
        return ExitCode.OK
    answers = [_answer(home, run_id, wish) for run_id in reversed(ids)]
    if parsed.flag("json"):
        output.emit_json(answers)
    elif not parsed.flag("quiet"):
        for answer in answers:
            output.emit(f"{answer['id']}: {answer['text']}")
        if not answers:
            output.emit("no run is lost")
    return ExitCode.OK if all(answer["ok"] for answer in answers) else ExitCode.FAILED


def _answer(home: Home, run_id: str, wish: ResumeWish) -> dict[str, object]:
    try:
        _id, state = run_detached(home, plan_resume(home, run_id, wish).plan)
    except BackpropError as error:
        return {"id": run_id, "ok": False, "text": error.message}
    return {"id": run_id, "ok": True, "text": state}
