"""Keys and mouse of the main screen's lists: moving, panes, marks, filter, sort, archive, undo."""

from __future__ import annotations

import pytest
from textual.widget import Widget

from backprop_tui.tui.draw.gauges import MODES
from backprop_tui.tui.screens.questions import SortDialog
from backprop_tui.tui.screens.run import RunPage
from tests.box import Box
from tests.tui import runs
from tests.tui.stage import Stage, perform

NAMES = tuple(f"run-{n:02}" for n in range(6))
WIDE = (120, 40)


def shown(widget: Widget) -> bool:
    return bool(widget.display)


def test_moving(box: Box) -> None:
    runs.ended(box, *NAMES, steps=2)

    async def play(stage: Stage) -> None:
        await stage.listed(6)
        newest, *_, oldest = reversed(NAMES)
        moves = (
            ("j", NAMES[4]), ("down", NAMES[3]), ("k", NAMES[4]), ("up", newest), ("up", newest), ("G", oldest),
            ("j", oldest), ("g", newest), ("end", oldest), ("home", newest), ("pagedown", oldest), ("pageup", newest),
            ("ctrl+d", oldest), ("ctrl+u", newest),
        )  # fmt: skip
        for key, name in moves:
            await stage.press(key)
            assert stage.under_cursor == name, key

    perform(box, play)


def test_the_mouse(box: Box) -> None:
    runs.ended(box, *NAMES, steps=2)

    async def play(stage: Stage) -> None:
        await stage.listed(6)
        await stage.pilot.click("#history", offset=(6, 3))
        assert stage.under_cursor == "run-03"
        stage.app.main.history.on_mouse_scroll_down()
        assert stage.under_cursor == "run-00"
        stage.app.main.history.on_mouse_scroll_up()
        assert stage.under_cursor == "run-03"
        await stage.pilot.click("#active")
        assert stage.app.main.pane is stage.app.main.active
        await stage.pilot.click("#history", offset=(6, 2), times=2)
        await stage.on(RunPage)
        await stage.until(lambda: stage.shows("run-04"))
        await stage.press("escape")
        start = stage.app.main.footer.text.index("/ filter")
        await stage.pilot.click("#footer", offset=(start, 0))
        await stage.until(lambda: stage.app.main.filter.has_focus)
        await stage.until(lambda: "esc clear" in stage.app.main.footer.text)
        await stage.type("x")
        await stage.pilot.click("#footer", offset=(stage.app.main.footer.text.index("esc clear"), 0))
        await stage.until(lambda: not stage.app.main.filter.has_focus)
        assert stage.app.main.filter.value == ""

    perform(box, play)


def test_panes(box: Box) -> None:
    runs.going(box, "mine")
    runs.ended(box, "other", steps=2)

    async def play(stage: Stage) -> None:
        main = stage.app.main
        await stage.until(lambda: stage.under_cursor == "mine")
        await stage.listed(1)
        panes = {"active": main.active, "history": main.history, "preview": main.preview}
        for key, name in (
            ("tab", "history"), ("tab", "preview"), ("tab", "active"), ("shift+tab", "preview"),
            ("shift+tab", "history"), ("1", "active"), ("2", "history"), ("3", "preview"),
        ):  # fmt: skip
            await stage.press(key)
            assert panes[name].has_focus, (key, name)
        for key, name in (("1", "active"), ("2", "history"), ("3", "preview")):
            await stage.press(key, "z")
            assert [n for n, pane in panes.items() if pane.display] == [name]
            await stage.press("z")
            assert all(pane.display for pane in panes.values())
            assert panes[name].has_focus
        await stage.press("1", "z", "2")
        assert [n for n, pane in panes.items() if pane.display] == ["history"]
        await stage.press("tab")
        assert [n for n, pane in panes.items() if pane.display] == ["preview"]
        await stage.press("tab")
        assert [n for n, pane in panes.items() if pane.display] == ["active"]
        await stage.press("escape")
        assert all(pane.display for pane in panes.values())

    perform(box, play, size=WIDE)


@pytest.mark.parametrize(("size", "words"), [((80, 24), "needs 110 columns"), ((200, 60), "beside the lists")])
def test_a_pane_that_is_not_there_is_said(box: Box, size: tuple[int, int], words: str) -> None:
    runs.ended(box, "other", steps=2)

    async def play(stage: Stage) -> None:
        await stage.listed(1)
        await stage.press("3")
        await stage.hears(words)

    perform(box, play, size=size)


def test_before_the_first_run_keys_say_so(box: Box) -> None:
    async def play(stage: Stage) -> None:
        await stage.until(lambda: stage.shows("START HERE"))
        for key in ("1", "2", "3", "tab"):
            await stage.press(key)
            await stage.hears("no run yet")
        for key in ("enter", "r", "R", "K", "p", "plus", "minus", "t", "l", "asterisk", "e", "y", "D", "E"):
            await stage.press(key)
            await stage.hears("no run is under the cursor")
        await stage.press("c")
        await stage.hears("c: mark runs")
        await stage.press("u")
        await stage.hears("u: nothing to undo")
        await stage.press("slash")
        await stage.hears("no run yet")
        assert stage.is_home
        await stage.press("A")
        await stage.until(lambda: stage.shows("Nothing is archived."))
        await stage.press("A")
        await stage.until(lambda: stage.shows("START HERE"))

    perform(box, play)


