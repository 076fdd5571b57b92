"""What all whole screens have in common: keys from the table of actions, a title line, a footer that can be clicked."""

from __future__ import annotations

import time

from textual import events
from textual.screen import Screen

from backprop_tui.tui import actions
from backprop_tui.tui.draw import bands
from backprop_tui.tui.draw.glyphs import sign_style, word_style
from backprop_tui.tui.draw.line import Line, cells
from backprop_tui.tui.widgets.canvas import Canvas

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from backprop_tui.tui.palette import Palette
    from backprop_tui.tui.target import Target
    from backprop_tui.tui.terminal import Look


class Footer(Canvas):
    """Keys and what they do; a click is the key."""

    def __init__(self, palette: Palette) -> None:
        super().__init__(palette, id="footer")
        self._hints: list[tuple[int, int, str]] = []

    def hint(
        self, names: tuple[str, ...], last: tuple[str, ...], keymap: Mapping[str, str], labels: Mapping[str, str]
    ) -> None:
        """Show as many of these actions as fit, in words of `labels` where it has some; `last` always."""
        self.offer([_hint(name, keymap, labels) for name in names], [_hint(name, keymap, labels) for name in last])

    def offer(self, hints: Sequence[bands.Hint], ends: Sequence[bands.Hint]) -> None:
        """Show as many of these as fit; `ends` always."""
        line, self._hints = bands.footer(self.size.width, hints, ends)
        self.show([line])

    def on_click(self, event: events.Click) -> None:
        for start, end, key in self._hints:
            if start <= event.x < end and key:
                self.app.simulate_key(key)


def _hint(name: str, keymap: Mapping[str, str], labels: Mapping[str, str]) -> bands.Hint:
    action = actions.BY_ID[name]
    key = actions.key_of(action, keymap)
    return bands.Hint(key=actions.shown_key(key), label=labels.get(name, action.label), press=key)


class Page(Screen[None]):
    """A whole screen; `SCOPE` is its name in the table of actions."""

    SCOPE = ""
    AUTO_FOCUS = ""
    LAST = ("screen.help", "screen.leave")

    def __init__(self, palette: Palette, look: Look) -> None:
        super().__init__()
        self.palette, self.look = palette, look
        self.footer = Footer(palette)

    @property
    def target(self) -> Target | None:
        """The run that keys act on."""
        return None

    @property
    def keymap(self) -> Mapping[str, str]:
        """What the user has changed of the keys."""
        return getattr(self.app, "keymap", {})

    def draw(self) -> None:
        """Draw what is known now."""
        raise NotImplementedError

    def draw_footer(self, names: tuple[str, ...], labels: Mapping[str, str] | None = None) -> None:
        """The footer; `labels` are for what an action does just now."""
        if self.size.width:
            self.footer.hint(names, self.LAST, self.keymap, labels or {})

    def titled(self, text: str, state: str = "", end: str = "") -> Line:
        """The first line: where one is, and what time it is."""
        width, glyphs = self.size.width, self.look.glyphs
        line = Line(width).put(1, "backprop", "accent bold").add(f" {glyphs.crumb} ", "muted").add(text, "bold")
        if state:
            line.add(f"  {glyphs.state(state)}", sign_style(state)).add(f" {state}", word_style(state))
        end = f"{end}  {time.strftime('%H:%M:%S')}".strip()
        return line.put(max(line.at + 1, width - 1 - cells(end)), end, "muted")

    def use(self, palette: Palette, look: Look) -> None:
        """Draw with other colours and signs from now on."""
        self.palette, self.look = palette, look
        for canvas in self.query(Canvas):
            canvas.use(palette)
        self.draw()

    def on_resize(self) -> None:
        self.draw()

    def action_back(self) -> None:
        """One step back."""
        self.dismiss()
