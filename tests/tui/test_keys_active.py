"""Keys on runs in progress, and what they answer where they do not fit."""

from __future__ import annotations

import pytest

from backprop_tui.tui.screens.fields import FieldsDialog
from backprop_tui.tui.screens.questions import ExtendDialog, KillDialog
from tests.box import Box, script
from tests.stand_ins.waiting import wait_until
from tests.tui import runs
from tests.tui.stage import Stage, perform


def test_plus_and_minus_add_up(box: Box) -> None:
    runs.going(box, "mine")

    async def play(stage: Stage) -> None:
        await stage.until(lambda: stage.under_cursor == "mine")
        await stage.press("plus")
        await stage.hears("mine: +5 min, now ends ")
        await stage.press("equals_sign")
        await stage.hears("mine: +10 min, now ends ")
        await stage.until(lambda: runs.box_s(box, "mine") == 1200)
        for minutes in (900, 600, 300):
            await stage.press("minus")
            await stage.until_it(_has_box, box, minutes)
        await stage.press("minus")  # as far as a minute
        await stage.until(lambda: 60 <= runs.box_s(box, "mine") < 120)
        await stage.press("minus")
        await stage.hears("mine has less than two minutes left; K stops it.")
        assert runs.state(box, "mine") == "running"

    perform(box, play)


def test_the_time_box_by_each_choice(box: Box) -> None:
    runs.going(box, "mine")

    async def play(stage: Stage) -> None:
        await stage.until(lambda: stage.under_cursor == "mine")
        expected = 600.0
        for key, minutes in (("5", 5), ("1", 10), ("3", 30), ("minus", -5), ("enter", 5)):
            expected += minutes * 60
            await stage.press("t", key)
            await stage.until_it(_has_box, box, expected)
        await stage.press("t", "escape", "t", "n")
        await stage.press("t", "c")
        await stage.on(FieldsDialog)
        await stage.type("K")
        await stage.press("enter")
        await stage.until(lambda: stage.shows("minutes: a number, such as 15 or -2.5"))
        await stage.press("backspace", "minus", "2", ".", "5", "enter")
        await stage.until(lambda: runs.box_s(box, "mine") == expected - 150)
        await stage.press("t", "c", "9", "escape")
        assert stage.is_home
        assert runs.box_s(box, "mine") == expected - 150

    perform(box, play)


def _has_box(box: Box, seconds: float) -> bool:
    return runs.box_s(box, "mine") == seconds


def test_keys_on_a_paused_run(box: Box) -> None:
    runs.going(box, "mine")
    box.run("pause", "mine")

    async def play(stage: Stage) -> None:
        await stage.until(lambda: stage.shows("‖ mine"))
        assert "p continue" in stage.app.main.footer.text
        await stage.press("plus")
        await stage.hears("mine: +5 min. - takes it back.")
        await stage.press("t")
        await stage.on(ExtendDialog)
        assert stage.shows("the clock stands still")
        await stage.press("escape", "K")
        await stage.on(KillDialog)
        assert stage.shows("‖ paused")
        await stage.press("tab", "enter")
        await stage.until(lambda: runs.state(box, "mine") == "stopped")

    perform(box, play)


def test_keys_on_a_queued_run(box: Box) -> None:
    runs.going(box, "first")
    box.start("run", "--wait", "--run-id", "second", "-n", "second", "--max-parallel", "1", script("metrics.py"))
    box.wait_for("second", "queued")

    async def play(stage: Stage) -> None:
        await stage.until(lambda: stage.shows("□ second"))
        await stage.press("G")
        assert stage.under_cursor == "second"
        await stage.press("p")
        await stage.hears("p: second is queued, not running.")
        for key in ("plus", "minus", "t"):
            await stage.press(key)
            await stage.hears("second is queued: its time box cannot be changed.")
        await stage.press("r")
        await stage.hears("r: second has not ended")
        await stage.press("D")
        await stage.hears("D: second is queued. K stops it first.")
        await stage.press("K")
        await stage.on(KillDialog)
        assert stage.title == "Take second out of the queue?"
        await stage.press("enter")
        assert runs.state(box, "second") == "queued"
        await stage.press("K", "y")
        await stage.until(lambda: runs.state(box, "second") == "stopped")
        assert runs.state(box, "first") == "running"

    perform(box, play)


