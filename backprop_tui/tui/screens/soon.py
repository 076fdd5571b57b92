"""What stands over the screen while a question is being prepared."""

from __future__ import annotations

from textual import events
from textual.screen import ModalScreen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from textual.screen import Screen


class Soon(ModalScreen[None]):
    """Keeps what is typed for the question that comes, so that none of it acts on a run; esc gives the question up.

    Keys come faster than a disk answers, and over a slow line many at once.
    """

    DEFAULT_CSS = "Soon { background: transparent; }"
    AUTO_FOCUS = ""

    def __init__(self) -> None:
        super().__init__()
        self._typed: list[tuple[str, str | None]] = []

    def on_key(self, event: events.Key) -> None:
        event.stop()
        self.keep(event)

    def keep(self, event: events.Key) -> None:
        """A key for the question."""
        if event.key == "escape":
            self.dismiss()
        else:
            self._typed.append((event.key, event.character))

    def give_way(self, screen: Screen[Any], answered: Callable[[Any], None]) -> None:
        """Show the question, and pass on what was typed; nothing if it was given up."""
        if not self.is_current:
            return
        self.dismiss()
        self.app.push_screen(screen, answered)
        for key, character in self._typed:
            screen.call_after_refresh(self.app.post_message, events.Key(key, character))

    def end(self) -> None:
        """There is nothing to ask."""
        if self.is_current:
            self.dismiss()
