"""Everything on stderr, and what exit codes mean."""

from __future__ import annotations

import sys
from enum import IntEnum

from backprop_tui import errors
from backprop_tui.cli import output
from backprop_tui.model.states import RunState
from backprop_tui.text import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.config.resolve import Resolved
    from backprop_tui.errors import BackpropError
    from backprop_tui.model.run import Run


class ExitCode(IntEnum):
    """Part of the command line's contract; documented in the README."""

    OK = 0
    FAILED = 1
    USAGE = 2
    REFUSED = 3
    NO_SUCH_RUN = 4
    STOPPED_BY_PERSON = 5
    STOPPED_BY_BACKPROP = 6
    NOTHING_TO_RESUME = 7
    BUG = 70
    INTERRUPTED = 130


_BY_ERROR: tuple[tuple[type[BackpropError], ExitCode], ...] = (
    (errors.AdmissionRefused, ExitCode.REFUSED),
    (errors.RunNotFound, ExitCode.NO_SUCH_RUN),
    (errors.NothingToResume, ExitCode.NOTHING_TO_RESUME),
    (errors.EngineError, ExitCode.FAILED),
    (errors.Interrupted, ExitCode.INTERRUPTED),
    (errors.IllegalTransition, ExitCode.BUG),
)


def exit_code_for(error: BackpropError) -> ExitCode:
    """The exit code that tells a script what stood in the way."""
    return next((code for kind, code in _BY_ERROR if isinstance(error, kind)), ExitCode.USAGE)


def exit_code_of(run: Run) -> ExitCode:
    """The exit code that tells a script how a slice ended."""
    if run.state in (RunState.COMPLETED, RunState.TIMEBOXED):
        return ExitCode.OK
    if run.state is RunState.STOPPED:
        by_person = run.reason is not None and run.reason.by == "person"
        return ExitCode.STOPPED_BY_PERSON if by_person else ExitCode.STOPPED_BY_BACKPROP
    return ExitCode.FAILED


def say(text: str) -> None:
    """backprop's own words, on a terminal in lines that end between words.

    Whatever in them would act on a terminal is written as an escape.
    """
    text = printable(text)
    room = output.columns(2)
    if room is not None and output.width(text) > room:
        words = text.lstrip(" ")
        text = "\n".join(output.wrapped(" " * (len(text) - len(words)), words, room, keeps_words=True))
    write(text + "\n")


def write(text: str) -> None:
    """Raw text; a closed stderr is nobody's problem."""
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except (OSError, ValueError):
        pass


def complain(error: BackpropError) -> None:
    """What happened, and what to do."""
    say(f"backprop: {error.message}")
    if error.hint:
        say(f"  hint: {error.hint}")


def say_settings(resolved: Resolved) -> None:
    """Each setting with its origin."""
    from backprop_tui.config.describe import describe

    rows = describe(resolved.settings)
    widest = max(len(row.key) for row in rows)
    for row in rows:
        say(f"  {row.key:<{widest}}  {row.value}  ({row.origin})")


def warn(text: str) -> None:
    """Something that did not stand in the way."""
    say(f"backprop: warning: {text}")
