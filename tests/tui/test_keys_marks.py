"""Keys on all marked runs; archive, delete, bring back, undo."""

from __future__ import annotations

from pathlib import Path

import pytest

from backprop_tui.tui.screens.compare import ComparePage
from backprop_tui.tui.screens.dialog import Dialog
from backprop_tui.tui.screens.fields import FieldsDialog
from backprop_tui.tui.screens.going_on import RemoveDialog, ResumeSeveralDialog
from backprop_tui.tui.screens.questions import KillSeveralDialog
from tests.box import Box
from tests.tui import runs
from tests.tui.stage import Stage, perform

NAMES = tuple(f"run-{n:02}" for n in range(6))


def test_verbs_on_all_marked_runs(box: Box) -> None:
    runs.stopped(box, "one", "two", "three")

    async def play(stage: Stage) -> None:
        main = stage.app.main
        await stage.listed(3)
        await stage.press("g", "space", "space")
        assert set(main.marks) == {"three", "two"}
        await stage.press("k", "space")
        assert set(main.marks) == {"three"}
        await stage.press("k", "space")
        await stage.press("asterisk")
        await stage.until(lambda: [runs.notes(box, name).get("star") for name in main.marks] == [True, True])
        await stage.press("asterisk")
        await stage.until(lambda: [runs.notes(box, name).get("star") for name in main.marks] == [False, False])
        assert not runs.notes(box, "one").get("star")
        await stage.press("D")
        await stage.on(RemoveDialog)
        assert stage.shows("three, two")
        await stage.press("a")
        await stage.hears("2 runs archived; u brings them back.")
        await stage.listed(1)
        await stage.press("u")
        await stage.listed(3)
        await stage.press("g", "space", "space", "space", "r")
        await stage.on(ResumeSeveralDialog)
        assert stage.title == "Resume 3 runs?"
        await stage.press("enter")
        await stage.hears("3 runs resumed or queued.")
        await stage.until(lambda: len(stage.app.state.rows) == 3)
        assert not main.marks
        await stage.press("1", "g", "space", "space")
        await stage.press("p")
        await stage.until(lambda: [runs.state(box, name) for name in main.marks] == ["paused", "paused"])
        await stage.until(lambda: [row.state for row in stage.app.state.rows].count("paused") == 2)
        await stage.press("p")
        await stage.until(lambda: [runs.state(box, name) for name in main.marks] == ["running", "running"])
        marked = set(main.marks)
        await stage.press("plus")
        await stage.until(lambda: all(runs.box_s(box, name) == 900 for name in marked))
        await stage.press("K")
        await stage.on(KillSeveralDialog)
        assert stage.title == "Stop 2 runs?"
        await stage.press("y")
        await stage.until(lambda: {runs.state(box, name) for name in marked} == {"stopped"})
        (left,) = {"one", "two", "three"} - marked
        assert runs.state(box, left) == "running"

    perform(box, play)


def test_archive_bring_back_and_undo(box: Box) -> None:
    runs.ended(box, "one", "two", steps=2)

    async def play(stage: Stage) -> None:
        await stage.listed(2)
        await stage.press("D", "a")
        await stage.until(lambda: runs.notes(box, "two").get("archived"))
        await stage.listed(1)
        await stage.press("A")
        await stage.until(lambda: stage.under_cursor == "two")
        assert "D bring back  A history" in stage.app.main.footer.text
        await stage.press("D")
        await stage.hears("1 run back in the history")
        assert not runs.notes(box, "two").get("archived")
        await stage.press("u")
        await stage.until(lambda: runs.notes(box, "two").get("archived"))
        await stage.press("A")
        await stage.until(lambda: stage.under_cursor == "one")

    perform(box, play)


def test_delete_for_good(box: Box) -> None:
    runs.ended(box, "one", "two", steps=2)

    async def play(stage: Stage) -> None:
        await stage.listed(2)
        await stage.press("D", "escape", "D", "n", "D", "x")
        await stage.hears("1 run deleted.")
        assert not (box.home / "runs" / "two").exists()
        await stage.until(lambda: stage.under_cursor == "one")
        await stage.press("asterisk")
        await stage.until(lambda: runs.notes(box, "one").get("star"))
        await stage.press("D", "x")
        await stage.on(FieldsDialog)
        await stage.press("7", "enter")
        await stage.until(lambda: stage.shows("type 1 to delete, esc keeps them"))
        assert (box.home / "runs" / "one").exists()
        await stage.press("escape", "D", "x", "1", "enter")
        await stage.hears("1 run deleted.")
        assert not (box.home / "runs" / "one").exists()

    perform(box, play)


def test_many_are_deleted_only_after_their_number(box: Box) -> None:
    runs.ended(box, *NAMES, steps=2)

    async def play(stage: Stage) -> None:
        await stage.listed(6)
        await stage.press("g", *["space"] * 6, "D", "x", "6", "enter")
        await stage.hears("6 runs deleted.")
        assert list(Path(box.home / "runs").iterdir()) == []
        await stage.until(lambda: stage.shows("START HERE"))

    perform(box, play)


@pytest.mark.parametrize(("marks", "shown", "said"), [(0, 0, "c: mark runs"), (1, 2, ""), (7, 6, "shows 6 runs")])
def test_compare_with_so_many_marks(box: Box, marks: int, shown: int, said: str) -> None:
    runs.ended(box, *(f"r{n}" for n in range(max(2, marks))), steps=4)

    async def play(stage: Stage) -> None:
        await stage.listed(max(2, marks))
        await stage.press("g", *["space"] * marks, "c")
        if said:
            await stage.hears(said)
        if shown:
            await stage.on(ComparePage)
            await stage.until(lambda: stage.shows(f"compare {shown} runs"))
        else:
            assert not isinstance(stage.app.screen, (ComparePage, Dialog))

    perform(box, play)
