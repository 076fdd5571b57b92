"""What goes over the wire: the cells that have changed, in few bytes, and never another picture than Textual's."""

from __future__ import annotations

import random
import re

import pytest
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.geometry import Region
from textual.strip import Strip

from backprop_tui.tui.draw.line import Line
from backprop_tui.tui.painting import TerseUpdate, terse
from backprop_tui.tui.palette import EIGHT_BIT, NONE, STANDARD, TRUECOLOR, Palette
from backprop_tui.tui.widgets.canvas import Canvas, _changed

WIDTH = 24
STYLES = (
    None,
    Style.parse("red on blue"),
    Style.parse("green on blue"),
    Style.parse("bold green on blue"),
    Style.parse("#6cb6ff on #0f1319"),
    Style.parse("reverse"),
    Style.parse("underline on blue"),
)
Cell = tuple[str, frozenset[str]]


def console() -> Console:
    return Console(color_system="truecolor", force_terminal=True, width=WIDTH)


def played(text: str, cells: dict[tuple[int, int], Cell]) -> frozenset[str]:
    """Do to these cells what a terminal does; returns the style that it is left in."""
    x = y = 0
    style: frozenset[str] = frozenset()
    for codes, end, plain in re.findall(r"\x1b\[([\d;]*)([Hm])|([^\x1b])", text):
        if end == "H":
            y, x = (int(n) - 1 for n in codes.split(";"))
        elif end == "m":
            for code in re.findall(r"[34]8;2;\d+;\d+;\d+|[34]8;5;\d+|\d+", codes) or ["0"]:
                kind = "front" if code.startswith("3") else "back" if code.startswith("4") and len(code) > 1 else code
                style = frozenset() if code == "0" else frozenset({s for s in style if not s.startswith(kind + " ")})
                style |= frozenset() if code == "0" else {f"{kind} {code}"}
        elif plain != "\n":
            cells[x, y] = plain, style
            x += 1
    return style


def any_strip(rng: random.Random) -> Strip:
    at, segments = 0, []
    while at < WIDTH:
        room = min(WIDTH - at, rng.randint(1, 6))
        segments.append(Segment("".join(rng.choice("ab ━⣀") for _ in range(room)), rng.choice(STYLES)))
        at += room
    return Strip(segments)


@pytest.mark.parametrize("seed", range(20))
def test_the_picture_is_the_one_that_textual_paints(seed: int) -> None:
    rng = random.Random(seed)
    strips = [any_strip(rng) for _ in range(4)]
    spans = [(y, x, rng.randint(x + 1, WIDTH)) for y in range(4) for x in (rng.randrange(WIDTH),)]
    cut = rng.randrange(1, WIDTH)
    chops = [dict(zip((0, cut), strip.divide([cut, WIDTH]), strict=True)) for strip in strips]
    updates: list[ChopsUpdate | LayoutUpdate] = [
        LayoutUpdate([[strip] for strip in strips], Region(0, 0, WIDTH, 4)),
        ChopsUpdate(chops, spans, [[cut, WIDTH]] * 4),
    ]
    for update in updates:
        theirs: dict[tuple[int, int], Cell] = {}
        ours: dict[tuple[int, int], Cell] = {}
        played(update.render_segments(console()), theirs)
        text = TerseUpdate(update).render_segments(console())
        assert not played(text, ours)
        assert ours.items() <= theirs.items()
        assert len(text) <= len(update.render_segments(console()))
    assert set(ours) == {(x, y) for y, first, last in spans for x in range(first, last)}


def test_what_is_no_update_stays_as_it_is() -> None:
    assert terse(None) is None
    assert terse("text") == "text"


@pytest.mark.parametrize("tier", [TRUECOLOR, EIGHT_BIT, STANDARD, NONE])
@pytest.mark.parametrize("base", ["", "cursor", "band"])
def test_only_the_pieces_that_differ_are_drawn_again(tier: str, base: str) -> None:
    def strip(percent: str, watts: str) -> Strip:
        line = Line(40, base=base).put(1, "GPU 0", "muted").put(10, "━━━", "bar").put(13, "───", "faint")
        line.put(18, percent, "bold").put(30, watts, "bad")
        return Canvas(Palette(tier))._strip(line.base, line.spans())

    before, after = strip("97%", "402W"), strip("98%", "402W")
    assert before.text == f"{' GPU 0':10}━━━───  97%{'402W':>13}{'':6}"
    regions = _changed(before, after, 3, 40)
    assert len(regions) == 1
    changed = regions[0]
    assert (changed.y, changed.height) == (3, 1)
    assert changed.contains(19, 3)
    if tier in (TRUECOLOR, EIGHT_BIT):
        assert changed.right <= 30
        assert changed.x >= 10
    assert _changed(before, before, 0, 40) == []
    assert _changed(None, after, 0, 40) == [Region(0, 0, 40, 1)]
