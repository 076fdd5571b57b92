"""Keys of a run's page act on its run, wherever the list's cursor is."""

from __future__ import annotations

from pathlib import Path

import pytest

from backprop_tui.tui.screens.compare import ComparePage
from backprop_tui.tui.screens.going_on import RemoveDialog, ResumeDialog
from backprop_tui.tui.screens.launch import LaunchForm
from backprop_tui.tui.screens.log import LogPage
from backprop_tui.tui.screens.problems import ProblemsDialog
from backprop_tui.tui.screens.questions import ExtendDialog, KillDialog
from backprop_tui.tui.screens.run import RunPage
from tests.box import Box, script
from tests.tui import runs
from tests.tui.stage import Stage, perform


def page(stage: Stage) -> RunPage:
    assert isinstance(stage.app.screen, RunPage)
    return stage.app.screen


async def opened(stage: Stage, name: str) -> RunPage:
    await stage.until(lambda: stage.under_cursor == name)
    await stage.press("enter")
    await stage.on(RunPage)
    await stage.until(lambda: stage.shows(name))
    return page(stage)


def test_tabs_and_scrolling(box: Box) -> None:
    runs.failed(box, "bad", lines=100)

    async def play(stage: Stage) -> None:
        await opened(stage, "bad")
        await stage.press("2")
        await stage.until(lambda: stage.shows("ValueError: no such thing"))
        await stage.press("g")
        assert stage.shows(" line 0")
        await stage.press("j")
        assert not stage.shows(" line 0\n")
        await stage.press("up")
        assert stage.shows(" line 0")
        await stage.press("G")
        assert stage.shows("ValueError: no such thing")
        await stage.press("k")
        assert not stage.shows("ValueError: no such thing")
        await stage.press("pagedown", "pageup", "end")
        for tab, first, last in (("5", "COMMAND", "VARIABLES FOUND"), ("6", "failed", "")):
            await stage.press(tab)
            await stage.until_it(stage.shows, first)
            if last:
                await stage.press("G")
                assert not stage.shows(first)
                lowest = stage.text
                await stage.press("k")
                assert stage.text != lowest
                await stage.press("home")
                assert stage.shows(first)
        await stage.press("1")
        await stage.until(lambda: stage.shows("WHAT HAPPENED"))

    perform(box, play)


def test_the_next_run_and_the_one_before(box: Box) -> None:
    runs.ended(box, "one", "two", "three", steps=2)

    async def play(stage: Stage) -> None:
        await stage.listed(3)
        here = await opened(stage, "three")
        await stage.press("left_square_bracket")
        await stage.hears("[: no run comes before three in the list.")
        for key, name in (("right_square_bracket", "two"), ("right_square_bracket", "one")):
            await stage.press(key)
            await stage.until_it(stage.shows, f"{name}  ✓ completed")
            assert here.target.id == name
        await stage.press("right_square_bracket")
        await stage.hears("]: no run comes after one in the list.")
        await stage.press("escape")
        assert stage.under_cursor == "one"

    perform(box, play)


def test_charts(box: Box) -> None:
    runs.ended(box, "mine", steps=30)

    async def play(stage: Stage) -> None:
        here = await opened(stage, "mine")
        for tab in ("1", "3", "5"):
            await stage.press(tab)
            for key, what in (("L", "is_log"), ("T", "by_time"), ("O", "shows_all")):
                before = getattr(here._view, what)
                await stage.press(key)
                assert getattr(here._view, what) is not before
            focus = here._view.focus
            await stage.press("m")
            assert here._view.focus == focus + 1
        assert here._tab == 2  # where there are charts
        await stage.press("z")
        assert here._view.is_zoomed
        await stage.press("z", "1", "z")
        assert (here._tab, here._view.is_zoomed) == (2, True)
        await stage.press("E")
        await stage.hears("written: ")

    perform(box, play)
    assert len(list(box.work.glob("*.csv"))) == 1


def test_resume_from_a_checkpoint(box: Box) -> None:
    runs.stopped(box, "mine")

    async def play(stage: Stage) -> None:
        await stage.listed(1)
        here = await opened(stage, "mine")
        await stage.press("enter")
        await stage.hears("enter: it resumes from a checkpoint; 4 shows them.")
        await stage.press("4", "j")
        assert here._view.cursor == 1
        await stage.press("g", "G")
        assert here._view.cursor == len(box.state("mine")["checkpoints"]) - 1
        await stage.press("enter")
        await stage.on(ResumeDialog)
        assert stage.shows("from step 10 ")
        await stage.press("enter")
        await stage.until(lambda: runs.state(box, "mine") == "running")
        await stage.until(lambda: here.target.state == "running")
        await stage.press("enter")
        await stage.hears("enter: the run has not ended; K stops it first.")

    perform(box, play)
    assert '"resume_step": 10' in (box.home / "runs" / "mine" / "spec-2.json").read_text().replace('":10', '": 10')


