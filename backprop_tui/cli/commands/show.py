"""backprop show"""

from __future__ import annotations

import shlex
import time

from backprop_tui.cli import output, words
from backprop_tui.cli.diagnostics import ExitCode
from backprop_tui.config.describe import describe
from backprop_tui.control.settling import settle_if_any
from backprop_tui.model.secrets import masked
from backprop_tui.model.states import RunState
from backprop_tui.watch.going_on import going_on_text
from backprop_tui.watch.history import History
from backprop_tui.watch.homes import open_home
from backprop_tui.watch.hooks import hook_text
from backprop_tui.watch.metrics import label
from backprop_tui.watch.progress import progress_of
from backprop_tui.watch.record import Record, read_events, read_record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from backprop_tui.cli.parsing import Parsed
    from backprop_tui.model.run import Slice
    from backprop_tui.store.home import Home
    from backprop_tui.watch.progress import Progress

EVENTS = 12
LINES = 400
"""Of the output, in which a traceback is looked for."""
TRACE, LAST = 10, 4
"""Lines of a traceback, or of the output where there is none, that are shown."""
_FOUND = {
    "event": "an event of the script",
    "phrase": "a phrase in its output",
    "folder": "its folder",
    "copy": "a copy that backprop made",
}


def run(parsed: Parsed) -> int:
    """Print everything known of one run."""
    home = open_home()
    settle_if_any(home)
    run_id = History(home).resolve(parsed.words[0])
    record = read_record(home, run_id)
    events = read_events(home, run_id, 1000 if parsed.flag("json") else EVENTS)
    progress = progress_of(home, record)
    if parsed.flag("json"):
        output.emit_json({**record.plain(), **progress.plain(), "events": events})
        return ExitCode.OK
    for title, value in _facts(record, progress):
        output.emit_wrapped(f"{title:<12} ", value)
    if record.run.state in (RunState.FAILED, RunState.DIVERGED):
        for title, value in _failure(home, record):
            output.emit_wrapped(f"{title:<12} ", value)
    for piece in record.run.slices:
        output.emit_wrapped(f"{f'slice {piece.n}':<12} ", _slice(piece))
        if piece.seam is not None:
            output.emit_wrapped(f"{f'seam {piece.n}':<12} ", piece.seam.text)
    for checkpoint in record.run.checkpoints:
        step = "" if checkpoint.step is None else f"step {checkpoint.step:,}, "
        verdict = words.verdict(checkpoint)
        facts = (
            f"{step}{words.size(checkpoint.size)}, {verdict}, told by {_FOUND.get(checkpoint.found, checkpoint.found)}"
        )
        output.emit_wrapped(f"{'checkpoint':<12} ", f"{checkpoint.path} ({facts})")
    for event in events:
        output.emit_wrapped(f"{'event':<12} ", _event(event))
    return ExitCode.OK


def _facts(record: Record, progress: Progress) -> list[tuple[str, str]]:
    run, spec, notes = record.run, record.spec, record.notes
    sources = run.metric_sources
    facts = [
        ("id", run.id),
        ("name", notes.name or words.NONE),
        ("state", run.state.value),
        ("reason", run.reason.text if run.reason else words.NONE),
        ("tags", " ".join(notes.tags) or words.NONE),
        ("note", notes.note.replace("\n", " / ") or words.NONE),
        ("created", _time(run.created)),
        ("step", words.step(run).removeprefix("step ") or words.NONE),
        ("loss" if run.main is None else label(run.main[0]), words.value_and_best(run)),
        ("speed", words.speed(progress) or words.NONE),
        *((title, text) for title, text in _governed(record) if text),
        ("metrics", f"{run.metric_lines:,} lines" + (f", from: {', '.join(sources)}" if sources else "")),
        ("folder", record.folder),
    ]
    if run.owner:
        facts.append(("host", f"{run.owner.host} (pid {run.owner.process.pid})"))
    if spec is not None:
        facts += [
            ("command", shlex.join(spec.command)),
            ("python", f"{spec.interpreter} ({spec.interpreter_origin})" if spec.interpreter else words.NONE),
            ("framework", spec.framework),
            ("directory", spec.cwd),
            ("git", " ".join(spec.git.values()) or words.NONE),
        ]
        facts += [("env", f"{name}={value}") for name, value in masked(spec.env).items()]
        facts += [("setting", f"{row.key} = {row.value} ({_origin(row.origin)})") for row in describe(spec.settings)]
    facts += [("warning", warning) for warning in run.warnings]
    if run.state.is_ended:
        facts += [("next", text) for text in words.next_steps(run)]
    return facts


def _governed(record: Record) -> tuple[tuple[str, str], ...]:
    """How it goes on by itself, who holds it, and its limit of GPU memory; "" for what does not apply."""
    run, text = record.run, going_on_text(record)
    return (
        ("had", text.removeprefix("had ")) if run.is_over else ("goes on", text),
        ("held", run.held and f"by {run.held}"),
        ("gpu limit", "" if run.memory_limit is None else run.memory_limit.text),
    )


def _failure(home: Home, record: Record) -> list[tuple[str, str]]:
    """What went wrong and what can be done, above the traceback or what was printed last."""
    from backprop_tui.watch import failures
    from backprop_tui.watch.tail import LogTail

    tail = LogTail(home, record.run.id)
    tail.read()
    lines = tail.shown(LINES)
    tail.close()
    found = failures.failure_of(record, lines)
    rows = [("failure", found.sentence)] if found is not None else []
    if found is not None and found.todo:
        rows.append(("what to do", found.todo))
    cwd = record.spec.cwd if record.spec is not None else ""
    trace = failures.frames(failures.traceback_of(lines), TRACE, cwd=cwd)
    last = [frame.text for frame in trace] or [line for line in lines if line.strip()][-LAST:]
    return rows + [("output" if n == 0 else "", text) for n, text in enumerate(last)]


def _slice(piece: Slice) -> str:
    steps = "" if piece.first_step is None else f", steps {piece.first_step:,} to {piece.last_step:,}"
    gpus = f", GPU {','.join(piece.gpus)}" if piece.gpus else ""
    start = f", from {piece.resumed_from}" if piece.resumed_from else ""
    reason = f" ({piece.reason.text})" if piece.reason else ""
    return (
        f"{piece.state}{reason}, {_time(piece.started)}, {words.duration(piece.used_s)} "
        f"of {words.duration(piece.box_s)}{steps}{gpus}{start}"
    )


def _origin(origin: str) -> str:
    return "as in the slice before" if origin == "run" else origin


def _event(event: dict[str, Any]) -> str:
    when = _time(event["t"]) if isinstance(event.get("t"), (int, float)) else "?"
    kind = event.get("event", "?")
    fields = {key: value for key, value in event.items() if key not in ("t", "event")}
    return f"{when}  {kind}: {fields.pop('text', None) or _said(kind, fields)}"[:300]


def _said(kind: str, fields: dict[str, Any]) -> str:
    reason = fields.get("reason")
    if kind == "state":
        return f"{fields.get('state')}" + (f", {reason.get('text')}" if isinstance(reason, dict) else "")
    if kind == "signal":
        return str(fields.get("signal"))
    if kind == "hook":
        return hook_text(fields)
    return ", ".join(f"{key} {value}" for key, value in fields.items() if value not in ("", None))


def _time(epoch: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(epoch))
