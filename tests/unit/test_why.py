"""What went wrong stands in place of an exit code wherever a run's end is told."""

from __future__ import annotations

from pathlib import Path

from backprop_tui.model.run import Failure, Notes, Reason, Run, Slice
from backprop_tui.model.states import RunState
from backprop_tui.store.home import Home
from backprop_tui.store.rows import row_for
from backprop_tui.tui.draw.glyphs import UNICODE
from backprop_tui.tui.state import State
from backprop_tui.watch.record import Record

EXIT = Reason(code="exit", text="exited with code 1", by="script")
KNOWN = Failure(kind="module", sentence="No module named 'peft'.", todo="Install it.")
UNKNOWN = Failure(kind="", sentence="The script ended with code 1 and printed no traceback. The last lines:")


def run(failure: Failure | None, *, n: int = 1) -> Run:
    pieces = [
        Slice(n=i + 1, state=RunState.FAILED, started=0, box_s=60, ended=9, used_s=9, reason=EXIT, failure=failure)
        for i in range(n)
    ]
    return Run(id="r1", state=RunState.FAILED, created=0, updated=9, reason=EXIT, slices=tuple(pieces))


def test_why() -> None:
    assert run(KNOWN).why == KNOWN.sentence
    assert run(UNKNOWN).why == run(None).why == EXIT.text
    resumed = run(KNOWN).replace(slices=(*run(KNOWN).slices, run(None).slices[0]))
    assert resumed.failure is None, "of the newest slice"


def test_in_the_history_and_in_the_news(tmp_path: Path) -> None:
    home = Home(str(tmp_path))
    home.ensure()
    folder = home.new_run("r1")
    folder.write_run(run(KNOWN))
    row = row_for(folder)
    assert row.reason == KNOWN.sentence
    state = State()
    state.take_problems([row])
    assert state.headline(UNICODE)[0].endswith(f" ago: {KNOWN.sentence}")


def test_in_the_line_of_what_happened_last() -> None:
    state = State()
    state.take_ended(Record(run=run(KNOWN), spec=None, notes=Notes(), t=9.0, folder=""))
    assert state.news is not None
    assert state.news.text == f"r1 failed after 0:09: {KNOWN.sentence}"
