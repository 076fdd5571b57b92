"""The table of actions: everything made from it holds everything in it, and a changed key works everywhere."""

from __future__ import annotations

import inspect
from collections import Counter
from pathlib import Path

import pytest
from textual.actions import parse
from textual.style import Style

from backprop_tui.paths import user_config_file
from backprop_tui.tui import actions
from backprop_tui.tui.app import Dashboard
from backprop_tui.tui.screens import commands
from backprop_tui.tui.screens.compare import ComparePage
from backprop_tui.tui.screens.help import UNSAID, _groups
from backprop_tui.tui.screens.log import LogPage
from backprop_tui.tui.screens.main import MainScreen
from backprop_tui.tui.screens.page import Page
from backprop_tui.tui.screens.questions import KillDialog
from backprop_tui.tui.screens.run import RunPage
from tests.box import Box
from tests.tui import runs
from tests.tui.stage import Stage, perform

SCREENS: dict[str, type[Page]] = {"main": MainScreen, "run": RunPage, "log": LogPage, "compare": ComparePage}
FOOTER_SCOPES = {
    **dict.fromkeys(("active", "queued", "history", "marks", "archived", "first"), "main"),
    **dict.fromkeys(("run", "waiting", "ended", "curves", "checkpoints"), "run"),
    "log": "log",
    "compare": "compare",
}
NOT_IN_PALETTE = {"screen.commands", "screen.leave", "screen.back"}
SCOPED = [(scope, action) for scope in SCREENS for action in actions.within(scope)]
QUITTING = {"app.quit", "app.quit_anywhere", "app.suspend", "run.kill"}


def test_every_scope_has_its_screen() -> None:
    assert {scope for action in actions.ACTIONS for scope in action.scopes} == set(SCREENS)
    assert all(scope == screen.SCOPE for scope, screen in SCREENS.items())


def test_ids_are_unique() -> None:
    assert [id_ for id_, count in Counter(action.id for action in actions.ACTIONS).items() if count > 1] == []


@pytest.mark.parametrize("scope", SCREENS)
def test_no_key_does_two_things_on_one_screen(scope: str) -> None:
    keys = Counter(key for action in actions.within(scope) for key in action.keys.split(","))
    assert [key for key, count in keys.items() if count > 1] == []


@pytest.mark.parametrize(("scope", "action"), SCOPED, ids=lambda value: getattr(value, "id", value))
def test_there_is_a_method_behind_every_action(scope: str, action: actions.Action) -> None:
    where, name, arguments = parse(action.action)
    owner = Dashboard if where == "app" else SCREENS[scope]
    inspect.signature(getattr(owner, f"action_{name}")).bind(None, *arguments)


def test_footers_name_what_works_on_their_screen() -> None:
    assert set(FOOTER_SCOPES) == set(actions.FOOTERS)
    for name, ids in actions.FOOTERS.items():
        assert len(set(ids)) == len(ids)
        for id_ in ids:
            assert FOOTER_SCOPES[name] in actions.BY_ID[id_].scopes, (name, id_)
    for scope, screen in SCREENS.items():
        assert all(scope in actions.BY_ID[id_].scopes for id_ in screen.LAST)


@pytest.mark.parametrize(("scope", "action"), SCOPED, ids=lambda value: getattr(value, "id", value))
def test_the_help_has_every_key(scope: str, action: actions.Action) -> None:
    listed = {key for group in _groups(scope, {}) for row in group[1:] for key in row[0][1].split()}
    shown = actions.shown_key(actions.key_of(action, {}))
    assert (shown in listed) or action.id in UNSAID


def test_all_that_the_help_leaves_out_is_said_beside() -> None:
    """A second way to the same, or one of a row of digits, or what the footer always says."""
    assert set(UNSAID) == {
        "screen.help", "screen.leave", "app.demo", "pane.previous", "pane.preview", "app.quit_anywhere",
        "tab.2", "tab.3", "tab.4", "tab.5",
    }  # fmt: skip


async def _to(stage: Stage, scope: str) -> None:
    await stage.listed(2)
    if scope == "compare":
        await stage.press("space", "space", "c")
    elif scope != "main":
        await stage.press({"run": "enter", "log": "l"}[scope])
    await stage.on(SCREENS[scope])


@pytest.mark.parametrize("scope", SCREENS)
def test_every_command_of_the_palette_runs(box: Box, scope: str) -> None:
    runs.ended(box, "one", "two")

    async def play(stage: Stage) -> None:
        await _to(stage, scope)
        screen = stage.app.screen
        found = {words: run for words, _key, run in commands.Commands(screen, Style())._all()}
        expected = {a.id: a.help[:1].upper() + a.help[1:] for a in actions.within(scope) if a.id not in NOT_IN_PALETTE}
        assert set(found) == set(expected.values())
        for id_, words in expected.items():
            if id_ in QUITTING:
                continue
            await found[words]()
            await stage.until(lambda: not any(worker.is_running for worker in stage.app.workers))
            await stage.pilot.pause()
            while stage.app.screen is not screen:
                assert screen in stage.app.screen_stack, id_
                stage.app.pop_screen()
                await stage.pilot.pause()
        assert stage.app.is_running

    perform(box, play)


def test_the_palette_is_searched_and_does_it(box: Box) -> None:
    runs.going(box, "mine")

    async def play(stage: Stage) -> None:
        await stage.until(lambda: stage.under_cursor == "mine")
        for key in ("colon", "ctrl+p"):
            before = runs.state(box, "mine")
            await stage.press(key)
            await stage.type("pause, con")
            await stage.until(lambda: _hits(stage) == 1)
            await stage.press("enter")
            if stage.app.screen is not stage.app.main:
                await stage.press("enter")
            await stage.until_it(_is_other, box, before)
        assert runs.state(box, "mine") == "running"

    perform(box, play)


def _is_other(box: Box, before: str) -> bool:
    return runs.state(box, "mine") != before


def _hits(stage: Stage) -> int:
    from textual.command import CommandList

    found = stage.app.screen.query(CommandList)
    return found.first().option_count if found else 0


def test_a_changed_key_is_shown_and_works_and_the_old_one_does_not(box: Box) -> None:
    runs.going(box, "mine")
    box.env["XDG_CONFIG_HOME"] = str(box.work)  # nowhere near the person's own
    path = Path(user_config_file(box.env))
    path.parent.mkdir(parents=True)
    path.write_text('[keys]\n"run.kill" = "X,ctrl+k"\n"run.pause" = "K"\n')

    async def play(stage: Stage) -> None:
        await stage.until(lambda: stage.under_cursor == "mine")
        await stage.until(lambda: stage.shows("X kill  K pause"))
        await stage.press("p")
        await stage.press("K")
        await stage.until(lambda: runs.state(box, "mine") == "paused")
        await stage.press("ctrl+k")
        await stage.on(KillDialog)
        await stage.press("escape", "X")
        await stage.on(KillDialog)
        await stage.press("escape", "question_mark")
        await stage.until(lambda: stage.shows("X        kill: save and stop"))
        assert stage.shows("K h      pause; hold in the queue")
        await stage.press("escape", "enter")
        await stage.on(RunPage)
        await stage.until(lambda: stage.shows("X kill  K pause"))
        words = {words: key for words, key, _run in commands.Commands(stage.app.screen, Style())._all()}
        assert words["Kill: save and stop"] == "X"

    perform(box, play)
