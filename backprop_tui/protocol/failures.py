"""What went wrong, in one plain sentence: from what a script printed last and how it ended. Pure."""

from __future__ import annotations

import re

from backprop_tui.model.run import Failure
from backprop_tui.protocol.failure_table import ANYWHERE, ERRORS, IN_TRACE, SECONDARY
from backprop_tui.protocol.failure_words import KILLED, LESS_RAM, SIGKILL, About
from backprop_tui.protocol.tracebacks import ERROR, is_secondary, message_of, raised, traceback_of, without_rank
from backprop_tui.text import short

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from backprop_tui.protocol.failure_table import Known

MAX_LINES = 400
"""The newest lines that are looked at."""
MAX_LINE = 2000
"""Characters of a line; patterns take longer the longer it is."""
NEAR_END = 8
"""Lines in which words may tell why it ended, where no traceback does."""
_MAX_TEXT = 20_000
_MAX_SENTENCE = 400
_SHELL_SIGNAL = 128
"""Exit codes above it are a shell's: the number of the signal that ended what it had started."""
_FROM_OUTSIDE = frozenset([1, 2, 9, 15])
_CPP_ERROR = "what():"
_CRASHES = {
    4: "illegal instruction (SIGILL)",
    6: "it gave up by itself (SIGABRT)",
    7: "bus error (SIGBUS), often a full disk or a full /dev/shm under mapped files",
    8: "arithmetic error (SIGFPE)",
    11: "segmentation fault (SIGSEGV)",
}
_SEE_CRASH = "Run it once with --env PYTHONFAULTHANDLER=1: then it prints where in the script that was."


def explain(
    lines: Sequence[str], *, exit_code: int | None = None, exit_signal: int | None = None, about: About | None = None
) -> Failure:
    """What is known of a failure, in one sentence, and what can be done.

    Args:
        lines: the end of the output, cleaned.
        exit_code: of the script, None if a signal ended it.
        exit_signal: what ended it.
        about: what else is known of it.
    """
    lines = [line[:MAX_LINE] for line in lines[-MAX_LINES:]]
    plain = [without_rank(line) for line in lines]
    text = "\n".join(plain)[-_MAX_TEXT:]
    about = (about or About()).replace(output=text)
    number = exit_signal or (exit_code - _SHELL_SIGNAL if exit_code and _SHELL_SIGNAL < exit_code < 192 else None)
    trace, near = (
        traceback_of(lines),
        [*reversed(plain[-NEAR_END:]), *[line for line in plain if _CPP_ERROR in line][-3:]],
    )
    if exit_signal in _FROM_OUTSIDE:
        trace, near = [], []  # whatever was printed before, it was not why somebody ended it
    if trace and not is_secondary(trace):
        known = _first(ERRORS, [message_of(trace, lines)], about) or _first(IN_TRACE, ["\n".join(trace)], about)
        if known is None and not re.match(ERROR, trace[-1]):
            known = _first(ERRORS, near, about)  # the traceback itself was cut off
        known = known or _first(ANYWHERE, [text], about)
        return known or _failure("error", raised(trace), "")
    known = _first(ANYWHERE, [text], about) or (None if trace else _first(ERRORS, near, about))
    known = known or _by_signal(number) or _first(SECONDARY, [text], about)
    if known is not None:
        return known
    if trace:
        return _failure("error", raised(trace), "")
    if exit_signal is not None:
        return _failure("", f"Signal {exit_signal} ended the process. The last lines:", "")
    code = "" if exit_code is None else f" with code {exit_code}"
    return _failure("", f"The script ended{code} and printed no traceback. The last lines:", "")


def _first(table: Iterable[Known], texts: Sequence[str], about: About) -> Failure | None:
    """The first text that a known failure is recognised in."""
    for text in texts:
        for known in table:
            found = re.search(known.pattern, text)
            if found is not None:
                return _failure(known.kind, *known.tell(found, about))
    return None


def _by_signal(number: int | None) -> Failure | None:
    if number == SIGKILL:
        return _failure("killed", KILLED, LESS_RAM)
    if number in _CRASHES:
        return _failure("crash", f"The process crashed: {_CRASHES[number]}.", _SEE_CRASH)
    return None


def _failure(kind: str, sentence: str, todo: str) -> Failure:
    return Failure(kind=kind, sentence=short(sentence, _MAX_SENTENCE), todo=short(todo, _MAX_SENTENCE))