def test_verbs_act_on_the_page_s_run_not_on_the_list_s_cursor(box: Box) -> None:
    runs.going(box, "first", "second")

    async def play(stage: Stage) -> None:
        await stage.until(lambda: len(stage.app.state.rows) == 2)
        await stage.press("1", "g")
        name = stage.under_cursor
        (other,) = {"first", "second"} - {name}
        await opened(stage, name)
        stage.app.main.active.cursor = other
        await stage.press("p")
        await stage.until(lambda: runs.state(box, name) == "paused")
        await stage.until(lambda: stage.shows("‖ paused"))
        await stage.press("p")
        await stage.until(lambda: runs.state(box, name) == "running")
        await stage.press("plus")
        await stage.until(lambda: runs.box_s(box, name) == 900)
        await stage.press("minus")
        await stage.until(lambda: runs.box_s(box, name) == 600)
        await stage.press("t")
        await stage.on(ExtendDialog)
        assert stage.title == f"Time box of {name}"
        await stage.press("1")
        await stage.until(lambda: runs.box_s(box, name) == 1200)
        await stage.press("D")
        await stage.hears(f"D: {name} is running. K stops it first.")
        await stage.press("r")
        await stage.hears(f"r: {name} has not ended")
        await stage.press("y", "i")
        await stage.hears(f"copied: {name}")
        await stage.press("l")
        await stage.on(LogPage)
        assert stage.app.screen.target.id == name  # type: ignore[attr-defined]
        await stage.press("escape", "K")
        await stage.on(KillDialog)
        assert stage.title == f"Stop {name}?"
        await stage.press("y")
        await stage.until(lambda: runs.state(box, name) == "stopped")
        assert runs.state(box, other) == "running"
        assert runs.box_s(box, other) == 600

    perform(box, play)


def test_notes_of_the_page_s_run(box: Box) -> None:
    runs.ended(box, "mine", steps=2)

    async def play(stage: Stage) -> None:
        await opened(stage, "mine")
        for words in ("mine has a star now.", "mine has no star now.", "mine has a star now."):
            await stage.press("asterisk")
            await stage.hears(words)
        await stage.press("e", "end")
        await stage.type("-2")
        await stage.press("enter")
        await stage.until(lambda: stage.shows("mine-2  ✓"))

    perform(box, play)
    assert runs.notes(box, "mine")["star"] is True


@pytest.mark.parametrize(("key", "words"), [("a", "1 run archived; u brings them back."), ("x", "1 run deleted.")])
def test_a_run_that_is_removed_has_no_page_any_more(box: Box, key: str, words: str) -> None:
    runs.ended(box, "other", "mine", steps=2)

    async def play(stage: Stage) -> None:
        await stage.listed(2)
        await opened(stage, "mine")
        await stage.press("D")
        await stage.on(RemoveDialog)
        assert stage.title == "Remove mine"
        await stage.press(key)
        await stage.hears(words)
        assert stage.is_home
        await stage.until(lambda: stage.under_cursor == "other")

    perform(box, play)


def test_again_and_launch_and_compare(box: Box) -> None:
    runs.ended(box, "other", "mine", steps=4)

    async def play(stage: Stage) -> None:
        await stage.listed(2)
        here = await opened(stage, "mine")
        await stage.press("c")
        await stage.hears("c: mark runs in the lists with space first")
        for key in ("R", "n"):
            await stage.press(key)
            await stage.on(LaunchForm)
            await stage.press("escape")
            assert stage.app.screen is here
        await stage.press("escape", "j", "space", "g", "enter")
        await stage.on(RunPage)
        await stage.press("c")
        await stage.on(ComparePage)
        await stage.until(lambda: stage.shows("compare 2 runs"))
        await stage.press("q", "q")
        assert stage.is_home

    perform(box, play)


def test_a_page_keeps_its_run_and_stays_live(box: Box) -> None:
    """Whatever starts and ends in the lists below, and after another page over it was left."""
    runs.failed(box, "bad")
    runs.going(box, "mine")

    async def play(stage: Stage) -> None:
        here = await opened(stage, "mine")
        box.run("run", "-d", "--run-id", "late", "-n", "late", script("metrics.py"))
        await stage.until(lambda: len(stage.app.state.rows) == 2)
        stage.app.main.active.cursor = "late"
        step = here._detail.record.run.step or 0  # type: ignore[union-attr]
        await stage.until(lambda: (here._detail.record.run.step or 0) > step + 5)  # type: ignore[union-attr]
        await stage.press("exclamation_mark")
        await stage.on(ProblemsDialog)
        await stage.press("enter")
        await stage.until(lambda: stage.shows("bad  ✗ failed"))
        await stage.press("escape")
        assert stage.app.screen is here
        step = here._detail.record.run.step or 0  # type: ignore[union-attr]
        await stage.until(lambda: (here._detail.record.run.step or 0) > step + 5)  # type: ignore[union-attr]
        await stage.press("escape")
        await stage.until(lambda: stage.app.main.column._detail is not None)

    perform(box, play, size=(200, 60))


def test_resume_from_the_page(box: Box) -> None:
    runs.stopped(box, "mine")

    async def play(stage: Stage) -> None:
        await stage.listed(1)
        here = await opened(stage, "mine")
        await stage.until(lambda: "r resume" in here.footer.text)
        await stage.press("r", "enter")
        await stage.until(lambda: here.target.state == "running")
        await stage.until(lambda: "K kill" in here.footer.text)

    perform(box, play)
    assert Path(box.home / "runs" / "mine" / "spec-2.json").exists()
