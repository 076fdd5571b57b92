"""backprop demo"""

from __future__ import annotations

from backprop_tui.cli import diagnostics, output
from backprop_tui.cli.launching import launch, supervise
from backprop_tui.control.demo import FIRST_SHARE, SECONDS, demo_wish
from backprop_tui.control.resuming import ResumeWish, plan_resume
from backprop_tui.control.wishes import plan_start
from backprop_tui.errors import UsageError
from backprop_tui.watch.homes import open_home
from backprop_tui.watch.record import read_record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.cli.parsing import Parsed
    from backprop_tui.control.wishes import Planned
    from backprop_tui.model.run import Run
    from backprop_tui.store.home import Home


def run(parsed: Parsed) -> int:
    """Train for half a minute in two slices: a time box that ends, and a resume that finishes."""
    seconds = _seconds(parsed.text("seconds"))
    home = open_home()
    quiet = parsed.flag("quiet")
    _tell(quiet, f"1. A small network learns to read digits. Its time box is {seconds * FIRST_SHARE:g} s.")
    _tell(quiet, '   It prints a line a step, such as {"step": 40, "loss": 1.9}; they are kept: backprop logs @')
    wish = demo_wish(home, seconds, parsed.text("config"))
    planned = plan_start(home, wish)
    if parsed.flag("dry_run"):
        return launch(home, planned, parsed)
    first = _supervise(home, planned, parsed)
    if first.state != "timeboxed":
        return _end(home, first, parsed)
    _tell(quiet, "2. The box is over. The training saved itself; the record knows the step, the loss and the file.")
    _tell(quiet, f"   The same as: backprop resume {first.id}")
    resume = ResumeWish(flags={"maxRunMinutes": 2 * seconds / 60})
    second = _supervise(home, plan_resume(home, first.id, resume), parsed)
    _tell(quiet, "3. One run, two slices, one curve. See it with: backprop show @, backprop list, backprop logs @")
    return _end(home, second, parsed)


def _supervise(home: Home, planned: Planned, parsed: Parsed) -> Run:
    for note in planned.notes:
        _tell(parsed.flag("quiet"), f"   {note}")
    return supervise(home, planned, parsed, shows_output=False)


def _end(home: Home, run: Run, parsed: Parsed) -> int:
    if parsed.flag("json"):
        output.emit_json(read_record(home, run.id).plain())
    return diagnostics.exit_code_of(run)


def _seconds(text: str | None) -> float:
    try:
        seconds = SECONDS if text is None else float(text)
    except ValueError:
        seconds = 0.0
    if not 2.0 <= seconds <= 3600.0:
        raise UsageError(f"--seconds {text!r:.40} is not from 2 to 3600")
    return seconds


def _tell(quiet: bool, text: str) -> None:
    if not quiet:
        diagnostics.say(text)
