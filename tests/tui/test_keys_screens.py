"""Keys that are about the program: help, problems, settings, commands, drawing again, leaving."""

from __future__ import annotations

import pytest
from textual.command import CommandPalette

from backprop_tui.tui.screens.compare import ComparePage
from backprop_tui.tui.screens.going_on import ResumeDialog
from backprop_tui.tui.screens.help import HelpDialog
from backprop_tui.tui.screens.log import LogPage
from backprop_tui.tui.screens.problems import ProblemsDialog
from backprop_tui.tui.screens.run import RunPage
from backprop_tui.tui.screens.settings import SettingsScreen
from backprop_tui.tui.widgets.canvas import Canvas
from tests.box import Box, script
from tests.tui import runs
from tests.tui.stage import Stage, perform

WAYS = {"main": (), "run": ("enter",), "log": ("l",), "compare": ("space", "space", "c")}


async def opened(stage: Stage, scope: str) -> None:
    await stage.listed(2)
    await stage.press("g", *WAYS[scope])
    if scope != "main":
        await stage.on({"run": RunPage, "log": LogPage, "compare": ComparePage}[scope])


@pytest.mark.parametrize("scope", WAYS)
def test_on_every_screen(box: Box, scope: str) -> None:
    runs.ended(box, "one", "two", steps=4)

    async def play(stage: Stage) -> None:
        await opened(stage, scope)
        here = stage.app.screen
        for key, screen, ways_back in (
            ("question_mark", HelpDialog, ("escape", "question_mark", "q", "f1", "n", "enter")),
            ("f1", HelpDialog, ("escape",)),
            ("comma", SettingsScreen, ("escape",)),
            ("colon", CommandPalette, ("escape",)),
            ("ctrl+p", CommandPalette, ("escape",)),
        ):
            for back in ways_back:
                await stage.press(key)
                await stage.on(screen)
                await stage.press(back)
                await stage.until(lambda: stage.app.screen is here)
                assert stage.app.is_running
                assert not stage.app._exit, (key, back)

    perform(box, play)


@pytest.mark.parametrize("scope", WAYS)
def test_draw_again(box: Box, monkeypatch: pytest.MonkeyPatch, scope: str) -> None:
    runs.ended(box, "one", "two", steps=4)
    drawn: list[str | None] = []
    render = Canvas.render_line

    def counted(self: Canvas, y: int) -> object:
        drawn.append(self.id)
        return render(self, y)

    async def play(stage: Stage) -> None:
        await opened(stage, scope)
        monkeypatch.setattr(Canvas, "render_line", counted)
        shown = {canvas.id for canvas in stage.app.screen.query(Canvas) if canvas.region.height}
        for key in ("ctrl+l", "f5"):
            drawn.clear()
            await stage.press(key)
            await stage.until(lambda: shown <= set(drawn))

    perform(box, play)


@pytest.mark.parametrize("scope", WAYS)
@pytest.mark.parametrize("key", ["ctrl+q", "q"])
def test_leaving(box: Box, scope: str, key: str) -> None:
    runs.ended(box, "one", "two", steps=4)

    async def play(stage: Stage) -> None:
        await opened(stage, scope)
        await stage.press(key)
        if key == "q" and scope != "main":
            assert stage.is_home
            assert not stage.app._exit
        else:
            assert stage.app._exit

    perform(box, play)


@pytest.mark.parametrize("scope", ["run", "log", "compare"])
def test_ctrl_c_twice_from_anywhere(box: Box, scope: str) -> None:
    runs.ended(box, "one", "two", steps=4)

    async def play(stage: Stage) -> None:
        await opened(stage, scope)
        await stage.press("ctrl+c")
        await stage.hears("ctrl+c does nothing to runs. Once more quits; K stops a run.")
        assert not stage.app._exit
        await stage.press("ctrl+c")
        assert stage.app._exit

    perform(box, play)


def test_problems_are_looked_at_and_seen(box: Box) -> None:
    for name in ("aa", "bb", "cc", "dd"):
        runs.failed(box, name)

    async def play(stage: Stage) -> None:
        main = stage.app.main
        await stage.until(lambda: stage.shows("! 4 need you"))
        await stage.press("exclamation_mark")
        await stage.on(ProblemsDialog)
        await stage.press("j", "k", "down")
        assert "▌✗ cc" in stage.text
        await stage.press("x")
        await stage.until(lambda: not stage.shows("✗ cc"))
        await stage.until(lambda: bool(runs.notes(box, "cc").get("seen")))
        await stage.press("up", "enter")
        await stage.on(RunPage)
        await stage.until(lambda: stage.shows("dd  ✗ failed"))
        await stage.press("escape")
        await stage.until(lambda: stage.shows("! 2 need you"))
        for back in ("q", "exclamation_mark", "escape"):
            await stage.press("exclamation_mark")
            await stage.on(ProblemsDialog)
            await stage.press(back)
            assert stage.app.screen is main
            assert not stage.app._exit
        await stage.press("exclamation_mark", "X")
        await stage.until(lambda: stage.shows("Nothing needs you."))
        for key in ("enter", "r", "x"):
            await stage.press(key)
        assert isinstance(stage.app.screen, ProblemsDialog)
        await stage.press("escape")
        await stage.until(lambda: stage.shows("all well"))

    perform(box, play)


def test_a_problem_is_resumed(box: Box) -> None:
    runs.ended(box, "fine", steps=2)
    box.run("run", "-q", "--run-id", "bad", "-n", "bad", "--", *_failing(), code=1)

    async def play(stage: Stage) -> None:
        await stage.until(lambda: stage.shows("! 1 needs you"))
        await stage.press("exclamation_mark", "r")
        await stage.on(ResumeDialog)
        assert stage.title == "Resume bad"
        await stage.press("escape")

    perform(box, play)


def _failing() -> tuple[str, ...]:
    return ("python", script("metrics.py"), "--steps", "20", "--interval", "0", "--exit", "3")


def test_the_help_scrolls_where_it_does_not_fit(box: Box) -> None:
    runs.ended(box, "one", steps=2)

    async def play(stage: Stage) -> None:
        await stage.listed(1)
        await stage.press("question_mark")
        await stage.on(HelpDialog)
        first = stage.text
        assert stage.shows("j more")
        for key in ("j", "down", *["pagedown"] * 4):
            await stage.press(key)
        assert stage.text != first
        await stage.until(lambda: stage.shows("ctrl+c twice quits."))
        for key in ("k", "up", *["pageup"] * 5):
            await stage.press(key)
        assert stage.text == first

    perform(box, play, size=(60, 18))


def test_settings_hold_letters_while_typing_and_verbs_never(box: Box) -> None:
    runs.going(box, "mine")

    async def play(stage: Stage) -> None:
        await stage.until(lambda: stage.under_cursor == "mine")
        await stage.press("comma")
        await stage.on(SettingsScreen)
        await stage.press("K", "p", "q", "n", "slash", "K", "p", "q")
        assert stage.app.screen.filter.value == "Kpq"  # type: ignore[attr-defined]
        await stage.press("escape", "escape")
        assert stage.is_home
        assert runs.state(box, "mine") == "running"

    perform(box, play)


def test_the_demo_is_for_an_empty_history(box: Box) -> None:
    runs.ended(box, "one", steps=2)

    async def play(stage: Stage) -> None:
        await stage.listed(1)
        await stage.press("d")
        await stage.hears("d: the demo is for an empty history")

    perform(box, play)
