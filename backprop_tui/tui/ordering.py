"""Keys take effect in the order in which they were pressed, however many arrive at once."""

from __future__ import annotations

from collections import deque

from textual import events, on
from textual.app import App
from textual.message import Message

TYPE_CHECKING = False
if TYPE_CHECKING:
    from textual.screen import Screen
    from textual.timer import Timer
    from textual.widget import Widget

LOOK_EVERY_S = 0.02
PATIENCE_S = 0.5
"""After so long the next key is let through, whatever became of the last one."""


class OrderedKeys(App[None]):
    """Hands out one key at a time.

    Textual gives a letter to the field with the focus at once, but a key that is bound only after it has gone up
    through all that stands above the field; of ctrl+u and 7, sent together by a slow line, the 7 would come first.
    And what a screen is opened for would be lost before its field has the focus.
    """

    class Passed(Message):
        """The key before it has gone the whole way."""

        def __init__(self, screen: Screen[object]) -> None:
            super().__init__()
            self.screen = screen

    def __init__(self, *, ansi_color: bool | None = None) -> None:
        super().__init__(ansi_color=ansi_color)
        self._keys: deque[events.Key | events.Paste] = deque()
        self._key_target: Widget | None = None
        """Whom the key in hand went to."""
        self._key_timer: Timer | None = None
        self._key_looks = 0

    async def on_event(self, event: events.Event) -> None:
        if not isinstance(event, (events.Key, events.Paste)) or event.is_forwarded:
            await super().on_event(event)
        elif self._key_target is not None:
            self._keys.append(event)
        else:
            await self._hand_out(event)

    async def _hand_out(self, event: events.Key | events.Paste) -> None:
        target = self._key_target = self.focused or self.screen
        self._key_looks = 0
        await super().on_event(event)
        self._key_timer = self.set_timer(LOOK_EVERY_S, self._look_after_key)
        self._follow(target)

    def _follow(self, target: Widget) -> None:
        """Send word after the key: it goes the same way, and so comes back when the key has been dealt with."""
        target.post_message(self.Passed(self.screen))

    @on(Passed)
    async def _passed(self, message: Passed) -> None:
        if self._key_target is None:
            return
        if message.screen is not self.screen:
            self._key_target = self.screen  # the key has opened or closed one: it shall be ready for the next key
            self._follow(self.screen)
            return
        await self._next_key()

    async def _look_after_key(self) -> None:
        """A target that was closed by its key says nothing any more."""
        target = self._key_target
        if target is None:
            return
        self._key_looks += 1
        if not target.is_attached and target is not self.screen:
            self._key_target = self.screen
            self._follow(self.screen)
        elif self._key_looks * LOOK_EVERY_S > PATIENCE_S:
            await self._next_key()
            return
        self._key_timer = self.set_timer(LOOK_EVERY_S, self._look_after_key)

    async def _next_key(self) -> None:
        if self._key_timer is not None:
            self._key_timer.stop()
        self._key_target = self._key_timer = None
        if self._keys:
            await self._hand_out(self._keys.popleft())
