"""backprop list"""

from __future__ import annotations

import time

from backprop_tui.cli import diagnostics, output, words
from backprop_tui.cli.diagnostics import ExitCode
from backprop_tui.cli.settling import take_up_if_any
from backprop_tui.errors import BackpropError, UsageError
from backprop_tui.model.states import RunState
from backprop_tui.watch.history import History
from backprop_tui.watch.homes import open_home
from backprop_tui.watch.metrics import label
from backprop_tui.watch.progress import Progress, progress_of
from backprop_tui.watch.record import read_record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.cli.parsing import Parsed
    from backprop_tui.store.home import Home
    from backprop_tui.store.rows import Row

LIMIT = 50
_STATES = tuple(state.value for state in RunState)
_TITLES = ("ID", "NAME", "STATUS", "TOOK", "STEPS", "LOSS", "CKPT", "SCRIPT", "AGE")
_RIGHT = frozenset({3, 4, 5, 6, 8})


def run(parsed: Parsed) -> int:
    """Print a page of the history."""
    limit = _limit(parsed.text("limit"))
    state = parsed.text("state")
    if state is not None and state not in (*_STATES, "broken"):
        raise UsageError(f"--state {state!r:.40} is no state", hint="states: " + ", ".join(_STATES))
    home = open_home()
    if not parsed.flag("refs"):  # as a shell asks that completes a word
        take_up_if_any(home)
    history = History(home)
    rows = history.page(limit=limit, state=state, text=" ".join(parsed.words), archived=parsed.flag("archived"))
    history.close()
    if history.warning:
        diagnostics.warn(history.warning)
    if parsed.flag("json"):
        output.emit_json([{**plain(row), **_progress(home, row)} for row in rows])
    elif parsed.flag("refs"):
        for ref in dict.fromkeys(ref for row in rows for ref in (row.id, row.name) if ref):
            output.emit(ref)
    elif rows:
        show_rows(rows)
    elif not parsed.flag("quiet"):
        narrowed = parsed.words or state or parsed.flag("archived")
        output.emit("no such run" if narrowed else "no runs yet; start one: backprop run train.py, or: backprop demo")
    return ExitCode.OK


def show_rows(rows: list[Row]) -> None:
    """The rows as a table."""
    now = time.time()
    output.emit_table(_TITLES, [_cells(row, now) for row in rows], right=_RIGHT, shrink=(7, 1))


def _cells(row: Row, now: float) -> tuple[str, ...]:
    script = row.script.rpartition("/")[2]
    return (
        row.id,
        f"{row.name} *" if row.star else row.name,
        row.state,
        words.duration(row.took_s) if row.started else words.NONE,
        words.count(row.steps),
        words.loss(row.loss)
        if row.loss is not None or not row.metric
        else f"{label(row.metric)} {words.loss(row.value)}",
        str(row.checkpoints or words.NONE),
        output.cut(f"{script} {row.args}".strip(), 60),
        words.age(now - row.created),
    )


def plain(row: Row) -> dict[str, object]:
    """A row for programs."""
    fields = row.plain()
    for inner in ("hay", "src"):
        del fields[inner]
    fields |= {"star": bool(row.star), "archived": bool(row.archived), "tags": row.tags.split()}
    return fields


def _progress(home: Home, row: Row) -> dict[str, object]:
    """Of a run in progress how fast it is, and when it will be done."""
    if row.state in _STATES and not RunState(row.state).is_ended:
        try:
            return progress_of(home, read_record(home, row.id)).plain()
        except BackpropError:
            pass  # it was deleted meanwhile
    return Progress().plain()


def _limit(text: str | None) -> int:
    if text is None:
        return LIMIT
    if not text.isdecimal() or len(text) > 7 or not 0 < int(text) <= 1_000_000:
        raise UsageError(f"--limit {text!r:.40} is no number of runs", hint="give a whole number from 1 on")
    return int(text)