def test_an_age_in_seconds_grows(box: Box) -> None:
    runs.ended(box, "mine", steps=2)

    async def play(stage: Stage) -> None:
        await stage.listed(1)
        seen: set[str] = set()

        def is_growing() -> bool:
            seen.add(stage.app.main.history.text.split()[-1])
            return len(seen) >= 3

        await stage.until(is_growing)
        assert all(age.endswith("s") for age in seen)

    perform(box, play)


def test_gauges_in_every_form(box: Box) -> None:
    runs.ended(box, "other", steps=2)

    async def play(stage: Stage) -> None:
        await stage.listed(1)
        await stage.until(lambda: stage.shows("HOST"))
        seen = []
        for _ in MODES:
            await stage.press("v")
            seen.append((stage.app.main.gauge_mode, stage.shows("HOST")))
        assert [mode for mode, _ in seen] == [*MODES[1:], MODES[0]]
        assert {mode for mode, is_shown in seen if not is_shown} == {"hidden"}

    perform(box, play)


def test_the_filter_s_keys(box: Box) -> None:
    runs.ended(box, "beta", "alpha-1", "alpha-2", steps=2)

    async def play(stage: Stage) -> None:
        main = stage.app.main
        await stage.listed(3)
        await stage.press("slash", "tab")
        assert main.filter.value == "status:"
        await stage.press("tab", "tab")
        assert main.filter.value == "script:"
        for _ in main.filter.value:
            await stage.press("backspace")
        await stage.type("alpha")
        await stage.until(lambda: stage.shows("HISTORY 2 of 3"))
        await stage.until(lambda: stage.under_cursor == "alpha-2")
        await stage.press("down")
        assert (stage.under_cursor, main.filter.has_focus) == ("alpha-1", True)
        await stage.press("up")
        assert (stage.under_cursor, main.filter.value) == ("alpha-2", "alpha")
        await stage.press("enter")
        assert not main.filter.has_focus
        assert stage.shows("HISTORY 2 of 3")
        await stage.press("j")
        assert stage.under_cursor == "alpha-1"
        await stage.press("slash")
        assert main.filter.value == "alpha"
        await stage.press("escape")
        await stage.until(lambda: stage.shows("HISTORY 3"))

    perform(box, play)


def test_escape_goes_back_one_step_at_a_time_and_never_out(box: Box) -> None:
    runs.ended(box, "one", "two", steps=2)

    async def play(stage: Stage) -> None:
        main = stage.app.main
        await stage.listed(2)
        await stage.press("A")
        await stage.until(lambda: main.history.view.archived)
        await stage.press("escape")
        await stage.listed(2)
        await stage.press("z", "space", "slash", "o", "enter")
        await stage.until(lambda: len(main.history.keys) == 2)
        await stage.press("escape")
        await stage.until(lambda: main.history.view.text == "")
        assert main.marks
        await stage.press("left")
        assert not main.marks
        assert shown(main.active) is False
        await stage.press("escape")
        assert shown(main.active) is True
        await stage.press("escape", "escape")
        assert stage.app.screen is main
        await stage.press("u")
        await stage.until(lambda: list(main.marks) == ["two"])

    perform(box, play)


def test_sort_by_each_letter_and_turned_round(box: Box) -> None:
    runs.ended(box, "bb", steps=30)
    runs.ended(box, "cc", steps=10)
    runs.failed(box, "aa")

    async def play(stage: Stage) -> None:
        history = stage.app.main.history
        await stage.listed(3)

        def names() -> list[str]:
            return [row.id for row in history.at_hand()]

        async def sort(letter: str, *expected: str) -> None:
            await stage.press("s")
            await stage.on(SortDialog)
            await stage.press(letter)
            await stage.until(lambda: names() == list(expected))

        await sort("n", "aa", "bb", "cc")
        await sort("n", "cc", "bb", "aa")
        await sort("n", "aa", "bb", "cc")
        await sort("a", "aa", "cc", "bb")
        await sort("a", "bb", "cc", "aa")
        await sort("p", "bb", "cc", "aa")
        await sort("k", "bb", "cc", "aa")
        await sort("l", "bb", "cc", "aa")
        for letter, name in (("s", "status"), ("t", "took")):
            await stage.press("s", letter)
            await stage.until_it(_is_sorted, stage, name)
        await stage.press("s", "escape")
        assert history.view.sort == "took"
        assert not history.view.reverse
        await stage.press("s", "enter")
        await stage.until(lambda: stage.is_home)
        assert (history.view.sort, history.view.reverse) == ("took", False)

    perform(box, play)


def _is_sorted(stage: Stage, name: str) -> bool:
    return stage.app.main.history.view.sort == name
