"""The main screens, cell by cell, as files in snapshots/.

They are written anew with BACKPROP_SNAPSHOTS=write; what has changed is then to be seen in the diff.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from backprop_tui.tui import messages
from backprop_tui.tui.screens.page import Page
from tests.box import Box
from tests.tui.frozen_box import recorded, standing_still
from tests.tui.stage import Stage, perform

SNAPSHOTS = Path(__file__).parent / "snapshots"
VARIABLE = "BACKPROP_SNAPSHOTS"
SIZES = [(80, 24), (120, 40), (200, 60)]


@pytest.fixture
def still(box: Box) -> Iterator[Box]:
    """A box where no time passes."""
    box.work = Path("/")  # what is shown of it is the same everywhere
    with standing_still(box):
        yield box


@pytest.fixture
def filled(still: Box) -> Iterator[Box]:
    """The same with runs."""
    records = recorded(still)
    yield still
    records.close()


async def everything(stage: Stage) -> None:
    """All that the feeds know is on the screen."""
    main = stage.app.main
    await stage.until(lambda: len(main.active.rows) == 4 and len(main.history.at_hand()) == 7 and stage.app.state.box)
    await stage.until(lambda: stage.app.state.needs == 3)
    if main.column.display or main.preview.display:
        await told(stage, "k3f9x2")


async def told(stage: Stage, run_id: str) -> None:
    """All of this run has been read."""
    await stage.until(
        lambda: any(m.detail.run_id == run_id and not m.detail.is_loading for m in stage.heard(messages.DetailSeen))
    )


async def settle(stage: Stage) -> None:
    """Draw everything once more: the ticks of a clock that stands still come only once."""
    await stage.pilot.pause()
    main, screen = stage.app.main, stage.app.screen
    main.column.box = stage.app.state.box
    main.draw()
    if isinstance(screen, Page):
        screen.draw()
    await stage.pilot.pause()


def check(name: str, stage: Stage) -> None:
    """Compare what is seen with the file of that name, or write it."""
    width, height = stage.app.size
    path = SNAPSHOTS / f"{name}-{width}x{height}.txt"
    seen = f"{stage.seen}\n"
    if os.environ.get(VARIABLE) == "write":
        SNAPSHOTS.mkdir(exist_ok=True)
        path.write_text(seen)
    assert path.exists(), f"{path} is missing; write it with {VARIABLE}=write"
    assert seen == path.read_text(), f"{path.name} has changed; if that was meant, {VARIABLE}=write"


Way = Callable[[Stage], Awaitable[None]]


async def main_screen(stage: Stage) -> None:
    """What one sees first."""


async def run_page(stage: Stage) -> None:
    await stage.press("enter")
    await stage.sees("left of 10:00", "1 Overview")


async def failed_page(stage: Stage) -> None:
    await stage.press("2", "enter")
    await stage.sees("WHAT HAPPENED", "ran out of memory")


async def log_page(stage: Stage) -> None:
    await stage.press("l")
    await stage.sees("step 1200 ")


async def compared(stage: Stage) -> None:
    await stage.press("2", "j", "space", "j", "space", "space", "c")
    await stage.sees("compare 3 runs", "WHAT DIFFERS")


async def launch_form(stage: Stage) -> None:
    await stage.press("n")
    await stage.sees("Launch a run", "RECENT")


async def help_dialog(stage: Stage) -> None:
    await stage.press("question_mark")
    await stage.until(lambda: stage.app.screen is not stage.app.main)


async def settings_screen(stage: Stage) -> None:
    await stage.press("comma")
    await stage.sees("maxParallel")


async def problems_dialog(stage: Stage) -> None:
    await stage.press("exclamation_mark")
    await stage.sees("Problems", "The Governor is taking care")


async def kill_dialog(stage: Stage) -> None:
    await stage.press("K")
    await stage.sees("Stop llama-lora-r16?", "Keep running")


async def rules(stage: Stage) -> None:
    await stage.press("j", "j", "j", "w")
    await stage.sees("RULES NOW 6", "EVENTS")


SCREENS: dict[str, Way] = {
    "main": main_screen,
    "run": run_page,
    "failed": failed_page,
    "log": log_page,
    "compare": compared,
    "launch": launch_form,
    "help": help_dialog,
    "settings": settings_screen,
    "problems": problems_dialog,
    "kill": kill_dialog,
    "why": rules,
}


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("name", SCREENS)
def test_a_screen_is_as_it_was(filled: Box, name: str, size: tuple[int, int]) -> None:
    async def play(stage: Stage) -> None:
        await everything(stage)
        await SCREENS[name](stage)
        await settle(stage)
        check(name, stage)

    perform(filled, play, size=size)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_the_first_run_is_as_it_was(still: Box, size: tuple[int, int]) -> None:
    async def play(stage: Stage) -> None:
        await stage.sees("START HERE", "trainbox-3")
        await settle(stage)
        check("first", stage)

    perform(still, play, size=size)