def test_keys_on_a_stopping_run(box: Box) -> None:
    box.run("run", "-d", "--run-id", "slow", "-n", "slow", script("slow_checkpoint.py"), "--", "60")
    wait_until(lambda: box.lines("slow", "checkpoints.jsonl"))

    async def play(stage: Stage) -> None:
        await stage.until(lambda: stage.under_cursor == "slow")
        await stage.press("K", "y")
        await stage.until(lambda: stage.shows("▼ slow"))
        await stage.press("p")
        await stage.hears("p: slow is stopping, not running.")
        for key in ("plus", "t"):
            await stage.press(key)
            await stage.hears("slow is stopping: its time box cannot be changed.")
        await stage.press("K")
        await stage.on(KillDialog)
        assert stage.shows("esc Wait")
        await stage.press("enter")
        assert stage.is_home
        await stage.press("K", "F")
        assert stage.shows("F again to force-kill")
        await stage.press("j")
        assert not stage.shows("F again to force-kill")
        await stage.press("F")
        assert runs.state(box, "slow") == "stopping"
        await stage.press("F")
        await stage.until(lambda: runs.state(box, "slow") == "stopped")

    perform(box, play)
    assert box.state("slow")["slices"][0]["forced"] is True


def test_keys_on_a_starting_run(box: Box) -> None:
    box.run("run", "-d", "--run-id", "quiet", "-n", "quiet", "--", "sleep", "100")
    box.wait_for("quiet", "starting", "running")

    async def play(stage: Stage) -> None:
        await stage.until(lambda: stage.under_cursor == "quiet")
        if runs.state(box, "quiet") == "starting":
            await stage.press("p")
            await stage.hears("p: quiet is starting, not running.")
        await stage.press("plus")
        await stage.hears("quiet: +5 min")
        await stage.press("K")
        await stage.on(KillDialog)
        await stage.press("y")
        await stage.until(lambda: runs.state(box, "quiet") == "stopped")

    perform(box, play)


@pytest.mark.parametrize("key", ["K", "p", "plus", "minus", "t"])
def test_what_is_for_runs_in_progress_says_so_of_one_that_has_ended(box: Box, key: str) -> None:
    runs.ended(box, "done", steps=2)
    sign = {"plus": "+", "minus": "-"}.get(key, key)

    async def play(stage: Stage) -> None:
        await stage.listed(1)
        await stage.press(key)
        await stage.hears(f"{sign}: done has ended. R runs it again.")
        await stage.press("space", key)
        await stage.hears(f"{sign}: done has ended.")

    perform(box, play)


def test_the_answers_to_a_kill(box: Box) -> None:
    runs.going(box, "mine")

    async def play(stage: Stage) -> None:
        await stage.until(lambda: stage.under_cursor == "mine")
        for keys in (("enter",), ("escape",), ("n",), ("F", "escape"), ("F", "enter"), ("tab", "tab", "tab", "enter")):
            await stage.press("K")
            await stage.on(KillDialog)
            await stage.press(*keys)
            assert stage.is_home, keys
        await stage.press("K", "F", "x", "F")
        assert stage.shows("F again to force-kill")
        await stage.press("escape")
        assert runs.state(box, "mine") == "running"
        await stage.press("K", "left", "left", "enter")
        await stage.until(lambda: runs.state(box, "mine") == "stopped")
        await stage.hears("mine stopped, saved at step")

    perform(box, play)


@pytest.mark.parametrize(("key", "dialog"), [("K", KillDialog), ("t", ExtendDialog)])
def test_a_question_is_about_its_own_run_whatever_the_list_does(box: Box, key: str, dialog: type[KillDialog]) -> None:
    runs.going(box, "first", "second")

    async def play(stage: Stage) -> None:
        await stage.until(lambda: len(stage.app.state.rows) == 2)
        await stage.press("1", "g")
        asked = stage.under_cursor
        (other,) = {"first", "second"} - {asked}
        await stage.press(key)
        await stage.on(dialog)
        assert asked in stage.title
        box.run("run", "-d", "--run-id", "third", "-n", "third", script("metrics.py"))
        await stage.until(lambda: len(stage.app.state.rows) == 3)
        stage.app.main.active.cursor = other  # as if the list had moved under the question
        if key == "K":
            await stage.press("y")
            await stage.until(lambda: runs.state(box, asked) == "stopped")
        else:
            await stage.press("1")
            await stage.until(lambda: runs.box_s(box, asked) == 1200)
        assert runs.state(box, other) == runs.state(box, "third") == "running"
        assert runs.box_s(box, other) == 600

    perform(box, play)


def test_a_time_box_of_a_run_that_has_ended_meanwhile(box: Box) -> None:
    runs.going(box, "first", "second")

    async def play(stage: Stage) -> None:
        await stage.until(lambda: len(stage.app.state.rows) == 2)
        await stage.press("1", "g")
        asked = stage.under_cursor
        (other,) = {"first", "second"} - {asked}
        await stage.press("t")
        box.run("stop", "--force", asked)
        await stage.until(lambda: len(stage.app.state.rows) == 1)
        await stage.press("5")
        await stage.hears("nothing to extend")
        assert runs.box_s(box, other) == 600

    perform(box, play)
