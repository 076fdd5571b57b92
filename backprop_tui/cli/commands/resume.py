"""backprop resume"""

from __future__ import annotations

from backprop_tui.cli.launching import environment, flags_of, launch, wait_of
from backprop_tui.control import annotating
from backprop_tui.control.lost import settle_lost
from backprop_tui.control.resuming import ResumeWish, plan_resume
from backprop_tui.errors import UsageError
from backprop_tui.watch.history import History
from backprop_tui.watch.homes import open_home

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.cli.parsing import Parsed


def run(parsed: Parsed) -> int:
    """Start the next slice of a run."""
    if parsed.flag("fresh") and parsed.text("resume_from"):
        raise UsageError("--fresh and --resume-from exclude each other")
    home = open_home()
    settle_lost(home)
    run_id = History(home).resolve(parsed.words[0])
    wish = ResumeWish(
        flags=flags_of(parsed),
        args=None if parsed.rest is None else tuple(parsed.rest),
        cwd=parsed.text("cwd"),
        env=environment(parsed.texts("env")),
        config_path=parsed.text("config"),
        resume_from=parsed.text("resume_from"),
        fresh=parsed.flag("fresh"),
        wait_s=wait_of(parsed),
    )
    planned = plan_resume(home, run_id, wish)
    if not parsed.flag("dry_run"):
        if name := parsed.text("name"):
            annotating.rename(home, run_id, name)
        if tags := parsed.texts("tag"):
            annotating.retag(home, run_id, add=tags, drop=[])
    return launch(home, planned, parsed)
