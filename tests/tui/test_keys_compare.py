"""Keys of a comparison."""

from __future__ import annotations

from backprop_tui.tui.screens.compare import ComparePage
from backprop_tui.tui.screens.log import LogPage
from backprop_tui.tui.screens.questions import KillDialog
from tests.box import Box
from tests.tui import runs
from tests.tui.stage import Stage, perform


async def compared(stage: Stage, count: int) -> ComparePage:
    await stage.press("g", *["space"] * count, "c")
    await stage.on(ComparePage)
    assert isinstance(stage.app.screen, ComparePage)
    return stage.app.screen


def test_what_is_shown(box: Box) -> None:
    runs.ended(box, "one", "two", "three", steps=20)

    async def play(stage: Stage) -> None:
        await stage.listed(3)
        here = await compared(stage, 3)
        for key, at in (("j", 1), ("down", 2), ("down", 2), ("k", 1), ("up", 0), ("G", 2), ("g", 0), ("end", 2),
                        ("home", 0), ("pagedown", 2), ("pageup", 0)):  # fmt: skip
            await stage.press(key)
            assert here._view.cursor == at, key
        for key, what in (
            ("L", "is_log"), ("T", "by_time"), ("O", "shows_all"), ("a", "shows_same"), ("z", "is_zoomed"),
        ):  # fmt: skip
            for is_on in (True, False):
                await stage.press(key)
                assert getattr(here._view, what) is is_on
        assert stage.shows("parameters are the same. a shows all") or stage.shows("parameter is the same")
        await stage.press("j", "space")
        assert here._view.hidden == {1}
        await stage.press("space")
        assert here._view.hidden == set()
        await stage.press("x")
        assert [run.id for run in here.compared] == ["three", "one"]
        await stage.until(lambda: stage.shows("compare 2 runs"))
        await stage.press("x")
        await stage.hears("x: two runs are needed for a comparison.")
        await stage.press("E")
        await stage.hears("written: ")
        await stage.press("escape")
        assert stage.is_home

    perform(box, play)
    (written,) = box.work.glob("*.csv")
    assert written.read_text().count("\n") == 41


def test_the_next_metric(box: Box) -> None:
    (box.work / "two.py").write_text(
        """for n in range(1, 9): print(f'{{"step": {n}, "loss": {n}, "accuracy": {n}}}')"""
    )
    for name in ("one", "two"):
        box.run("run", "-q", "--run-id", name, "two.py")

    async def play(stage: Stage) -> None:
        await stage.listed(2)
        here = await compared(stage, 2)
        seen = [here._view.metric]
        for _ in range(2):
            await stage.press("m")
            seen.append(here._view.metric)
        assert sorted(seen[:2]) == ["accuracy", "loss"]
        assert seen[2] == seen[0]

    perform(box, play)


def test_verbs_act_on_the_run_under_its_own_cursor(box: Box) -> None:
    runs.going(box, "first", "second")

    async def play(stage: Stage) -> None:
        await stage.until(lambda: len(stage.app.state.rows) == 2)
        await stage.press("1")
        here = await compared(stage, 2)
        await stage.press("j")
        name, other = here.target.id, here.compared[0].id
        await stage.press("p")
        await stage.until(lambda: runs.state(box, name) == "paused")
        await stage.until(lambda: stage.app.record(name).run.state == "paused")  # type: ignore[union-attr]
        await stage.press("p")
        await stage.until(lambda: runs.state(box, name) == "running")
        await stage.press("plus")
        await stage.hears(f"{name}: +5 min")
        await stage.press("asterisk")
        await stage.hears(f"{name} has a star now.")
        await stage.press("asterisk")
        await stage.hears(f"{name} has no star now.")
        await stage.press("y", "n")
        await stage.hears(f"copied: {name}")
        await stage.press("l")
        await stage.on(LogPage)
        await stage.press("escape", "K")
        await stage.on(KillDialog)
        assert stage.title == f"Stop {name}?"
        await stage.press("y")
        await stage.until(lambda: runs.state(box, name) == "stopped")
        assert runs.state(box, other) == "running"
        assert runs.box_s(box, other) == 600

    perform(box, play)
