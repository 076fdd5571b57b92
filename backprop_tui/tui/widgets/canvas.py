"""A widget that shows lines, and repaints only the cells that have changed."""

from __future__ import annotations

from functools import cache

from rich.segment import Segment
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from backprop_tui.tui.draw.line import cells

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.style import Style

    from backprop_tui.tui.draw.line import Line, Span
    from backprop_tui.tui.palette import Palette


class Canvas(Widget):
    """Lines drawn elsewhere, a strip each."""

    DEFAULT_CSS = "Canvas { width: 1fr; height: 1; }"

    def __init__(self, palette: Palette, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self.palette = palette
        self._lines: list[tuple[str, list[Span]]] = []
        self._strips: list[Strip] = []

    def show(self, lines: Sequence[Line]) -> None:
        """Show these lines from the top; what is the same as before is not repainted."""
        regions: list[Region] = []
        drawn: list[tuple[str, list[Span]]] = []
        strips: list[Strip] = []
        for y, line in enumerate(lines):
            now = line.base, line.spans()
            before = self._strips[y] if y < len(self._lines) else None
            if before is not None and self._lines[y] == now:
                strips.append(before)
            else:
                strips.append(self._strip(*now))
                regions += _changed(before, strips[-1], y, line.width)
            drawn.append(now)
        if len(self._lines) > len(drawn):
            regions.append(Region(0, len(drawn), self.size.width, len(self._lines) - len(drawn)))
        self._lines, self._strips = drawn, strips
        if regions:
            self.refresh(*regions)

    @property
    def text(self) -> str:
        """What is shown, without styles."""
        text = self.palette.text
        return "\n".join("".join(text(span.text) for span in spans).rstrip() for _base, spans in self._lines)

    def render_line(self, y: int) -> Strip:
        """One line, for Textual."""
        width = self.size.width
        if y < len(self._strips):
            return self._strips[y].adjust_cell_length(width, self.palette.style(""))
        return Strip.blank(width, self.palette.style(""))

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._strips = [self._strip(base, spans) for base, spans in self._lines]

    def use(self, palette: Palette) -> None:
        """Draw with other colours from now on."""
        self.palette = palette
        self._strips = [self._strip(base, spans) for base, spans in self._lines]
        self.refresh()

    def _strip(self, base: str, spans: Sequence[Span]) -> Strip:
        """As few segments as the look allows: blanks go with what stands beside them."""
        made: list[tuple[str, Style]] = []
        for span in spans:
            text, style = self.palette.text(span.text), self.palette.style(span.style, base)
            if made:
                last, its_style = made[-1]
                if style is its_style or (text.isspace() and _is_alike_blank(style, its_style)):
                    made[-1] = last + text, its_style
                    continue
                if last.isspace() and _is_alike_blank(style, its_style):
                    made[-1] = last + text, style
                    continue
            made.append((text, style))
        return Strip([Segment(text, style) for text, style in made])


@cache
def _is_alike_blank(one: Style, other: Style) -> bool:
    """Whether a blank looks the same in both styles."""
    if one.reverse or other.reverse:
        return one == other
    return (one.bgcolor, one.underline, one.strike) == (other.bgcolor, other.underline, other.strike)


def _changed(before: Strip | None, now: Strip, y: int, width: int) -> list[Region]:
    """The pieces of a line that differ."""
    if before is None:
        return [Region(0, y, width, 1)]
    known = set(_places(before))
    return [Region(at, y, room, 1) for at, room, segment in _places(now) if (at, room, segment) not in known]


def _places(strip: Strip) -> Iterator[tuple[int, int, Segment]]:
    """Column, room and text of each segment."""
    at = 0
    for segment in strip:
        room = cells(segment.text)
        yield at, room, segment
        at += room
