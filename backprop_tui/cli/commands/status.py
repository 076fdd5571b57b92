"""backprop status"""

from __future__ import annotations

import time

from backprop_tui.cli import diagnostics, output, words
from backprop_tui.cli.diagnostics import ExitCode
from backprop_tui.cli.settling import take_up_if_any
from backprop_tui.errors import StoreError
from backprop_tui.model.states import RunState
from backprop_tui.watch.going_on import going_on_text
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

_TITLES = ("ID", "NAME", "STATUS", "LEFT", "STEP", "LOSS", "SAVED", "GPU")
_RIGHT = frozenset({3, 4, 5, 6})


def run(parsed: Parsed) -> int:
    """Print the box, what runs and waits, and whether a new run could start; or how one run is."""
    home = open_home()
    take_up_if_any(home)
    if parsed.words:
        return _one(home, parsed)
    from backprop_tui.cli.boxlines import show_box, show_elsewhere, show_queue
    from backprop_tui.watch.situation import situation

    records = _active(home)
    found = situation(home, config_path=parsed.text("config"))
    if parsed.flag("json"):
        runs = [plain(home, record) for record in records]
        output.emit_json({**found.plain(), "runs": runs, "could_start": found.could_start, "text": found.start_text})
        return ExitCode.OK
    is_quiet = parsed.flag("quiet")
    if not is_quiet:
        show_box(found)
    # Those in the queue are listed there, with their place.
    going = [r for r in records if r.run.state is not RunState.QUEUED or found.waiting(r.run.id, home.path) is None]
    if going:
        _title("runs", is_quiet=is_quiet)
        reasons = [record.run.reason.text if record.run.reason else "" for record in going]
        output.emit_table(_TITLES, [_cells(r) for r in going], right=_RIGHT, shrink=(1, 0), below=reasons)
    if elsewhere := [lease for lease in found.leases if lease.home not in ("", home.path)]:
        _title("runs of other homes", is_quiet=is_quiet)
        show_elsewhere(elsewhere, found.box.t)
    if found.queue:
        _title("queue", is_quiet=is_quiet)
        show_queue(found.queue, home.path)
    if not is_quiet:
        output.emit("" if records or elsewhere or found.queue else "nothing runs now")
        output.emit_wrapped("", found.start_text)
    return ExitCode.OK


def _title(text: str, *, is_quiet: bool) -> None:
    if not is_quiet:
        output.emit(f"\n{text}:")


def _active(home: Home) -> list[Record]:
    records = []
    for row in History(home).active():
        try:
            record = read_record(home, row.id)
        except StoreError as error:
            diagnostics.warn(str(error))
            continue
        if not record.run.is_over:
            records.append(record)
    return records


def _one(home: Home, parsed: Parsed) -> int:
    record = read_record(home, History(home).resolve(parsed.words[0]))
    if parsed.flag("json"):
        output.emit_json(plain(home, record))
        return ExitCode.OK
    run = record.run
    reason = f": {run.reason.text}" if run.reason else ""
    name = f" ({record.notes.name})" if record.notes.name else ""
    output.emit_wrapped("", f"{run.id}{name} is {run.state}{reason}")
    for line in words.failure(run):
        output.emit_wrapped("  ", line)
    if record.left_s is not None and run.slice is not None:
        output.emit(f"  {words.duration(record.left_s)} left of {words.duration(run.slice.box_s)}")
    said = ", ".join(text for text in (words.step(run), words.figure_and_best(run)) if text)
    for line in (said, words.speed(progress_of(home, record)), *governed(record)):
        if line:
            output.emit_wrapped("  ", line)
    output.emit(f"  {words.checkpoints(run)}")
    for warning in run.warnings:
        output.emit_wrapped("  warning: ", warning)
    if run.is_over:
        for line in words.next_steps(run):
            output.emit(f"  {line}")
    return ExitCode.OK


def governed(record: Record) -> list[str]:
    """What keeps it, and how it goes on; of what has ended only how far it came."""
    run, spec = record.run, record.spec
    lines = [going_on_text(record)]
    if run.is_over:
        return lines
    if run.held:
        lines.append(f"held by {run.held}: let it go on with backprop release {run.id}")
    if spec is not None and (priority := spec.setting_or("priority", 0)):
        lines.append(f"priority {priority}")
    if run.memory_limit is not None:
        lines.append(run.memory_limit.text)
    return lines


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
    )
