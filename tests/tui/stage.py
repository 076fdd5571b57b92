"""The real application on a home of its own, driven as a person does."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from textual.message import Message
from textual.pilot import Pilot
from textual.screen import Screen

from backprop_tui.store.home import Home
from backprop_tui.tui import messages
from backprop_tui.tui.app import Dashboard
from backprop_tui.tui.widgets.canvas import Canvas
from tests.box import Box

LIMIT_S = 30.0
Kind = type[Message]
Play = Callable[["Stage"], Awaitable[None]]


class Stage:
    """A running dashboard."""

    def __init__(self, app: Dashboard, pilot: Pilot[Any], posted: list[Message]) -> None:
        self.app, self.pilot = app, pilot
        self.said: list[str] = []
        """What toasts have said, oldest first."""
        notify = app.notify

        def heard(message: str, **more: Any) -> None:
            self.said.append(message)
            notify(message, **more)

        app.notify = heard  # type: ignore[method-assign]  # listened to
        self.posted = posted
        """What the feeds have posted, oldest first."""

    async def press(self, *keys: str) -> None:
        """Press keys, one after the other, and let them take effect."""
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def type(self, text: str) -> None:
        """Type letters."""
        await self.press(*("space" if sign == " " else "minus" if sign == "-" else sign for sign in text))

    async def resize(self, width: int, height: int) -> None:
        """Give the terminal another size."""
        await self.pilot.resize_terminal(width, height)
        await self.pilot.pause()

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait until something holds."""
        end = time.monotonic() + LIMIT_S
        while not condition():
            assert time.monotonic() < end, f"the condition never came true; shown:\n{self.seen}"
            await self.pilot.pause(0.02)

    async def until_it(self, condition: Callable[..., object], *values: object) -> None:
        """Wait until something holds of these values: what a loop needs, whose values move on."""
        await self.until(lambda: condition(*values))

    async def hears(self, text: str) -> None:
        """Wait for a toast with this text, and forget all so far."""
        await self.until(lambda: any(text in said for said in self.said))
        self.said.clear()

    async def on(self, screen: Callable[..., Screen[Any]]) -> None:
        """Wait until this kind of screen is on top, and has been drawn."""
        assert isinstance(screen, type)
        await self.until(lambda: isinstance(self.app.screen, screen) and self.app.screen.is_mounted)
        await self.pilot.pause()

    async def listed(self, count: int) -> None:
        """Wait until so many runs are in the history and the one under the cursor has been read."""
        history = self.app.main.history
        await self.until(lambda: len(history.keys) == count and all(history.row(key) for key in history.keys))

    @property
    def under_cursor(self) -> str:
        """The run that keys act on."""
        target = self.app.main.target
        return target.id if target is not None else ""

    @property
    def is_home(self) -> bool:
        """Whether the main screen is on top."""
        return self.app.screen is self.app.main

    @property
    def title(self) -> str:
        """What the dialog on top is about."""
        return str(getattr(self.app.screen, "_title", ""))

    async def sees(self, *texts: str) -> None:
        """Wait until all of these stand on the screen."""
        await self.until(lambda: all(text in self.seen for text in texts))

    @property
    def text(self) -> str:
        """What the screen shows, from top to bottom."""
        canvases = sorted(self.app.screen.query(Canvas), key=lambda canvas: canvas.region.y)
        return "\n".join(canvas.text for canvas in canvases if canvas.display)

    @property
    def seen(self) -> str:
        """Every cell as it is on the terminal, dialogs over what lies behind them."""
        strips = self.app.screen._compositor.render_strips(self.app.size)
        return "\n".join(strip.text.rstrip() for strip in strips)

    def row(self, text: str) -> str:
        """The first line of the screen with this in it, "" for none."""
        return next((line for line in self.seen.splitlines() if text in line), "")

    def shows(self, text: str) -> bool:
        return text in self.text

    def heard(self, kind: Kind) -> list[Any]:
        """What was posted of a kind."""
        return [message for message in self.posted if message.__class__ is kind]


def perform(box: Box, play: Play, *, size: tuple[int, int] = (80, 24)) -> None:
    """Open the dashboard of the box's home and let it be played with."""
    posted: list[Message] = []

    def hear(message: Message) -> None:
        if message.__class__.__module__ == messages.__name__:
            posted.append(message)

    async def show() -> None:
        app = Dashboard(Home(str(box.home)))
        async with app.run_test(size=size, notifications=True, message_hook=hear) as pilot:
            await play(Stage(app, pilot, posted))

    with pytest.MonkeyPatch.context() as patch:
        for name, value in box.env.items():
            patch.setenv(name, value)
        patch.chdir(box.work)
        Home(str(box.home)).ensure()
        asyncio.run(show())
