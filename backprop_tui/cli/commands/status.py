"""backprop status"""

from __future__ import annotations

import time

from backprop_tui.cli import diagnostics, output, words
from backprop_tui.cli.diagnostics import ExitCode
from backprop_tui.control.settling import settle_if_any
from backprop_tui.errors import StoreError
from backprop_tui.watch.history import History
from backprop_tui.watch.homes import open_home
from backprop_tui.watch.record import Record, read_record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.cli.parsing import Parsed

_TITLES = ("ID", "NAME", "STATUS", "LEFT", "STEP", "LOSS", "SAVED", "GPU", "REASON")
_RIGHT = frozenset({3, 4, 5, 6})


def run(parsed: Parsed) -> int:
    """Print what runs now, or how one run is."""
    home = open_home()
    settle_if_any(home)
    if parsed.words:
        return _one(parsed)
    records = []
    for row in History(home).active():
        try:
            record = read_record(home, row.id)
        except StoreError as error:
            diagnostics.warn(str(error))
            continue
        if not record.run.state.is_ended:
            records.append(record)
    if parsed.flag("json"):
        output.emit_json([record.plain() for record in records])
    elif records:
        output.emit_table(_TITLES, [_cells(record) for record in records], right=_RIGHT, shrink=(8, 1))
    elif not parsed.flag("quiet"):
        output.emit("nothing runs now")
    return ExitCode.OK


def _one(parsed: Parsed) -> int:
    home = open_home()
    record = read_record(home, History(home).resolve(parsed.words[0]))
    if parsed.flag("json"):
        output.emit_json(record.plain())
        return ExitCode.OK
    run = record.run
    reason = f": {run.reason.text}" if run.reason else ""
    name = f" ({record.notes.name})" if record.notes.name else ""
    output.emit(f"{run.id}{name} is {run.state}{reason}")
    if record.left_s is not None and run.slice is not None:
        output.emit(f"  {words.duration(record.left_s)} left of {words.duration(run.slice.box_s)}")
    if run.step is not None:
        output.emit(f"  step {run.step:,}, loss {words.loss_and_best(run)}")
    output.emit(f"  {words.checkpoints(run)}")
    for warning in run.warnings:
        output.emit(f"  warning: {warning}")
    if run.state.is_ended:
        for line in words.next_steps(run):
            output.emit(f"  {line}")
    return ExitCode.OK


def _cells(record: Record) -> tuple[str, ...]:
    run = record.run
    saved = run.good_checkpoint
    return (
        run.id,
        record.notes.name or "",
        run.state.value,
        words.duration(record.left_s),
        words.count(run.step),
        words.loss(run.loss),
        f"{words.age(time.time() - saved.t)} ago" if saved else words.NONE,
        ",".join(run.slice.gpus) if run.slice and run.slice.gpus else "cpu",
        run.reason.text if run.reason else "",
    )
