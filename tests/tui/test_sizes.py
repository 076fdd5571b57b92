"""Any size, and changes of it; long lists; the cursor and the marks stay with their runs."""

from __future__ import annotations

import itertools
from functools import partial
from typing import Any

import pytest
from textual.widget import Widget

from backprop_tui.tui import messages
from tests.box import Box, script
from tests.tui.records import Records, falling
from tests.tui.stage import Stage, perform

SIZES = [(80, 24), (120, 40), (200, 60), (60, 18), (40, 12), (20, 6)]


def some(records: Records, *, active: int = 3, ended: int = 12) -> None:
    for n in range(active):
        records.run(
            f"go-{n:02}", "running", ago=300.0 - n, took=200, losses=falling(100 + n), log=[f"line of go-{n:02}"]
        )
    for n in range(ended):
        log = [f"line of end-{n:02}"]
        records.run(f"end-{n:02}", "stopped", ago=1000.0 + 100 * n, losses=falling(50 + n), log=log)


async def ready(stage: Stage, *, active: int = 3, ended: int = 12) -> None:
    main = stage.app.main
    await stage.until(lambda: len(main.active.rows) == active and len(main.history.at_hand()) == ended)
    await stage.until(lambda: stage.app.state.box)
    await stage.pilot.pause()


def whole(stage: Stage) -> None:
    """What holds at any size."""
    width, height = stage.app.size
    lines = stage.seen.splitlines()
    assert len(lines) == height
    assert "backprop" in lines[0]
    assert "help" in lines[-1] or width < 20
    main = stage.app.main
    assert main.active.size.height >= 2, "a row of ACTIVE is in sight"
    assert main.history.size.height >= 2 or height < 8, "and one of HISTORY"
    assert main.pane.cursor_row < main.pane.size.height or height < 8
    assert main.column.display == (width >= 190)
    assert main.preview.display == (110 <= width < 190 and height >= 34)


def test_from_every_size_to_every_other(box: Box, records: Records) -> None:
    some(records)

    async def play(stage: Stage) -> None:
        await ready(stage)
        await stage.press("2", "j", "j")
        for before, after in itertools.permutations(SIZES, 2):
            await stage.resize(*before)
            whole(stage)
            await stage.resize(*after)
            whole(stage)
            assert stage.app.main.target is not None
            assert stage.app.main.target.name == "end-02"
            assert "end-02" in stage.seen or after[1] < 8

    perform(box, play)


@pytest.mark.parametrize(
    "keys", [("enter",), ("l",), ("n",), ("question_mark",), ("comma",), ("exclamation_mark",), ("K",)]
)
def test_other_screens_take_any_size_too(box: Box, records: Records, keys: tuple[str, ...]) -> None:
    some(records)

    async def play(stage: Stage) -> None:
        await ready(stage)
        await stage.press("1", *keys)
        await stage.until(lambda: stage.app.screen is not stage.app.main)
        for size in (*SIZES, *reversed(SIZES)):
            await stage.resize(*size)
            assert len(stage.seen.splitlines()) == size[1]
            assert stage.seen.strip()
        await stage.resize(80, 24)
        await stage.press("escape")
        await stage.until(lambda: stage.app.screen is stage.app.main)
        whole(stage)

    perform(box, play)


def test_many_in_progress_scroll(box: Box, records: Records) -> None:
    some(records, active=50, ended=1)

    async def play(stage: Stage) -> None:
        await ready(stage, active=50, ended=1)
        await stage.sees("ACTIVE 50", "50 running", "HISTORY 1")
        active = stage.app.main.active
        assert active.size.height == 1 + 6, "a quarter of the screen"
        for n in range(50):
            assert active.current is not None
            assert active.current.id == f"go-{n:02}"
            assert f"▌ ● go-{n:02}" in stage.seen
            await stage.press("j")
        await stage.press("g")
        assert "▌ ● go-00" in stage.seen
        await stage.press("G")
        assert "▌ ● go-49" in stage.seen
        await stage.press("z")
        await stage.until(lambda: active.size.height > 15)
        assert "HISTORY" not in stage.seen
        await stage.press("escape")
        await stage.sees("HISTORY 1")

    perform(box, play)


@pytest.mark.parametrize("size", [(120, 40), (200, 60)])
def test_what_is_beside_the_lists_follows_the_cursor(box: Box, records: Records, size: tuple[int, int]) -> None:
    some(records)

    async def play(stage: Stage) -> None:
        await ready(stage)
        await stage.press("1")
        for name in ("go-00", "go-01", "go-02"):
            await stage.sees(f"line of {name}")
            assert stage.heard(messages.DetailSeen)[-1].detail.run_id == name
            await stage.press("j")
        await stage.press("2", "j")
        await stage.sees("line of end-01")
        assert "line of go-" not in stage.seen

    perform(box, play, size=size)


def test_zoom_gives_one_pane_everything(box: Box, records: Records) -> None:
    some(records)

    async def play(stage: Stage) -> None:
        await ready(stage)
        main = stage.app.main
        for key, pane in (("1", main.active), ("2", main.history), ("3", main.preview)):
            await stage.press(key, "z")
            await stage.until(partial(is_whole, pane))
            shown = [p for p in (main.active, main.history, main.preview, main.gauges) if p.display]
            assert shown == [pane]
            await stage.press("z")
            await stage.until(lambda: all(p.display for p in (main.active, main.history, main.preview, main.gauges)))

    perform(box, play, size=(120, 40))


def test_rows_that_come_and_go_leave_the_cursor_on_its_run(box: Box, records: Records) -> None:
    some(records, active=3, ended=2)

    async def play(stage: Stage) -> None:
        await ready(stage, active=3, ended=2)
        active = stage.app.main.active
        await stage.press("1", "j")
        assert active.cursor == "go-01"
        place = active.cursor_row
        records.run("a-new-one", "running", ago=900, took=800)
        await stage.sees("ACTIVE 4", "a-new-one")
        assert (active.cursor, active.cursor_row) == ("go-01", place)
        change(records, "go-01", "paused")
        await stage.sees("‖ go-01")
        assert (active.cursor, active.cursor_row) == ("go-01", place), "its row moves only once the cursor has left it"

    perform(box, play)


def test_marks_survive_the_end_of_a_run(box: Box) -> None:
    run_id = box.run("run", "-d", "-n", "brief", script("metrics.py")).stdout.strip()
    box.run("run", "-q", "-n", "old", script("metrics.py"), "--", "--steps", "3")
    box.wait_for_step(run_id, 3)

    async def play(stage: Stage) -> None:
        await stage.sees("● brief", "✓ old")
        await stage.press("1", "space", "2", "space")
        await stage.sees("2 marked", "c compare 2")
        box.run("stop", run_id)
        await stage.sees("■ brief", "2 marked")
        assert set(stage.app.main.marks) >= {run_id}
        await stage.press("c")
        await stage.sees("compare 2 runs", "brief", "old")
        await stage.press("escape", "escape")
        await stage.until(lambda: "marked" not in stage.seen)
        await stage.press("u")
        await stage.sees("2 marked")

    perform(box, play)


def is_whole(pane: Widget) -> bool:
    """Whether it has all rows but header, news and footer."""
    return pane.size.height == pane.app.size.height - 3


def change(records: Records, run_id: str, state: str) -> None:
    """The run is in another state from now on."""
    from backprop_tui.model.states import RunState

    folder = records.home.run(run_id)
    run: Any = folder.read_run()
    folder.write_run(run.replace(state=RunState(state)))
