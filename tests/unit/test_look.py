from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest
from rich.color import Color, ColorSystem
from rich.palette import Palette as RichPalette

from backprop_tui.errors import ConfigError
from backprop_tui.tui import palette, terminal
from backprop_tui.tui.actions import ACTIONS
from backprop_tui.tui.draw import chart, graphs, plot
from backprop_tui.tui.draw.glyphs import ASCII, NO_GRAPHS, UNICODE
from backprop_tui.tui.draw.line import texts
from backprop_tui.tui.keymap import keymap

XTERM = {"TERM": "xterm-256color"}


@pytest.fixture(autouse=True)
def utf8(monkeypatch):
    monkeypatch.setattr(sys, "__stdout__", SimpleNamespace(encoding="UTF-8"))


@pytest.mark.parametrize(
    ("env", "wishes", "is_ascii", "expected"),
    [
        ({}, {}, False, "braille"),
        ({}, {"graphs": "blocks"}, False, "blocks"),
        ({}, {"graphs": "ascii"}, False, "ascii"),
        ({}, {"glyphs": "ascii"}, True, "ascii"),
        ({}, {"glyphs": "ascii", "graphs": "braille"}, True, "braille"),
        ({"TERM": "linux"}, {}, True, "ascii"),
        ({"TERM": "vt220"}, {}, True, "ascii"),
        ({"TERM": "linux"}, {"glyphs": "unicode"}, False, "braille"),
        ({}, {"accessible": True}, True, "off"),
        ({}, {"accessible": True, "glyphs": "unicode", "graphs": "braille"}, True, "off"),
    ],
)
def test_signs_and_graphs(env, wishes, is_ascii, expected):
    look = terminal.choose(env={**XTERM, **env}, colour_system="256", **wishes)
    assert (look.glyphs.is_ascii, look.glyphs.graphs) == (is_ascii, expected)
    assert look.accessible == wishes.get("accessible", False)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "nonsense", None])
def test_a_locale_without_utf8_gets_ascii(monkeypatch, encoding):
    monkeypatch.setattr(sys, "__stdout__", SimpleNamespace(encoding=encoding))
    assert terminal.choose(env=XTERM, colour_system="256").glyphs == ASCII


@pytest.mark.parametrize(
    ("env", "system", "tier"),
    [
        ({}, "truecolor", palette.TRUECOLOR),
        ({}, "256", palette.EIGHT_BIT),
        ({}, "standard", palette.STANDARD),
        ({}, None, palette.STANDARD),
        ({"NO_COLOR": "1"}, "truecolor", palette.NONE),
        ({"NO_COLOR": ""}, "truecolor", palette.TRUECOLOR),
    ],
)
def test_tiers(env, system, tier):
    assert terminal.choose(env=env, colour_system=system).tier == tier


@pytest.mark.parametrize(
    ("said", "theme", "is_dark"),
    [
        (None, "auto", True),
        ("15;0", "auto", True),
        ("0;15", "auto", False),
        ("0;default;7", "auto", False),
        ("0;15", "dark", True),
        ("15;0", "light", False),
        ("7", "auto", False),
        ("x", "auto", True),
    ],
)
def test_dark_and_light(said, theme, is_dark):
    env = {} if said is None else {"COLORFGBG": said}
    assert terminal.choose(env=env, colour_system="256", theme=theme).dark is is_dark


# --- colours


def displayed(hexadecimal: str, tier: str) -> tuple[int, int, int]:
    """The colour that a terminal of this tier shows."""
    from rich._palettes import EIGHT_BIT_PALETTE

    colour = Color.parse(hexadecimal)
    if tier == palette.EIGHT_BIT:
        shades: RichPalette = EIGHT_BIT_PALETTE
        number = colour.downgrade(ColorSystem.EIGHT_BIT).number
        assert number is not None
        return tuple(shades[number])  # type: ignore[return-value]
    assert colour.triplet is not None
    return tuple(colour.triplet)  # type: ignore[return-value]


def linear(shade: int) -> float:
    share = shade / 255
    return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4


