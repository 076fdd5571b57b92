"""What `run` and `resume` have in common: reading options, starting, telling how it went."""

from __future__ import annotations

import math

from backprop_tui.cli import diagnostics, output, words
from backprop_tui.cli.diagnostics import ExitCode
from backprop_tui.config.settings import SETTINGS
from backprop_tui.control.wishes import Wish
from backprop_tui.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from backprop_tui.cli.parsing import Parsed
    from backprop_tui.control.wishes import Planned
    from backprop_tui.model.run import Run
    from backprop_tui.store.home import Home

_KEYS = frozenset(setting.key for setting in SETTINGS)
_QUIET_WAYS = ("flag", "variable", "none")
"""Those that a person need not hear of, and the one of which a note says more."""


def wish_of(parsed: Parsed, command: tuple[str, ...], *, is_command: bool) -> Wish:
    """The wish that the options of `run` express.

    Raises:
        UsageError: a value cannot be understood.
    """
    name, tags = parsed.text("name"), parsed.texts("tag")
    if name is not None or tags:
        from backprop_tui.control.annotating import clean_name, clean_tags

        name = None if name is None else clean_name(name)
        tags = list(clean_tags(tags))
    return Wish(
        command=command,
        is_command=is_command,
        flags=flags_of(parsed),
        cwd=parsed.text("cwd"),
        env=environment(parsed.texts("env")),
        config_path=parsed.text("config"),
        run_id=_id(parsed.text("run_id")),
        name=name,
        tags=tuple(tags),
        resume_from=parsed.text("resume_from"),
        wait_s=wait_of(parsed),
    )


def _id(text: str | None) -> str:
    if text == "":
        raise UsageError("--run-id is empty", hint="leave it out for a random id")
    return text or ""


def flags_of(parsed: Parsed) -> dict[str, Any]:
    """The settings that were given as options, by key, as typed."""
    return {key: value for key, value in parsed.values.items() if key in _KEYS}


def environment(pairs: list[str]) -> dict[str, str]:
    """The variables of --env K=V.

    Raises:
        UsageError: one has another form.
    """
    found = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name or "\0" in pair:
            raise UsageError(f"--env {pair!r:.80} has another form than NAME=VALUE")
        found[name] = value
    return found


def wait_of(parsed: Parsed) -> float | None:
    """How long to queue, seconds: None for not at all, infinity without an end."""
    asked = parsed.values.get("wait")
    if asked is None or asked is True:
        return None if asked is None else math.inf
    return time_of(str(asked), "--wait") * 60


def time_of(text: str, where: str) -> float:
    """Minutes from a number or a time such as 90s.

    Raises:
        UsageError: it is neither.
    """
    from backprop_tui.config.settings import by_key
    from backprop_tui.config.values import from_text

    return float(from_text(by_key("maxRunMinutes"), text, where, UsageError))


def launch(home: Home, planned: Planned, parsed: Parsed) -> int:
    """Start what was planned, and see it to its end unless it is detached; returns the exit code."""
    json, quiet = parsed.flag("json"), parsed.flag("quiet")
    if parsed.flag("verbose"):
        diagnostics.say_settings(planned.resolved)
    if not quiet:
        for note in planned.notes:
            diagnostics.say(f"backprop: {note}")
        if planned.handover is not None and planned.handover.how not in _QUIET_WAYS and not parsed.flag("dry_run"):
            diagnostics.say(f"backprop: resume: {planned.handover.text}")
    if parsed.flag("dry_run"):
        return _tell_dry_run(planned, json=json)
    if parsed.flag("detach"):
        return _detach(home, planned, parsed)
    run = supervise(home, planned, parsed)
    if json:
        from backprop_tui.watch.record import read_record

        output.emit_json(read_record(home, run.id).plain())
    return diagnostics.exit_code_of(run)


def supervise(home: Home, planned: Planned, parsed: Parsed, *, shows_output: bool = True) -> Run:
    """Run a slice here to its end, shown as it goes on and summed up."""
    from backprop_tui.cli.foreground import Foreground, summary
    from backprop_tui.control.starting import run_here

    observer = Foreground(quiet=parsed.flag("quiet"), json=parsed.flag("json"), shows_output=shows_output)
    try:
        run = run_here(home, planned.plan, observer)
    finally:
        observer.finish()
    if not parsed.flag("quiet"):
        for line in summary(run):
            diagnostics.say(line)
    return run


def _detach(home: Home, planned: Planned, parsed: Parsed) -> int:
    from backprop_tui.control import logout
    from backprop_tui.control.starting import run_detached

    run_id, state = run_detached(home, planned.plan)
    if parsed.flag("json"):
        from backprop_tui.watch.record import read_record

        output.emit_json(read_record(home, run_id).plain())
    else:
        output.emit(run_id)
    if not parsed.flag("quiet"):
        diagnostics.say(f"backprop: {run_id} is {state}; follow it: backprop logs -f {run_id}")
        if not parsed.flag("json") and (warning := logout.first_warning()):
            diagnostics.warn(warning)
    return ExitCode.OK


def _tell_dry_run(planned: Planned, *, json: bool) -> int:
    import shlex

    from backprop_tui.control.starting import dry_run
    from backprop_tui.model.secrets import masked, masked_args
    from backprop_tui.watch.why import verdict

    found = dry_run(planned.plan)
    env = masked(found.env)
    if json:
        document = {
            "command": masked_args(found.argv),
            "cwd": found.cwd,
            "env": env,
            "settings": {key: value.plain() for key, value in planned.resolved.settings.items()},
            "resume": None if planned.handover is None else planned.handover.plain(),
            **found.admission.plain(),
        }
        output.emit_json(document)
    else:
        output.emit(f"command  {shlex.join(masked_args(found.argv))}")
        output.emit(f"in       {found.cwd}")
        if planned.handover is not None:
            output.emit(f"resume   {planned.handover.text}")
        output.emit(f"stop     {words.stop_signal(planned.resolved.settings['stopSignal'])}")
        for name, value in env.items():
            output.emit(f"env      {name}={value}")
        output.emit(f"on       {words.chosen(found.admission)}")
        for decision in found.admission.decisions:
            output.emit_wrapped(f"{verdict(decision):<8} ", decision.text)
        output.emit(f"verdict  {found.verdict}")
    return ExitCode.OK if found.admission.admitted else ExitCode.REFUSED
