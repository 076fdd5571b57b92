"""Keys on runs that have ended, and those that work on any run: resume, again, edit, star, copy, export."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from textual.widgets import Input

from backprop_tui.tui.screens.copy import CopyBar
from backprop_tui.tui.screens.fields import FieldsDialog
from backprop_tui.tui.screens.going_on import MissingDialog, ResumeDialog
from backprop_tui.tui.screens.launch import LaunchForm
from backprop_tui.tui.screens.log import LogPage
from backprop_tui.tui.screens.run import RunPage
from tests.box import Box, script
from tests.tui import runs
from tests.tui.stage import Stage, perform


def test_resume_by_two_keys_however_fast(box: Box) -> None:
    runs.stopped(box, "mine")

    async def play(stage: Stage) -> None:
        await stage.listed(1)
        stage.app.simulate_key("r")
        stage.app.simulate_key("enter")  # before there is a dialog
        await stage.until(lambda: runs.state(box, "mine") == "running")
        assert stage.is_home

    perform(box, play)
    assert len(box.state("mine")["slices"]) == 2


def test_when_the_last_run_has_ended_keys_are_about_it(box: Box) -> None:
    runs.ended(box, "older", steps=2)
    runs.going(box, "mine")

    async def play(stage: Stage) -> None:
        await stage.until(lambda: stage.under_cursor == "mine")
        await stage.press("2", "j", "1")  # somebody has been in the history before
        box.run("stop", "mine")
        await stage.until(lambda: not stage.app.state.rows)
        await stage.until(lambda: stage.under_cursor == "mine")
        assert "r resume" in stage.app.main.footer.text
        await stage.press("p")
        await stage.hears("p: mine has ended. r resumes it.")
        await stage.press("r", "enter")
        await stage.until(lambda: runs.state(box, "mine") == "running")

    perform(box, play)


def test_resume_with_more_minutes(box: Box) -> None:
    runs.stopped(box, "mine")

    async def play(stage: Stage) -> None:
        await stage.listed(1)
        await stage.press("r")
        await stage.on(ResumeDialog)
        await stage.press("plus", "plus", "minus")
        assert stage.shows("Minutes        15")
        await stage.press("escape", "r")
        await stage.on(ResumeDialog)
        assert stage.shows("Minutes        10")
        await stage.press("plus", "r")
        await stage.until(lambda: runs.state(box, "mine") == "running")
        assert runs.box_s(box, "mine") == 900

    perform(box, play)


def test_resume_with_other_arguments(box: Box) -> None:
    runs.stopped(box, "mine")

    async def play(stage: Stage) -> None:
        await stage.listed(1)
        await stage.press("r")
        await stage.on(ResumeDialog)
        await stage.press("a")
        await stage.on(LaunchForm)
        await stage.press("end")
        await stage.type(" --interval 0.05")
        await stage.press("enter")
        await stage.until(lambda: runs.state(box, "mine") == "running")

    perform(box, play)
    (spec,) = (box.home / "runs" / "mine").glob("spec-2.json")
    assert "0.05" in spec.read_text()


def test_resume_on_every_other_kind_of_run(box: Box) -> None:
    runs.ended(box, "complete", steps=2)
    runs.failed(box, "unsaved")
    runs.going(box, "running")
    runs.stopped(box, "gone")
    newest = box.state("gone")["checkpoints"][-1]["path"]
    Path(newest).unlink()

    async def play(stage: Stage) -> None:
        main = stage.app.main
        await stage.listed(3)
        await stage.press("1", "r")
        await stage.hears("r: running has not ended; K stops it, p pauses it.")
        await stage.press("2", "g", "r")
        await stage.on(MissingDialog)
        assert "gone" in stage.title
        await stage.press("escape", "j", "r")
        await stage.hears("unsaved has saved no checkpoint: it runs again from step 0")
        await stage.on(LaunchForm)
        assert stage.app.screen.query_one("#script").value == "unsaved.py"  # type: ignore[attr-defined]
        await stage.press("escape", "j", "r")
        await stage.hears("complete is completed, there is nothing to resume. R runs it again.")
        assert stage.app.screen is main
        await stage.press("g", "r")
        await stage.on(MissingDialog)
        await stage.press("enter")
        await stage.until(lambda: runs.state(box, "gone") == "running")

    perform(box, play)


RISES = """
import json, time
for step in range(1, 200):
    loss = 1 / step if step <= 25 else step if step < 35 else float("nan")
    print(json.dumps({"step": step, "loss": loss}), flush=True)
    if step % 10 == 0:
        open(f"at-{step}", "w").write("saved")
        print(json.dumps({"event": "checkpoint_saved", "path": f"at-{step}", "step": step}), flush=True)
    time.sleep(0.02)