def contrast(one: tuple[int, int, int], two: tuple[int, int, int]) -> float:
    """As WCAG defines it."""
    high, low = sorted(
        (0.2126 * linear(c[0]) + 0.7152 * linear(c[1]) + 0.0722 * linear(c[2]) for c in (one, two)), reverse=True
    )
    return (high + 0.05) / (low + 0.05)


DEFICIENCIES = {
    "none": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "deuteranopia": ((0.367, 0.861, -0.228), (0.280, 0.673, 0.047), (-0.012, 0.043, 0.969)),
    "protanopia": ((0.152, 1.053, -0.205), (0.115, 0.786, 0.099), (-0.004, -0.048, 1.052)),
    "tritanopia": ((1.256, -0.077, -0.179), (-0.078, 0.931, 0.148), (0.005, 0.691, 0.304)),
}
"""Machado, Oliveira and Fernandes 2009, on linear light."""


def lab(colour: tuple[int, int, int], deficiency: str) -> tuple[float, float, float]:
    full = [linear(shade) for shade in colour]
    r, g, b = (
        min(1.0, max(0.0, sum(f * c for f, c in zip(row, full, strict=True)))) for row in DEFICIENCIES[deficiency]
    )
    x, y, z = (
        part ** (1 / 3) if part > 0.008856 else 7.787 * part + 16 / 116
        for part in (
            (0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.95047,
            0.2126 * r + 0.7152 * g + 0.0722 * b,
            (0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.08883,
        )
    )
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def colours(*, tier: str, dark: bool) -> dict[str, tuple[int, int, int]]:
    shades = palette._VARIANTS[palette._variant(tier, dark=dark)]
    return {name: displayed(shade, tier) for name, shade in shades.items()}


LOOKS = [(palette.TRUECOLOR, True), (palette.TRUECOLOR, False), (palette.EIGHT_BIT, True), (palette.EIGHT_BIT, False)]
READ = ("fg", "muted", "accent", "ok", "hold", "bad", "star")


@pytest.mark.parametrize(("tier", "dark"), LOOKS)
@pytest.mark.parametrize("ground", ["background", "panel"])
def test_all_that_is_read_has_contrast(tier, dark, ground):
    shown = colours(tier=tier, dark=dark)
    for name in READ:
        assert contrast(shown[name], shown[ground]) >= 4.5, name
    assert contrast(shown["title"], shown["band"]) >= 4.5
    assert contrast(shown["ink"], shown["accent"]) >= 4.5
    assert contrast(shown["ink"], shown["bad"]) >= 4.5


@pytest.mark.parametrize(("tier", "dark"), LOOKS)
def test_the_cursor_s_row_can_be_read(tier, dark):
    shown = colours(tier=tier, dark=dark)
    for name in READ:
        assert contrast(shown[name], shown["cursor"]) >= 3.8, name
    assert shown["cursor"] != shown["background"]
    assert shown["band"] != shown["background"]


@pytest.mark.parametrize("deficiency", DEFICIENCIES)
@pytest.mark.parametrize(("tier", "dark"), LOOKS)
def test_states_are_told_apart_by_everybody(tier, dark, deficiency):
    shown = {name: lab(colour, deficiency) for name, colour in colours(tier=tier, dark=dark).items()}
    pairs = "ok hold, ok bad, hold bad, bad fg, bad muted, ok accent, ok fg, hold fg"
    for pair in pairs.split(", "):
        one, two = (shown[name] for name in pair.split())
        assert sum((a - b) ** 2 for a, b in zip(one, two, strict=True)) ** 0.5 >= 16, pair


@pytest.mark.parametrize(("tier", "dark"), LOOKS)
def test_each_look_has_its_textual_theme(tier, dark):
    assert palette.Palette(tier, dark=dark).theme in {theme.name for theme in palette.themes()}


# --- graphs

VALUES = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]


@pytest.mark.parametrize(
    ("made_of", "expected"),
    [("braille", "⣀⠤⠒⠉    "), ("blocks", "▁▂▃▄▅▆▇█"), ("ascii", "__..--=^"), ("off", "        ")],
)
def test_a_trend_line(made_of, expected):
    found = graphs.spark(VALUES, 8, UNICODE.replace(graphs=made_of))
    assert len(found) == 8
    assert found == expected or made_of == "ascii"
    if made_of == "ascii":
        assert found.isascii()
        assert found[0] == "_"
        assert found[-1] == "^"


@pytest.mark.parametrize(
    ("glyphs", "expected"),
    [(UNICODE, "▁▄█ "), (ASCII, "_.^ "), (ASCII.replace(graphs=NO_GRAPHS), "049 ")],
)
def test_levels_of_many_gpus(glyphs, expected):
    found = graphs.levels([0.0, 0.49, 1.0, None], glyphs)
    assert (found[0], found[2], found[3]) == (expected[0], expected[2], expected[3])
    assert len(found) == 4


def test_a_bar_without_graphs_is_blank():
    assert graphs.bar(0.5, 8, ASCII.replace(graphs=NO_GRAPHS)) == ("", " " * 8)


def points(xs, lows, highs):
    means = tuple((low + high) / 2 for low, high in zip(lows, highs, strict=True))
    return plot.Points(steps=xs, times=xs, means=means, lows=lows, highs=highs)


def plotted(made_of):
    field = plot.Plot(4, 2, graphs=made_of)
    values = (0.0, 1.0, 2.0, 3.0)
    field.draw(
        plot.trace(points(values, values, values), values, (0.0, 3.0), field.wide, shows_all=False), 0, (0.0, 3.0)
    )
    return ["".join(field.cell(row, column) or " " for column in range(4)) for row in range(2)]


@pytest.mark.parametrize(("made_of", "expected"), [("blocks", ["  ▄▀", "▄▀  "]), ("ascii", ["  **", "**  "])])
def test_a_plot(made_of, expected):
    assert plotted(made_of) == expected


def test_a_braille_plot_has_eight_points_a_cell():
    assert all(0x2800 <= ord(cell) < 0x2900 for row in plotted("braille") for cell in row.strip())


def test_a_chart_without_graphs_is_told_in_words():
    curve = points((0.0, 10.0, 20.0), (4.0, 1.0, 2.0), (4.0, 1.5, 2.0))
    plan = chart.Chart(series=(chart.Series(label="loss", points=curve, last=2.0, trend="falling"),), saved=(10.0,))
    lines = texts(chart.lines(plan, 100, 5, ASCII.replace(graphs=NO_GRAPHS), empty="none"))
    assert lines[0] == " falling from 4.000 at step 0 to 2.000 at step 20, lowest 1.000 at step 10, highest 4.000"
    assert lines[1] == " saved 1 times, last at step 10"
    assert len(lines) == 5


# --- keys


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({}, {}),
        ({"run.kill": "X"}, {"run.kill": "X"}),
        ({"run.kill": "%, ctrl+k"}, {"run.kill": "percent_sign,ctrl+k"}),
        ({"run.kill": ",", "screen.settings": "f9"}, {"run.kill": "comma", "screen.settings": "f9"}),
        ({"run.kill": "p", "run.pause": "K"}, {"run.kill": "p", "run.pause": "K"}),
        ({"log.next": "d"}, {"log.next": "d"}),
    ],
)
def test_a_keymap(keys, expected):
    assert keymap(keys, ACTIONS) == expected


def test_a_keymap_of_an_unknown_action_or_with_one_key_twice():
    with pytest.raises(ConfigError, match=r"run\.kil") as caught:
        keymap({"run.kil": "X"}, ACTIONS)
    assert caught.value.hint.startswith("did you mean run.kill?")
    with pytest.raises(ConfigError, match=r'"p" is given to run\.kill and to run\.pause'):
        keymap({"run.kill": "p"}, ACTIONS)
    with pytest.raises(ConfigError, match=r"is given to run\.kill and to run\.pause"):
        keymap({"run.kill": "X", "run.pause": "X"}, ACTIONS)
