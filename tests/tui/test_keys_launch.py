"""Keys of the launch form, and that what is typed there takes effect."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input

from backprop_tui.tui.screens.launch import LaunchForm
from tests.box import Box, script
from tests.tui import runs
from tests.tui.stage import Stage, perform


@pytest.fixture
def scripts(box: Box) -> Box:
    for name in ("train_a.py", "train_b.py", "other.py"):
        (box.work / name).write_text(Path(script("metrics.py")).read_text())
    return box


def form(stage: Stage) -> LaunchForm:
    assert isinstance(stage.app.screen, LaunchForm)
    return stage.app.screen


def value(stage: Stage, key: str) -> str:
    return form(stage).query_one(f"#{key}", Input).value


def focused(stage: Stage) -> str | None:
    found = form(stage).focused
    return found.id if found is not None else None


async def opened(stage: Stage) -> None:
    await stage.until(lambda: stage.app.main.history.total is not None)
    await stage.press("n")
    await stage.on(LaunchForm)


async def to(stage: Stage, key: str) -> None:
    """Move to a field."""
    while focused(stage) != key:
        await stage.press("tab")


def spec(box: Box) -> dict[str, Any]:
    """What the newest run was asked."""
    (path,) = (box.home / "runs").glob("*/spec-1.json")
    found: dict[str, Any] = json.loads(path.read_text())
    return found


async def launched(stage: Stage) -> None:
    """The form is closed and the run is there; a second enter may have opened its page already."""
    await stage.until(lambda: not isinstance(stage.app.screen, LaunchForm) and len(stage.app.state.rows) == 1)


def test_complete_choose_and_take(scripts: Box) -> None:
    async def play(stage: Stage) -> None:
        await opened(stage)
        await stage.type("train")
        await stage.until(lambda: stage.shows("train_b.py"))
        await stage.press("down", "down")
        assert form(stage)._matches[form(stage)._chosen] == "train_b.py"
        await stage.press("up", "enter")
        assert value(stage, "script") == "train_a.py"
        assert focused(stage) == "script"
        await stage.press("backspace", "tab")
        assert value(stage, "script") == "train_a.py"
        assert focused(stage) == "args"
        await stage.press("shift+tab")
        assert focused(stage) == "script"
        await stage.press("down")
        assert focused(stage) == "args"

    perform(scripts, play)


def test_no_verb_works_in_any_field_and_escape_keeps_what_was_typed(scripts: Box) -> None:
    async def play(stage: Stage) -> None:
        await opened(stage)
        fields = [field.id for field in form(stage).query(Input)]
        assert len(fields) == 9
        for _ in fields:
            await stage.press("K", "q", "exclamation_mark", "question_mark", "n", "p")
            await stage.press("tab")
        assert all(field.value == "Kq!?np" for field in form(stage).query(Input))
        await stage.press("escape")
        assert stage.is_home
        await stage.press("n")
        await stage.on(LaunchForm)
        assert all(field.value == "Kq!?np" for field in form(stage).query(Input))

    perform(scripts, play)


def test_enter_before_the_answer_launches_as_soon_as_it_is_there(scripts: Box) -> None:
    async def play(stage: Stage) -> None:
        await opened(stage)
        await stage.type("train_a.py")
        await stage.press("enter", "enter")
        await launched(stage)

    perform(scripts, play)
    assert spec(scripts)["command"] == ["train_a.py"]
    assert len(list((scripts.home / "runs").iterdir())) == 1


@pytest.mark.parametrize(
    ("key", "typed", "said"),
    [
        ("script", "x", "there is no script"),
        ("args", '"open', "quotation"),
        ("cwd", "/no/such/folder", "/no/such/folder"),
        ("maxRunMinutes", "soon", "soon"),
        ("maxRunMinutes", "-5", "-5"),
        ("gpu", "first", "gpu: auto, none, or which ones"),
        ("gpu-minFreeVramMB", "lots", "lots"),
        ("minFreeRamGB", "x", "x"),
        ("framework", "caffe", "caffe"),
    ],
)
def test_what_is_wrong_is_said_in_place(scripts: Box, key: str, typed: str, said: str) -> None:
    async def play(stage: Stage) -> None:
        await opened(stage)
        await stage.type("train_a.py")
        await to(stage, key)
        await stage.type(typed)
        await stage.press("enter")
        await stage.until(lambda: said in form(stage).below.text)
        await stage.until(lambda: form(stage)._said[0][1] == "bad")
        assert form(stage).query_one(f"#{key}", Input).value.endswith(typed)
        for _ in typed:
            await stage.press("backspace")
        await stage.until(lambda: stage.shows("can start now"))
        await stage.press("enter")
        await launched(stage)

    perform(scripts, play)


def test_nothing_is_launched_without_a_script(scripts: Box) -> None:
    async def play(stage: Stage) -> None:
        await opened(stage)
        await stage.press("enter")
        await stage.until(lambda: stage.shows("choose a script first"))
        await stage.press("escape")

    perform(scripts, play)
    assert not list((scripts.home / "runs").iterdir())


def test_every_field_takes_effect(scripts: Box) -> None:
    folder = scripts.work / "elsewhere"
    folder.mkdir()
    (folder / "there.py").write_text(Path(script("metrics.py")).read_text())
    typed = {
        "cwd": str(folder), "args": "--interval 0.03", "name": "mine", "maxRunMinutes": "7", "gpu": "none",
        "gpu-minFreeVramMB": "123", "minFreeRamGB": "0.5", "framework": "jax",
    }  # fmt: skip

    async def play(stage: Stage) -> None:
        await opened(stage)
        await stage.type("there.py")
        for key, text in typed.items():
            form(stage).query_one(f"#{key}", Input).value = text
        await stage.until(lambda: stage.shows("can start now"))
        await stage.press("enter")
        await launched(stage)
        await stage.press("R")
        await stage.on(LaunchForm)
        for key, text in typed.items():
            assert value(stage, key) == text, key

    perform(scripts, play)
    found = spec(scripts)
    assert found["cwd"] == str(folder)
    assert found["command"] == ["there.py", "--interval", "0.03"]
    assert found["env"] == {"CUDA_VISIBLE_DEVICES": ""}
    assert found["framework"] == "jax"
    settings = {key: setting["value"] for key, setting in found["settings"].items()}
    assert settings["maxRunMinutes"] == 7
    assert settings["gpu.minFreeVramMB"] == 123
    assert settings["minFreeRamGB"] == 0.5
    assert scripts.json("list")[0]["name"] == "mine"


def test_gpus_by_index_and_a_command(scripts: Box) -> None:
    async def play(stage: Stage) -> None:
        await opened(stage)
        await stage.type("-- sh -c")
        await to(stage, "args")
        await stage.type("'echo $CUDA_VISIBLE_DEVICES; sleep 60'")
        await to(stage, "gpu")
        await stage.type("0, 1")
        await stage.until(lambda: form(stage)._planned is not None)
        await stage.press("enter")
        await launched(stage)

    perform(scripts, play)
    assert spec(scripts)["env"] == {"CUDA_VISIBLE_DEVICES": "0,1"}
    assert spec(scripts)["is_command"] is True


def test_what_ran_before_fills_the_form(scripts: Box) -> None:
    scripts.run("run", "-q", "-n", "older", "train_a.py", "--", "--steps", "2")
    scripts.run("run", "-q", "-n", "newer", "train_b.py", "--", "--steps", "3")

    async def play(stage: Stage) -> None:
        await stage.listed(2)
        await opened(stage)
        assert (value(stage, "script"), value(stage, "args")) == ("train_b.py", "--steps 3")
        await stage.press("ctrl+r", "down", "enter")
        await stage.until(lambda: value(stage, "name") == "older")
        assert (value(stage, "script"), value(stage, "args")) == ("train_a.py", "--steps 2")
        await stage.press("up")
        assert form(stage)._in_recent
        await stage.press("up")
        assert not form(stage)._in_recent
        await stage.press("ctrl+r", "enter")
        await stage.until(lambda: value(stage, "name") == "newer")
        await stage.press("escape")
        assert stage.is_home

    perform(scripts, play)


def test_what_cannot_start_now_is_queued(scripts: Box) -> None:
    runs.going(scripts, "busy")
    scripts.env["BACKPROP_SET_MAX_PARALLEL"] = "1"

    async def play(stage: Stage) -> None:
        await stage.until(lambda: stage.under_cursor == "busy")
        await opened(stage)
        form(stage).query_one("#script", Input).value = ""
        form(stage).query_one("#args", Input).value = ""
        await stage.type("train_a.py")
        await stage.until(lambda: "enter queue it" in form(stage).hints.text)
        assert stage.shows("not now: it waits in the queue")
        await stage.press("enter")
        await stage.hears(" is queued: ")
        await stage.until(lambda: [row.state for row in stage.app.state.rows] == ["running", "queued"])
        await stage.until(lambda: stage.app.main.active.current.state == "queued")  # type: ignore[union-attr]

    perform(scripts, play)
