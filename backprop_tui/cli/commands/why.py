"""backprop why"""

from __future__ import annotations

import time

from backprop_tui.cli import output
from backprop_tui.cli.diagnostics import ExitCode
from backprop_tui.cli.launching import flags_of
from backprop_tui.cli.rules import show_rules
from backprop_tui.control.settling import settle_if_any
from backprop_tui.errors import UsageError
from backprop_tui.watch.history import History
from backprop_tui.watch.homes import open_home
from backprop_tui.watch.why import Why, aged, verdict, why

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.cli.parsing import Parsed
    from backprop_tui.store.home import Home
    from backprop_tui.watch.why import Past

PAST = 20
"""Of what was decided before, so many are shown."""


def run(parsed: Parsed) -> int:
    """Print every rule for a run, or for one that nobody has started yet."""
    home = open_home()
    settle_if_any(home)
    flags = flags_of(parsed)
    if not parsed.words:
        return _new(home, parsed)
    if flags:
        given = ", ".join(sorted(flags))
        raise UsageError(f"{given}: a run has its own settings", hint="ask for a new run: leave out RUN")
    found = why(home, History(home).resolve(parsed.words[0]))
    if parsed.flag("json"):
        output.emit_json(_plain(found))
        return ExitCode.OK
    name = f" ({found.name})" if found.name else ""
    output.emit_wrapped("", f"{found.run.id}{name} is {found.run.state}" + (f": {found.text}" if found.text else ""))
    if found.problem:
        output.emit(f"the rules could not be applied now: {found.problem}")
    if found.now:
        output.emit("\nnow:")
        show_rules(found.now)
    if found.past:
        _show_past(found.past)
    return ExitCode.OK


def _new(home: Home, parsed: Parsed) -> int:
    from backprop_tui.watch.situation import situation

    found = situation(home, flags=flags_of(parsed), config_path=parsed.text("config"))
    if parsed.flag("json"):
        start = None if found.start is None else found.start.plain()
        output.emit_json({"text": found.start_text, "start": start})
    else:
        output.emit_wrapped("", found.start_text)
        if found.start is not None:
            output.emit("")
            show_rules(aged(found.start.decisions, found.box.t))
    return ExitCode.OK if found.start is not None and found.start.admitted else ExitCode.REFUSED


def _plain(found: Why) -> dict[str, object]:
    run = found.run
    return {
        "id": run.id,
        "name": found.name or None,
        "state": run.state,
        "reason": None if run.reason is None else run.reason.plain(),
        "text": found.text,
        "now": [decision.plain() for decision in found.now],
        "past": [past.plain() for past in found.past],
        "problem": found.problem,
    }


def _show_past(past: tuple[Past, ...]) -> None:
    left_out = len(past) - PAST
    output.emit("\nbefore:" + (f" ({left_out} earlier ones: --json)" if left_out > 0 else ""))
    today = time.strftime("%Y-%m-%d")
    for entry in past[-PAST:]:
        at = time.localtime(entry.t)
        when = time.strftime("%H:%M:%S" if time.strftime("%Y-%m-%d", at) == today else "%Y-%m-%d %H:%M:%S", at)
        mark = "" if entry.decision is None else f"{verdict(entry.decision):<5}"
        kind = f"{entry.kind}: " if entry.kind in ("warning", "withdrawn") else ""
        output.emit_wrapped(f"{when}  {mark:<5}  ", kind + entry.text)
