"""Keys that come all at once, as over a slow line, do what they would one by one."""

from __future__ import annotations

from textual import events

from backprop_tui.tui.screens.launch import LaunchForm
from tests.box import Box
from tests.tui import runs
from tests.tui.stage import Stage, perform


def at_once(stage: Stage, *keys: str) -> None:
    """Keys of which none waits for the one before."""
    for key in keys:
        character = {"minus": "-", "slash": "/", "enter": "\r", "tab": "\t"}.get(key, key if len(key) == 1 else None)
        stage.app.post_message(events.Key(key, character))


def field(stage: Stage, name: str) -> str | None:
    """What stands in a field; None while it is not there yet."""
    found = list(stage.app.screen.query(f"#{name}"))
    return str(found[0].value) if found else None  # type: ignore[attr-defined]


def test_a_form_is_filled_in_one_burst(box: Box) -> None:
    async def play(stage: Stage) -> None:
        await stage.until(lambda: stage.shows("START HERE"))
        at_once(
            stage,
            "n",
            *"abc",
            "ctrl+u",
            *"xy",
            "tab",
            *"one",
            "tab",
            "tab",
            *"me",
            "backspace",
            "tab",
            *"79",
            "backspace",
        )
        await stage.until(lambda: isinstance(stage.app.screen, LaunchForm) and field(stage, "maxRunMinutes") == "7")
        assert [field(stage, name) for name in ("script", "args", "cwd", "name")] == ["xy", "one", "", "m"]

    perform(box, play)


def test_a_filter_takes_what_is_typed_right_behind_its_key(box: Box) -> None:
    runs.ended(box, "one", steps=2)
    runs.ended(box, "two", steps=2)

    async def play(stage: Stage) -> None:
        await stage.listed(2)
        at_once(stage, "slash", *"two", "enter", "space")
        await stage.until(lambda: stage.shows("HISTORY 1 of 2"))
        await stage.until(lambda: len(stage.app.main.marks) == 1)
        assert stage.app.main.filter.value == "two"

    perform(box, play)


def test_a_question_is_asked_and_left_again_without_an_answer(box: Box) -> None:
    runs.going(box, "mine")

    async def play(stage: Stage) -> None:
        await stage.until(lambda: stage.shows("● mine"))
        at_once(stage, "K", "escape", "K", "escape", "question_mark", "escape", "slash", *"Ky", "escape", "2")
        await stage.until(lambda: stage.is_home and not stage.app._keys and stage.app._key_target is None)
        assert runs.state(box, "mine") == "running"
        assert stage.app.main.filter.value == ""

    perform(box, play)
