"""The command palette: every action of the screen in hand, with its key."""

from __future__ import annotations

from functools import partial

from textual.command import CommandPalette, DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from backprop_tui.tui import actions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from textual.app import App

KEY_COLUMN = 48
HIDDEN = ("screen.commands", "screen.leave", "screen.back")
"""What makes no sense from there."""


class Commands(Provider):
    """What the table of actions knows."""

    async def discover(self) -> Hits:
        """All of them."""
        for words, key, run in self._all():
            yield DiscoveryHit(_shown(Content(words), key), run, text=words)

    async def search(self, query: str) -> Hits:
        """Those whose words match."""
        matcher = self.matcher(query)
        for words, key, run in self._all():
            if (score := matcher.match(words)) > 0:
                yield Hit(score, _shown(matcher.highlight(words), key), run, text=words)

    def _all(self) -> Iterator[tuple[str, str, Any]]:
        keymap = getattr(self.app, "keymap", {})
        for action in actions.within(getattr(self.screen, "SCOPE", "")):
            if action.id not in HIDDEN:
                key = actions.shown_key(actions.key_of(action, keymap))
                words = action.help[:1].upper() + action.help[1:]
                yield words, key, partial(self.app.run_action, action.action, self.screen)


def _shown(words: Content, key: str) -> Content:
    """The words, and the key in a column of its own."""
    return Content.assemble(words, " " * max(2, KEY_COLUMN - words.cell_length), (key, "bold"))


def open_palette(app: App[Any]) -> None:
    """Open it over the screen in hand."""
    app.push_screen(CommandPalette([Commands], placeholder="What shall be done?", id="--command-palette"))
