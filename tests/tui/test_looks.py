"""Colours, signs and graphs, in every tier: what is meant is there without colour, and ASCII is all ASCII."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from rich.style import Style

from backprop_tui.tui.palette import EIGHT_BIT, NONE, STANDARD, TRUECOLOR
from tests.box import Box
from tests.tui.frozen_box import recorded, standing_still
from tests.tui.stage import Stage, perform

TIERS = {
    TRUECOLOR: {"TERM": "xterm-256color", "COLORTERM": "truecolor"},
    EIGHT_BIT: {"TERM": "xterm-256color", "COLORTERM": ""},
    STANDARD: {"TERM": "xterm", "COLORTERM": ""},
    NONE: {"TERM": "xterm-256color", "COLORTERM": "truecolor", "NO_COLOR": "1"},
}
ASCII = {"BACKPROP_SET_DASHBOARD_GLYPHS": "ascii"}
SCREENS = {
    "main": (),
    "run": ("enter",),
    "failed": ("2", "enter"),
    "log": ("l",),
    "compare": ("2", "space", "space", "c"),
    "launch": ("n",),
    "help": ("question_mark",),
    "settings": ("comma",),
    "problems": ("exclamation_mark",),
    "kill": ("K",),
    "time box": ("t",),
    "sort": ("s",),
    "edit": ("e",),
    "commands": ("colon",),
}


@pytest.fixture
def filled(box: Box) -> Iterator[Box]:
    """Runs in every state, on a clock that stands still."""
    with standing_still(box):
        records = recorded(box)
        yield box
        records.close()


async def everything(stage: Stage) -> None:
    main = stage.app.main
    await stage.until(lambda: len(main.active.rows) == 4 and main.history.total == 7 and stage.app.state.box)
    await stage.until(lambda: main.history.current is not None)
    await stage.until(lambda: stage.app.state.needs == 3)
    main.draw()
    await stage.pilot.pause()


def styles(stage: Stage) -> list[tuple[str, Style]]:
    """Each piece of text on the screen, and how it is drawn."""
    strips = stage.app.screen._compositor.render_strips(stage.app.size)
    return [(segment.text, segment.style or Style()) for strip in strips for segment in strip]


def style_of(stage: Stage, text: str) -> Style:
    """How the first piece is drawn that is this text, or holds it: neighbours that look the same are one piece."""
    pieces = styles(stage)
    exact = [style for found, style in pieces if found.strip() == text]
    return (exact or [style for found, style in pieces if text in found])[0]


@pytest.mark.parametrize("tier", TIERS)
def test_every_tier_says_the_same(filled: Box, tier: str) -> None:
    filled.env |= TIERS[tier]

    async def play(stage: Stage) -> None:
        await everything(stage)
        assert stage.app.look.tier == tier
        await stage.sees("! 3 need you", "● llama-lora-r16", "‖ vit-b16-aug", "paused   GPU 1 hit 84", "! gpt2-lr3e-3")
        for state in ("starting", "queued", "failed", "completed", "diverged", "timeboxed", "stopped", "lost"):
            assert state in stage.seen
        for word in ("failed", "diverged", "lost", "paused", "queued"):
            assert style_of(stage, word).bold, "weight carries what colour may not"

    perform(filled, play)


def test_without_colour_there_is_none(filled: Box) -> None:
    filled.env |= TIERS[NONE]

    async def play(stage: Stage) -> None:
        await everything(stage)
        for name, keys in SCREENS.items():
            await stage.press(*keys)
            if name != "main":
                await stage.until(lambda: stage.app.screen is not stage.app.main)
            for text, style in styles(stage):
                for colour in (style.color, style.bgcolor):
                    assert colour is None or colour.is_default, f"{text!r} is {style}"
            await stage.press("escape", "escape")
            await stage.until(lambda: stage.app.screen is stage.app.main)
            await stage.press("1")
        main = stage.app.main
        assert main.active.has_focus
        assert style_of(stage, "need").reverse
        focused = style_of(stage, "ACTIVE 4")
        assert focused.reverse
        assert focused.bold

    perform(filled, play)


def test_sixteen_colours_are_the_terminals_own(filled: Box) -> None:
    filled.env |= TIERS[STANDARD]

    async def play(stage: Stage) -> None:
        await everything(stage)
        for text, style in styles(stage):
            for colour in (style.color, style.bgcolor):
                assert colour is None or colour.is_default or (colour.number is not None and colour.number < 16), text

    perform(filled, play)


def test_256_colours_are_of_the_palette(filled: Box) -> None:
    filled.env |= TIERS[EIGHT_BIT]
    steps = (0, 95, 135, 175, 215, 255)
    exact = {(r, g, b) for r in steps for g in steps for b in steps} | {(8 + 10 * n,) * 3 for n in range(24)}

    async def play(stage: Stage) -> None:
        await everything(stage)
        for text, style in styles(stage):
            for colour in (style.color, style.bgcolor):
                if colour is not None and colour.triplet is not None:
                    assert tuple(colour.triplet) in exact, f"{text!r}: {colour.name} is rounded by the terminal"

    perform(filled, play)


def test_colours_have_their_meaning(filled: Box) -> None:
    async def play(stage: Stage) -> None:
        await everything(stage)
        colours = stage.app.palette
        for text, token in (("failed", "bad"), ("diverged", "bad"), ("paused", "hold"), ("●", "ok"), ("✓", "ok")):
            assert style_of(stage, text).color == colours.style(token).color, text
        assert style_of(stage, "! 3 need you").bgcolor == colours.style("bad").color

    perform(filled, play)


def test_the_pane_with_the_focus_is_seen_at_once(filled: Box) -> None:
    async def play(stage: Stage) -> None:
        await everything(stage)
        accent = stage.app.palette.style("focused")
        for key, here, there in (("2", "HISTORY 7", "ACTIVE 4"), ("1", "ACTIVE 4", "HISTORY 7")):
            await stage.press(key)
            assert style_of(stage, here).bgcolor == accent.bgcolor
            assert style_of(stage, there).bgcolor != accent.bgcolor

    perform(filled, play)


@pytest.mark.parametrize("how", [{"COLORFGBG": "0;15"}, {"BACKPROP_SET_DASHBOARD_THEME": "light"}])
def test_a_light_terminal_gets_dark_ink(filled: Box, how: dict[str, str]) -> None:
    filled.env |= how

    async def play(stage: Stage) -> None:
        await everything(stage)
        assert not stage.app.look.dark
        plain = style_of(stage, "mnist-smoke")
        assert plain.color is not None
        assert plain.bgcolor is not None
        ink, paper = plain.color.get_truecolor(), plain.bgcolor.get_truecolor()
        assert sum(ink) < 200 < 600 < sum(paper)

    perform(filled, play)


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60), (60, 18), (40, 12)])
@pytest.mark.parametrize("name", SCREENS)
def test_ascii_is_all_ascii(filled: Box, name: str, size: tuple[int, int]) -> None:
    filled.env |= ASCII

    async def play(stage: Stage) -> None:
        await everything(stage)
        assert "> @ llama-lo" in stage.seen
        await stage.press(*SCREENS[name])
        await stage.until(lambda: name == "main" or stage.app.screen is not stage.app.main)
        await stage.pilot.pause()
        odd = {sign for sign in stage.seen if not sign.isascii()}
        assert not odd, f"{sorted(odd)} in\n{stage.seen}"

    perform(filled, play, size=size)


@pytest.mark.parametrize("term", ["linux", "vt220"])
def test_a_terminal_without_such_signs_gets_ascii(filled: Box, term: str) -> None:
    filled.env |= {"TERM": term, "COLORTERM": ""}

    async def play(stage: Stage) -> None:
        await everything(stage)
        assert stage.app.look.glyphs.is_ascii
        assert stage.seen.isascii()

    perform(filled, play)


@pytest.mark.parametrize("how", [{"ACCESSIBLE": "1"}, {"BACKPROP_SET_DASHBOARD_ACCESSIBLE": "true"}])
def test_for_who_hears_the_screen(filled: Box, how: dict[str, str]) -> None:
    filled.env |= how

    async def play(stage: Stage) -> None:
        await everything(stage)
        assert stage.app.look.accessible
        assert stage.seen.isascii()
        await stage.press("1", "ctrl+c")
        await stage.until(lambda: "ctrl+c does nothing to runs." in stage.seen.splitlines()[1])
        assert not stage.app._notifications, "no toasts"
        await stage.press("j")
        row = next(n for n, line in enumerate(stage.seen.splitlines()) if "vit-b16-aug" in line)
        await stage.until(lambda: stage.app.cursor_position.y == row)
        await stage.press("k", "K")
        await stage.sees("1  Keep running (esc)", "2  Save and stop (y)", "3  Force now")
        await stage.press("1")
        await stage.until(lambda: stage.app.screen is stage.app.main)
        await stage.press("enter")
        await stage.sees("loss 2.100", "falling")
        assert "1 Overview" in stage.seen
        graphs = {"=====", "....", "****", "_.-"}
        assert not any(graph in stage.seen for graph in graphs), "words in place of graphs"

    perform(filled, play)
