"""backprop show"""

from __future__ import annotations

import shlex
import time

from backprop_tui.cli import output, words
from backprop_tui.cli.diagnostics import ExitCode
from backprop_tui.config.describe import describe
from backprop_tui.control.settling import settle_if_any
from backprop_tui.model.secrets import masked
from backprop_tui.watch.history import History
from backprop_tui.watch.homes import open_home
from backprop_tui.watch.record import Record, read_events, read_record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from backprop_tui.cli.parsing import Parsed
    from backprop_tui.model.run import Slice

EVENTS = 12


def run(parsed: Parsed) -> int:
    """Print everything known of one run."""
    home = open_home()
    settle_if_any(home)
    run_id = History(home).resolve(parsed.words[0])
    record = read_record(home, run_id)
    events = read_events(home, run_id, 1000 if parsed.flag("json") else EVENTS)
    if parsed.flag("json"):
        output.emit_json({**record.plain(), "events": events})
        return ExitCode.OK
    for title, value in _facts(record):
        output.emit(f"{title:<12} {value}")
    for piece in record.run.slices:
        output.emit(f"{f'slice {piece.n}':<12} {_slice(piece)}")
    for checkpoint in record.run.checkpoints:
        step = "" if checkpoint.step is None else f"step {checkpoint.step:,}, "
        verdict = words.verdict(checkpoint)
        output.emit(f"{'checkpoint':<12} {checkpoint.path} ({step}{words.size(checkpoint.size)}, {verdict})")
    for event in events:
        output.emit(f"{'event':<12} {_event(event)}")
    return ExitCode.OK


def _facts(record: Record) -> list[tuple[str, str]]:
    run, spec, notes = record.run, record.spec, record.notes
    facts = [
        ("id", run.id),
        ("name", notes.name or words.NONE),
        ("state", run.state.value),
        ("reason", run.reason.text if run.reason else words.NONE),
        ("tags", " ".join(notes.tags) or words.NONE),
        ("note", notes.note.replace("\n", " / ") or words.NONE),
        ("created", _time(run.created)),
        ("step", words.count(run.step)),
        ("loss", words.loss_and_best(run)),
        ("metrics", f"{run.metric_lines:,} lines"),
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
    return facts


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
    return ", ".join(f"{key} {value}" for key, value in fields.items())


def _time(epoch: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(epoch))