"""


def test_a_diverged_run_is_resumed_from_before_the_rise(box: Box) -> None:
    (box.work / "rises.py").write_text(RISES)
    box.run("run", "-q", "--run-id", "wild", "-n", "wild", "rises.py", code=None)
    assert runs.state(box, "wild") == "diverged"

    async def play(stage: Stage) -> None:
        await stage.listed(1)
        await stage.press("r")
        await stage.on(ResumeDialog)
        assert stage.shows("from step 20 ")
        assert stage.shows("the newest one saved before the loss rose")
        await stage.press("escape")

    perform(box, play)


@pytest.mark.parametrize("name", ["running", "complete"])
def test_run_again_from_step_0(box: Box, name: str) -> None:
    runs.going(box, "running") if name == "running" else runs.ended(box, "complete", steps=2)

    async def play(stage: Stage) -> None:
        await stage.until(lambda: stage.under_cursor == name)
        await stage.press("R")
        await stage.on(LaunchForm)
        values = stage.app.screen.filled.values  # type: ignore[attr-defined]
        assert (values["script"], values["name"]) == (script("metrics.py"), name)
        await stage.press("enter")
        await stage.until(lambda: len(list((box.home / "runs").iterdir())) == 2)
        await stage.until(lambda: stage.is_home)

    perform(box, play)


def test_edit_and_take_it_back(box: Box) -> None:
    runs.ended(box, "mine", "other", steps=2)

    async def play(stage: Stage) -> None:
        await stage.listed(2)
        stage.app.simulate_key("e")
        await stage.on(FieldsDialog)
        assert stage.title == "Edit other"
        await stage.press("end", *["backspace"] * 5)
        await stage.type("K q p")
        await stage.press("tab")
        await stage.type("a, b")
        await stage.press("down")
        await stage.type("hard [red]")
        await stage.press("up", "enter")
        await stage.until(lambda: runs.notes(box, "other").get("name") == "K q p")
        assert runs.notes(box, "other")["tags"] == ["a", "b"]
        assert runs.notes(box, "other")["note"] == "hard [red]"
        await stage.until(lambda: stage.shows("K q p"))
        await stage.press("u")
        await stage.hears("undone: the edit.")
        assert runs.notes(box, "other")["name"] == "other"
        assert runs.notes(box, "other")["tags"] == []
        await stage.press("e", "escape")
        assert stage.is_home

    perform(box, play)


def test_what_is_wrong_with_an_edit_is_said_and_nothing_is_lost(box: Box) -> None:
    runs.ended(box, "mine", steps=2)

    async def play(stage: Stage) -> None:
        await stage.listed(1)
        await stage.press("e")
        await stage.on(FieldsDialog)
        stage.app.screen.query_one("#name", Input).value = "x" * 300
        await stage.press("tab", "tab")
        await stage.type("kept")
        await stage.press("enter")
        assert isinstance(stage.app.screen, FieldsDialog)
        await stage.until(lambda: stage.shows("name"))
        assert stage.app.screen.query_one("#note").value == "kept"  # type: ignore[attr-defined]
        assert runs.notes(box, "mine").get("note", "") == ""

    perform(box, play)


def test_star_and_take_it_back(box: Box) -> None:
    runs.ended(box, "mine", steps=2)

    async def play(stage: Stage) -> None:
        await stage.listed(1)
        for is_starred in (True, False, True):
            await stage.press("asterisk")
            await stage.until_it(lambda is_it: bool(runs.notes(box, "mine").get("star")) is is_it, is_starred)
        await stage.until(lambda: stage.shows("mine                   *"))
        await stage.press("u")
        await stage.hears("undone: the star.")
        assert runs.notes(box, "mine")["star"] is False

    perform(box, play)


@pytest.mark.parametrize(
    ("letter", "expected"),
    [
        ("i", "bad"),
        ("n", "bad"),
        ("c", "backprop run bad.py"),
        ("p", "runs/bad"),
        ("l", "ValueError: no such thing"),
        ("t", "Traceback (most recent call last):"),
    ],
)
def test_copy(box: Box, monkeypatch: pytest.MonkeyPatch, letter: str, expected: str) -> None:
    runs.failed(box, "bad")
    written: list[str] = []

    async def play(stage: Stage) -> None:
        await stage.listed(1)
        driver = stage.app._driver
        assert driver is not None
        monkeypatch.setattr(driver, "write", written.append)
        await stage.press("y")
        await stage.on(CopyBar)
        assert stage.shows("copy: i id  c command  n name  p path  l log lines  t traceback  esc")
        await stage.press(letter)
        await stage.hears("copied: ")

    perform(box, play)
    (sequence,) = [text for text in written if text.startswith("\x1b]52;c;")]
    assert expected in base64.b64decode(sequence.removeprefix("\x1b]52;c;").rstrip("\x07")).decode()


def test_copy_of_several_of_nothing_and_left(box: Box) -> None:
    runs.ended(box, "one", "two", steps=2)

    async def play(stage: Stage) -> None:
        await stage.listed(2)
        for key in ("escape", "K", "x"):
            await stage.press("y", key)
            assert stage.is_home
        await stage.press("y", "t")
        await stage.hears("there is no traceback to copy.")
        await stage.press("space", "space", "y", "i")
        await stage.hears("copied: two and 1 more line")

    perform(box, play)


def test_export(box: Box) -> None:
    runs.ended(box, "one", "two", steps=3)

    async def play(stage: Stage) -> None:
        await stage.listed(2)
        await stage.press("E")
        await stage.hears("written: ")
        await stage.press("space", "space", "E")
        await stage.hears("written: ")

    perform(box, play)
    one, both = sorted(box.work.glob("*.csv"), key=lambda path: path.stat().st_size)
    assert one.read_text().count("\n") == 4
    assert both.read_text().count("\n") == 7


def test_open_and_logs(box: Box) -> None:
    runs.ended(box, "mine", steps=2)

    async def play(stage: Stage) -> None:
        await stage.listed(1)
        for key, screen, back in (
            ("enter", RunPage, "escape"), ("right", RunPage, "left"), ("l", LogPage, "q"), ("l", LogPage, "escape"),
        ):  # fmt: skip
            await stage.press(key)
            await stage.on(screen)
            await stage.until(lambda: stage.shows("mine"))
            await stage.press(back)
            assert stage.is_home

    perform(box, play)
