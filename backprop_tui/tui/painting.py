"""Writes what has changed to the terminal in few bytes: over a slow line they are what one waits for."""

from __future__ import annotations

from rich.color import ColorSystem
from rich.control import Control
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.strip import Strip

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
    from rich.segment import Segment
    from rich.style import Style

RESET = "\x1b[0m"


def terse(update: RenderableType | None) -> RenderableType | None:
    """The same update in fewer bytes; what is no update of Textual's screen stays as it is.

    Textual writes each line from its beginning up to the last cell that has changed, and every style in full.
    """
    return TerseUpdate(update) if isinstance(update, (ChopsUpdate, LayoutUpdate)) else update


class TerseUpdate(CompositorUpdate):
    """Writes the cells that have changed and no others, and of each style what differs from the one before."""

    def __init__(self, update: ChopsUpdate | LayoutUpdate) -> None:
        self._update = update

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        return self._update.__rich_console__(console, options)

    def render_segments(self, console: Console) -> str:
        """All of it as text for the terminal."""
        pen = Pen(console._color_system or ColorSystem.TRUECOLOR)
        row = column = -1
        for x, y, strip in self._pieces():
            if (x, y) != (column, row):
                pen.written.append(Control.move_to(x, y).segment.text)
            for segment in strip:
                pen.write(segment)
            row, column = y, x + strip.cell_length
        pen.write_style(None)
        return "".join(pen.written)

    def _pieces(self) -> Iterator[tuple[int, int, Strip]]:
        """Column, row, and what stands there."""
        update = self._update
        if isinstance(update, LayoutUpdate):
            for y, line in enumerate(update.strips, update.region.y):
                x = update.region.x
                for strip in line:
                    yield x, y, strip
                    x += strip.cell_length
            return
        for y, x1, x2 in update.spans:
            for end, (x, part) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
                if part is None or x >= x2 or end <= x1:
                    continue
                first, last = max(x, x1), min(end, x2)
                whole = first == x and last == end
                yield first, y, part if whole else part.crop(first - x, last - x)


class Pen:
    """Writes text in styles, and knows in which one the terminal is."""

    def __init__(self, colours: ColorSystem) -> None:
        self.written: list[str] = []
        self._colours = colours
        self._style: Style | None = None
        """None for the terminal's own."""

    def write(self, segment: Segment) -> None:
        """A piece of text."""
        text, style, _control = segment
        if style is not None and style.link:
            self.write_style(None)
            self.written.append(Strip.render_style(style, text, self._colours))
            return
        if style is not self._style:
            self.write_style(style)
        self.written.append(text)

    def write_style(self, style: Style | None) -> None:
        """Be in this style from now on."""
        key = self._style, style, self._colours
        codes = _changes.get(key)
        if codes is None:
            if len(_changes) >= MAX_CHANGES:
                _changes.clear()
            codes = _changes[key] = _change(self._style, style, self._colours)
        self.written.append(codes)
        self._style = style


MAX_CHANGES = 4096
_changes: dict[tuple[Style | None, Style | None, ColorSystem], str] = {}
"""What is written to come from one style to another."""


def _change(old: Style | None, new: Style | None, colours: ColorSystem) -> str:
    before, after = _parts(old, colours), _parts(new, colours)
    if before == after:
        return ""
    is_taken = any(was and not now for was, now in zip(before, after, strict=True))
    if is_taken or before[0] != after[0]:
        codes = ";".join(part for part in after if part)
        return f"{RESET if any(before) else ''}\x1b[{codes}m" if codes else RESET
    return f"\x1b[{';'.join(now for was, now in zip(before, after, strict=True) if was != now)}m"


def _parts(style: Style | None, colours: ColorSystem) -> tuple[str, str, str]:
    """The codes of the attributes, of the colour and of the background."""
    if style is None:
        return "", "", ""
    plain = Strip.render_ansi(style.without_color, colours)
    front = style.color.downgrade(colours).get_ansi_codes() if style.color else ()
    back = style.bgcolor.downgrade(colours).get_ansi_codes(foreground=False) if style.bgcolor else ()
    return plain, ";".join(front), ";".join(back)
