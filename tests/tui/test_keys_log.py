"""Keys of the log page."""

from __future__ import annotations

from backprop_tui.tui.screens.fields import FieldsDialog
from backprop_tui.tui.screens.going_on import ResumeDialog
from backprop_tui.tui.screens.launch import LaunchForm
from backprop_tui.tui.screens.log import LogPage
from backprop_tui.tui.screens.questions import ExtendDialog, KillDialog
from tests.box import Box
from tests.tui import runs
from tests.tui.stage import Stage, perform


async def opened(stage: Stage, name: str) -> LogPage:
    await stage.until(lambda: stage.under_cursor == name)
    await stage.press("l")
    await stage.on(LogPage)
    assert isinstance(stage.app.screen, LogPage)
    return stage.app.screen


def follows(page: LogPage) -> bool:
    return page._follows


def test_moving_and_following(box: Box) -> None:
    runs.failed(box, "bad", lines=300)

    async def play(stage: Stage) -> None:
        here = await opened(stage, "bad")
        await stage.until(lambda: stage.shows("ValueError"))
        for key in ("g", "home"):
            await stage.press("G", key)
            await stage.until(lambda: stage.shows("    1 line 0"))
        tops = []
        for key in ("j", "down", "k", "up", "pagedown", "ctrl+d", "pageup", "ctrl+u"):
            await stage.press(key)
            tops.append(here._top)
        assert tops == [1, 2, 1, 0, 10, 20, 10, 0]
        for key in ("G", "end", "f"):
            await stage.press("g")
            assert follows(here) is False
            await stage.press(key)
            assert follows(here) is True
            await stage.until(lambda: stage.shows("ValueError: no such thing"))

    perform(box, play)


def test_search(box: Box) -> None:
    runs.failed(box, "bad", lines=300)

    async def play(stage: Stage) -> None:
        here = await opened(stage, "bad")
        await stage.until(lambda: stage.shows("ValueError"))
        await stage.press("n")
        await stage.hears("n: search for something with / first.")
        await stage.press("slash")
        assert here.footer.text.strip() == "enter search upwards  esc leave the field"
        await stage.press("K", "q", "n")
        assert here.field.value == "Kqn"
        await stage.press("enter")
        await stage.until(lambda: stage.shows("no match"))
        await stage.press("N")
        await stage.hears("no line has Kqn")
        await stage.press("slash", *["backspace"] * 3)
        await stage.type("line 29")
        await stage.press("enter")
        await stage.until(lambda: stage.shows("line 300"))
        await stage.until(lambda: len(here.body.text.splitlines()) == here._room)  # as far up as it takes to be full
        for key, number in (("n", 299), ("n", 298), ("N", 299)):
            await stage.press(key)
            await stage.until_it(lambda n: stage.shows(f"line {n}") and here._hit == n - 1, number)
        await stage.press("escape")
        assert here._words == ""
        await stage.press("slash", "x", "escape")
        assert not here.field.has_focus
        assert stage.app.screen is here
        await stage.press("escape")
        assert stage.is_home

    perform(box, play)


def test_wrap_and_errors_only(box: Box) -> None:
    (box.work / "long.py").write_text("print('x' * 200 + 'END')\nprint('Warning: hot')\nfor n in range(50): print(n)\n")
    box.run("run", "-q", "--run-id", "long", "-n", "long", "long.py")

    async def play(stage: Stage) -> None:
        here = await opened(stage, "long")
        await stage.press("g")
        await stage.until(lambda: stage.shows("xxx"))
        assert not stage.shows("END")
        await stage.press("w")
        await stage.until(lambda: stage.shows("END"))
        await stage.press("w")
        await stage.until(lambda: not stage.shows("END"))
        await stage.press("exclamation_mark")
        await stage.until(lambda: stage.shows("errors and warnings only") and stage.shows("Warning: hot"))
        assert not stage.shows("   40")
        await stage.press("exclamation_mark")
        await stage.until(lambda: stage.shows(" 49"))
        await stage.press("exclamation_mark", "escape")
        assert stage.app.screen is here
        await stage.press("q")
        assert stage.is_home

    perform(box, play)


def test_verbs_act_on_the_log_s_run(box: Box) -> None:
    runs.going(box, "first", "second")

    async def play(stage: Stage) -> None:
        await stage.until(lambda: len(stage.app.state.rows) == 2)
        await stage.press("1", "g")
        name = stage.under_cursor
        (other,) = {"first", "second"} - {name}
        here = await opened(stage, name)
        stage.app.main.active.cursor = other
        await stage.press("p")
        await stage.until(lambda: here.title_line.text.count("paused"))
        await stage.press("p")
        await stage.until(lambda: here.title_line.text.count("running"))
        await stage.press("plus")
        await stage.until(lambda: runs.box_s(box, name) == 900)
        await stage.press("minus")
        await stage.until(lambda: runs.box_s(box, name) == 600)
        await stage.press("t")
        await stage.on(ExtendDialog)
        await stage.press("escape")
        for words in ("has a star now.", "has no star now."):
            await stage.press("asterisk")
            await stage.hears(f"{name} {words}")
        await stage.press("y", "i")
        await stage.hears(f"copied: {name}")
        await stage.press("e")
        await stage.on(FieldsDialog)
        assert stage.title == f"Edit {name}"
        await stage.press("escape", "R")
        await stage.on(LaunchForm)
        await stage.press("escape", "K")
        await stage.on(KillDialog)
        assert stage.title == f"Stop {name}?"
        await stage.press("y")
        await stage.until(lambda: runs.state(box, name) == "stopped")
        await stage.until(lambda: stage.app.record(name) is None)
        await stage.press("K")
        await stage.hears(f"K: {name} has ended. r resumes it.")
        await stage.press("r")
        await stage.on(ResumeDialog)
        await stage.press("escape")
        assert runs.state(box, other) == "running"

    perform(box, play)
