"""backprop status"""

from __future__ import annotations

import time

from backprop_tui.cli import diagnostics, output, words
from backprop_tui.cli.diagnostics import ExitCode
from backprop_tui.control.settling import settle_if_any
from backprop_tui.errors import StoreError
from backprop_tui.watch.history import History
from backprop_tui.watch.homes import open_home
from backprop_tui.watch.metrics import total_steps
from backprop_tui.watch.progress import progress_of
from backprop_tui.watch.record import Record, read_record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from backprop_tui.cli.parsing import Parsed
    from backprop_tui.model.run import Run
    from backprop_tui.store.home import Home

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
        output.emit_json([plain(home, record) for record in records])
    elif records:
        output.emit_table(_TITLES, [_cells(record) for record in records], right=_RIGHT, shrink=(8, 1))
    elif not parsed.flag("quiet"):
        output.emit("nothing runs now")
    return ExitCode.OK


def _one(parsed: Parsed) -> int:
    home = open_home()
    record = read_record(home, History(home).resolve(parsed.words[0]))
    if parsed.flag("json"):
        output.emit_json(plain(home, record))
        return ExitCode.OK
    run = record.run
    reason = f": {run.reason.text}" if run.reason else ""
    name = f" ({record.notes.name})" if record.notes.name else ""
    output.emit(f"{run.id}{name} is {run.state}{reason}")
    for line in words.failure(run):
        output.emit(f"  {line}")
    if record.left_s is not None and run.slice is not None:
        output.emit(f"  {words.duration(record.left_s)} left of {words.duration(run.slice.box_s)}")
    said = ", ".join(text for text in (words.step(run), words.figure_and_best(run)) if text)
    for line in (said, words.speed(progress_of(home, record))):
        if line:
            output.emit(f"  {line}")
    output.emit(f"  {words.checkpoints(run)}")
    for warning in run.warnings:
        output.emit(f"  warning: {warning}")
    if run.state.is_ended:
        for line in words.next_steps(run):
            output.emit(f"  {line}")
    return ExitCode.OK


def plain(home: Home, record: Record) -> dict[str, Any]:
    """A record for programs, with how fast it is and when it will be done."""
    return {**record.plain(), **progress_of(home, record).plain()}


def _step(record: Record) -> str:
    total = total_steps(record.run)
    step = words.count(record.run.step)
    return f"{step}/{total:,}" if total and record.run.step is not None else step


def _figure(run: Run) -> str:
    """The loss, or another metric by its name."""
    return words.loss(run.loss) if run.loss is not None or run.main is None else words.figure(run)


def _cells(record: Record) -> tuple[str, ...]:
    run = record.run
    saved = run.good_checkpoint
    return (
        run.id,
        record.notes.name or "",
        run.state.value,
        words.duration(record.left_s),
        _step(record),
        _figure(run),
        f"{words.age(time.time() - saved.t)} ago" if saved else words.NONE,
        ",".join(run.slice.gpus) if run.slice and run.slice.gpus else "cpu",
        run.reason.text if run.reason else "",
    )
