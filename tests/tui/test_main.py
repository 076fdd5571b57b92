"""The main screen on real runs: what is started anywhere is seen, and keys do what they say."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path

import pytest

from tests.box import Box, script
from tests.tui.stage import Stage, perform

SIZES = [(80, 24), (120, 40), (60, 18), (40, 12), (200, 60)]


@pytest.mark.parametrize("size", SIZES)
def test_an_empty_home_says_what_to_press(box: Box, size: tuple[int, int]) -> None:
    async def play(stage: Stage) -> None:
        await stage.until(lambda: stage.shows("START HERE"))
        assert stage.shows("all well")
        assert stage.shows("n launch")

    perform(box, play, size=size)


def test_a_run_started_in_any_shell_appears_and_ends(box: Box) -> None:
    async def play(stage: Stage) -> None:
        await stage.until(lambda: stage.shows("START HERE"))
        box.run("run", "-d", "--name", "from-a-shell", script("metrics.py"))
        await stage.until(lambda: stage.shows("● from-a-shell"))
        assert stage.shows("1 running")
        await stage.until(lambda: stage.app.state.rows[0].loss is not None)
        box.run("stop", "@")
        await stage.until(lambda: stage.shows("■ from-a-shell"))
        await stage.until(lambda: stage.shows("stopped"))
        assert stage.shows("nothing running")

    perform(box, play)


def test_pause_continue_and_extend_by_keys(box: Box) -> None:
    run_id = box.run("run", "-d", "-n", "mine", "-m", "10", script("metrics.py")).stdout.strip()

    async def play(stage: Stage) -> None:
        await stage.until(lambda: stage.shows("● mine"))
        await stage.press("p")
        await stage.until(lambda: stage.shows("‖ mine"))
        assert stage.shows("paused   by you; p continues")
        await stage.press("p")
        await stage.until(lambda: stage.shows("● mine"))
        await stage.press("plus")
        await stage.until(lambda: box.state(run_id)["slices"][0]["box_s"] == 900)
        await stage.press("minus")
        await stage.until(lambda: box.state(run_id)["slices"][0]["box_s"] == 600)

    perform(box, play)


def test_kill_asks_keeps_by_default_and_saves(box: Box) -> None:
    run_id = box.run("run", "-d", "-n", "mine", script("metrics.py")).stdout.strip()
    box.wait_for_step(run_id, 2)

    async def play(stage: Stage) -> None:
        await stage.until(lambda: stage.shows("● mine"))
        await stage.press("K")
        assert stage.shows("esc Keep running")
        await stage.press("enter")
        assert box.state(run_id)["state"] == "running"
        await stage.press("K", "y")
        await stage.until(lambda: box.state(run_id)["state"] == "stopped")

    perform(box, play)
    slice_ = box.state(run_id)["slices"][0]
    assert (slice_["forced"], slice_["reason"]["by"]) == (False, "person")


def test_force_needs_its_key_twice(box: Box) -> None:
    pids = str(box.work / "pids")
    run_id = box.run("run", "-d", "-n", "deaf", script("stubborn.py"), "--", pids).stdout.strip()
    box.wait_for_step(run_id, 1)

    async def play(stage: Stage) -> None:
        await stage.until(lambda: stage.shows("● deaf"))
        await stage.press("K", "F")
        assert stage.shows("F again to force-kill")
        assert box.state(run_id)["state"] == "running"
        await stage.press("F")
        await stage.until(lambda: box.state(run_id)["state"] == "stopped")

    perform(box, play)
    assert box.state(run_id)["slices"][0]["forced"] is True


def test_a_question_about_a_run_that_ends_meanwhile(box: Box) -> None:
    box.run("run", "-d", "-n", "mine", script("metrics.py"))

    async def play(stage: Stage) -> None:
        await stage.until(lambda: stage.shows("● mine"))
        await stage.press("K")
        box.run("stop", "--force", "@")
        await stage.until(lambda: stage.shows("mine has just ended by itself."))
        assert not stage.shows("Save and stop")
        await stage.press("escape")

    perform(box, play)


def test_filter_while_typing(box: Box) -> None:
    for name in ("lora-8", "lora-16", "mnist"):
        box.run("run", "-q", "-n", name, "--", "true")

    async def play(stage: Stage) -> None:
        await stage.until(lambda: stage.shows("HISTORY 3"))
        await stage.press("slash")
        await stage.type("lora")
        await stage.until(lambda: stage.shows("HISTORY 2 of 3"))
        assert not stage.shows("mnist")
        await stage.type("xx")
        await stage.until(lambda: stage.shows('No run matches "loraxx". esc clears.'))
        await stage.press("escape")
        await stage.until(lambda: stage.shows("mnist"))

    perform(box, play)


def test_verbs_do_not_work_while_a_field_has_the_keys(box: Box) -> None:
    run_id = box.run("run", "-d", "-n", "mine", script("metrics.py")).stdout.strip()

    async def play(stage: Stage) -> None:
        await stage.until(lambda: stage.shows("● mine"))
        await stage.press("slash", "K", "p", "q", "n")
        assert stage.app.main.filter.value == "Kpqn"
        assert box.state(run_id)["state"] == "running"

    perform(box, play)


def test_the_cursor_stays_with_its_run(box: Box) -> None:
    for name in ("one", "two", "three"):
        box.run("run", "-q", "-n", name, "--", "true")

    async def play(stage: Stage) -> None:
        history = stage.app.main.history
        await stage.until(lambda: stage.shows("HISTORY 3") and history.current is not None)
        await stage.press("2", "j")
        assert history.current is not None
        assert history.current.name == "two"
        box.run("run", "-q", "-n", "four", "--", "true")
        await stage.until(lambda: stage.shows("HISTORY 4"))
        await stage.until(lambda: history.current is not None)
        assert history.current.name == "two"

    perform(box, play)


def test_resume_with_one_key_and_its_confirmation(box: Box) -> None:
    run_id = box.run("run", "-d", "-n", "mine", script("metrics.py")).stdout.strip()
    box.wait_for_step(run_id, 12)
    box.run("stop", run_id)

    async def play(stage: Stage) -> None:
        await stage.until(lambda: stage.app.main.history.current is not None)
        await stage.press("2", "r")
        await stage.until(lambda: stage.shows("r Resume"))
        await stage.press("enter")
        await stage.until(lambda: stage.shows("● mine"))

    perform(box, play)
    assert len(box.state(run_id)["slices"]) == 2
    box.run("stop", "--force", run_id)


def test_leaving_says_what_goes_on(box: Box) -> None:
    from backprop_tui.tui.main import farewell

    run_id = box.run("run", "-d", "-n", "mine", script("metrics.py")).stdout.strip()
    said: list[str] = []

    async def play(stage: Stage) -> None:
        await stage.until(lambda: stage.shows("● mine"))
        await stage.press("q")
        said.extend(farewell(stage.app.home))

    perform(box, play)
    assert said[0].startswith("1 run keeps going: mine (")
    assert f"backprop stop {run_id}" in said[1]
    assert box.state(run_id)["state"] == "running"


def test_ctrl_c_does_nothing_to_runs_and_twice_quits(box: Box) -> None:
    run_id = box.run("run", "-d", "-n", "mine", script("metrics.py")).stdout.strip()

    async def play(stage: Stage) -> None:
        await stage.until(lambda: stage.shows("● mine"))
        began = time.monotonic()
        await stage.press("ctrl+c")
        assert stage.app.is_running
        await stage.press("ctrl+c")
        assert time.monotonic() - began < 2.0
        await stage.until(lambda: not stage.app.is_running or stage.app._exit)

    perform(box, play)
    assert box.state(run_id)["state"] == "running"


def test_hostile_names_are_text(box: Box) -> None:
    box.run("run", "-q", "-n", "[@click=app.leave]x[/] [/red] [bold", "--", "true")

    async def play(stage: Stage) -> None:
        await stage.until(lambda: stage.shows("[@click=app.leave"))
        stage.app.say("[@click=app.leave]x[/] [/red] \x1b]2;owned\x07")
        await stage.pilot.pause(0.1)
        assert stage.app.is_running

    perform(box, play)


def test_the_first_run_is_a_demo_on_one_key(box: Box) -> None:
    async def play(stage: Stage) -> None:
        await stage.until(lambda: stage.shows("No runs yet. This is how it goes:"))
        await stage.press("d")
        await stage.until(lambda: stage.shows("● demo"))
        assert not stage.shows("START HERE")

    perform(box, play)
    box.run("stop", "--force", "@")


@pytest.mark.parametrize("size", SIZES)
def test_launch_from_the_form(box: Box, size: tuple[int, int]) -> None:
    (box.work / "train.py").write_text(Path(script("metrics.py")).read_text())

    async def play(stage: Stage) -> None:
        await stage.until(lambda: stage.shows("START HERE"))
        await stage.press("n")
        await stage.type("trai")
        await stage.until(lambda: stage.shows("train.py"))
        await stage.press("tab")
        await stage.until(lambda: stage.shows("can start now"))
        await stage.press("enter")
        await stage.until(lambda: len(stage.app.state.rows) == 1)

    perform(box, play, size=size)
    assert box.json("list")[0]["script"] == "train.py"
    box.run("stop", "--force", "@")


def test_the_page_of_a_run_that_failed_shows_its_traceback(box: Box) -> None:
    (box.work / "bad.py").write_text("def f():\n    raise ValueError('no such thing')\nf()\n")
    box.run("run", "-q", "-n", "bad", "bad.py", code=1)

    async def play(stage: Stage) -> None:
        await stage.until(lambda: stage.app.main.history.current is not None)
        await stage.press("2", "enter")
        await stage.until(lambda: stage.shows("WHAT HAPPENED"))
        assert stage.shows("ValueError: no such thing")
        assert stage.shows("✗ failed")
        for tab, word in (
            ("2", "Traceback"),
            ("3", "No metric was found in what it printed."),
            ("4", "No checkpoint seen yet"),
            ("5", "bad.py"),
            ("6", "failed"),
        ):
            await stage.press(tab)
            await stage.until(partial(stage.shows, word))
        await stage.press("escape")
        assert stage.shows("HISTORY 1")

    perform(box, play)


def test_the_log_opens_at_the_traceback_and_is_searched(box: Box) -> None:
    lines = "for n in range(500):\n    print('step', n)\n"
    (box.work / "bad.py").write_text(f"{lines}raise ValueError('no such thing')\n")
    box.run("run", "-q", "-n", "bad", "bad.py", code=1)

    async def play(stage: Stage) -> None:
        await stage.until(lambda: stage.app.main.history.current is not None)
        await stage.press("2", "l")
        await stage.until(lambda: stage.shows("Traceback (most recent call last)"))
        assert stage.shows("ValueError: no such thing")
        await stage.press("g")
        await stage.until(lambda: stage.shows("    1 step 0"))
        assert stage.shows("newer lines: G")
        await stage.press("slash")
        await stage.type("step 33")
        await stage.press("enter")
        await stage.until(lambda: stage.shows("line 340"))
        await stage.press("n")
        await stage.until(lambda: stage.shows("line 339"))
        await stage.press("N")
        await stage.until(lambda: stage.shows("line 340"))
        await stage.press("G")
        await stage.until(lambda: not stage.shows("newer line"))
        await stage.press("escape", "escape")
        await stage.until(lambda: stage.shows("HISTORY 1"))

    perform(box, play)


def test_compare_marked_runs(box: Box) -> None:
    for name, steps in (("short", "20"), ("long", "40")):
        box.run("run", "-q", "-n", name, script("metrics.py"), "--", "--steps", steps)

    async def play(stage: Stage) -> None:
        await stage.until(lambda: stage.app.main.history.current is not None)
        await stage.press("2", "space", "space")
        assert stage.shows("2 marked")
        assert stage.shows("c compare 2")
        await stage.press("c")
        await stage.until(lambda: stage.shows("compare 2 runs"))
        assert stage.shows("AT 20")
        assert stage.shows("Lowest at step 20, the last both have: ")
        assert stage.shows("--steps")
        await stage.press("L", "O", "m", "space", "escape", "escape")
        await stage.until(lambda: stage.shows("HISTORY 2"))
        assert not stage.app.main.marks

    perform(box, play)
