"""A terminal's screen as a picture: text with its colours in, SVG out. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from html import escape
from itertools import groupby

CELL, LINE, SIZE = 8.4, 19.0, 14
MARGIN = 14
BACKGROUND, FOREGROUND = "#0f1319", "#d7dde6"
FONT = "JetBrains Mono, DejaVu Sans Mono, Menlo, Consolas, monospace"
_SGR = re.compile(r"\x1b\[([0-9;:]*)m")
_OTHER = re.compile(r"\x1b\[[0-9;?]*[A-Za-ln-z]|\x1b[()][A-Z0-9]|\x0e|\x0f")
_SIXTEEN = [
    "#171b22",
    "#d0605e",
    "#7fb98b",
    "#c99a3a",
    "#5f93cf",
    "#a583c8",
    "#5fb3a8",
    "#c3cad3",
    "#4a5566",
    "#ff6f6b",
    "#9ceab2",
    "#eca413",
    "#6cb6ff",
    "#d2a8ff",
    "#6fd8c8",
    "#ffffff",
]


@dataclass(frozen=True)
class Style:
    """How a cell looks."""

    front: str = FOREGROUND
    back: str = ""
    bold: bool = False
    underline: bool = False
    dim: bool = False
    reverse: bool = False

    @property
    def colours(self) -> tuple[str, str]:
        """Of the sign, and behind it ("" for the screen's own)."""
        return (self.back or BACKGROUND, self.front) if self.reverse else (self.front, self.back)


def svg(text: str, columns: int) -> str:
    """A screen as `tmux capture-pane -e -p` gives it."""
    rows = [list(_cells(line)) for line in _carried(text.rstrip("\n").split("\n"))]
    width, height = columns * CELL + 2 * MARGIN, len(rows) * LINE + 2 * MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}">',
        f'<rect width="100%" height="100%" rx="8" fill="{BACKGROUND}"/>',
        f'<g font-family="{FONT}" font-size="{SIZE}" xml:space="preserve">',
    ]
    for y, row in enumerate(rows):
        parts += _row(row, MARGIN + y * LINE)
    return "\n".join([*parts, "</g></svg>\n"])


def _carried(lines: list[str]) -> list[str]:
    """Each line beginning in the style that the one before ended in."""
    out, style = [], ""
    for line in lines:
        line = _OTHER.sub("", line)
        out.append(style + line)
        for found in _SGR.finditer(line):
            style = found[0] if found[1] in ("", "0") else style + found[0]
    return out


def _cells(line: str) -> list[tuple[str, Style]]:
    cells, style, at = [], Style(), 0
    for found in _SGR.finditer(line):
        cells += [(sign, style) for sign in line[at : found.start()]]
        style = _styled(style, [int(code or 0) for code in found[1].replace(":", ";").split(";")])
        at = found.end()
    return cells + [(sign, style) for sign in line[at:]]


def _styled(style: Style, codes: list[int]) -> Style:
    flags = {1: "bold", 2: "dim", 4: "underline", 7: "reverse"}
    while codes:
        code = codes.pop(0)
        if code == 0:
            style = Style()
        elif code in flags:
            style = replace(style, **{flags[code]: True})
        elif code == 22:
            style = replace(style, bold=False, dim=False)
        elif code in (24, 27):
            style = replace(style, **{flags[code - 20]: False})
        elif code in (38, 48):
            colour = _extended(codes)
            style = replace(style, front=colour) if code == 38 else replace(style, back=colour)
        elif code in (39, 49):
            style = replace(style, front=FOREGROUND) if code == 39 else replace(style, back="")
        elif 30 <= code <= 37 or 90 <= code <= 97:
            style = replace(style, front=_SIXTEEN[code - 30 if code < 40 else code - 82])
        elif 40 <= code <= 47 or 100 <= code <= 107:
            style = replace(style, back=_SIXTEEN[code - 40 if code < 50 else code - 92])
    return style


def _extended(codes: list[int]) -> str:
    if codes.pop(0) == 2:
        red, green, blue = codes[:3]
        del codes[:3]
        return f"#{red:02x}{green:02x}{blue:02x}"
    n = codes.pop(0)
    if n < 16:
        return _SIXTEEN[n]
    if n >= 232:
        return f"#{8 + 10 * (n - 232):02x}" + f"{8 + 10 * (n - 232):02x}" * 2
    levels = (0, 95, 135, 175, 215, 255)
    n -= 16
    return "#" + "".join(f"{levels[part]:02x}" for part in (n // 36, n // 6 % 6, n % 6))


def _row(row: list[tuple[str, Style]], top: float) -> list[str]:
    parts: list[str] = []
    x = 0
    for back, cells in groupby(row, key=lambda cell: cell[1].colours[1]):
        count = len(list(cells))
        if back and back != BACKGROUND:
            parts.append(_rect(MARGIN + x * CELL, top, count * CELL, LINE, back))
        x += count
    x = 0
    for (style, is_drawn), cells in groupby(row, key=lambda cell: (cell[1], _is_drawn(cell[0]))):
        text = "".join(sign for sign, _style in cells)
        left = MARGIN + x * CELL
        x += len(text)
        if is_drawn:
            for n, sign in enumerate(text):
                parts.append(_drawn(sign, left + n * CELL, top, style.colours[0]))
        else:
            # Words apart each have a place of their own: columns stay in line whatever font there is.
            words = re.finditer(r"\S+(?: \S+)*", text)
            parts += [_text(found[0], left + found.start() * CELL, top, style) for found in words]
    return parts


def _text(text: str, left: float, top: float, style: Style) -> str:
    more = ' font-weight="bold"' if style.bold else ""
    more += ' text-decoration="underline"' if style.underline else ""
    more += ' opacity="0.6"' if style.dim else ""
    return (
        f'<text x="{left:.1f}" y="{top + 14:.1f}" fill="{style.colours[0]}" textLength="{len(text) * CELL:.1f}"'
        f' lengthAdjust="spacingAndGlyphs"{more}>{escape(text)}</text>'
    )


_EIGHTHS = {sign: n for n, sign in enumerate("▁▂▃▄▅▆▇█", 1)}
_LINES = {
    "━": (0, 0.5, 1, 0.5, 3.0), "─": (0, 0.5, 1, 0.5, 1.2), "│": (0.5, 0, 0.5, 1, 1.2), "┊": (0.5, 0, 0.5, 1, 1.2),
    "▔": (0, 0.03, 1, 0.03, 1.5),
}  # fmt: skip
_CORNERS = {"╭": (1, 1), "╮": (-1, 1), "╰": (1, -1), "╯": (-1, -1)}


def _is_drawn(sign: str) -> bool:
    """Signs that are shapes: fonts differ in them, and many have no braille."""
    return "\u2800" <= sign <= "\u28ff" or sign in _EIGHTHS or sign in _LINES or sign in _CORNERS or sign in "▌▀"


def _drawn(sign: str, x: float, y: float, colour: str) -> str:
    if sign in _EIGHTHS:
        height = LINE * _EIGHTHS[sign] / 8
        return _rect(x, y + LINE - height, CELL, height, colour)
    if sign == "▌":
        return _rect(x, y, CELL / 2, LINE, colour)
    if sign == "▀":
        return _rect(x, y, CELL, LINE / 2, colour)
    if sign in _LINES:
        x1, y1, x2, y2, wide = _LINES[sign]
        dashes = ' stroke-dasharray="2 3"' if sign == "┊" else ""
        return (
            f'<path d="M{x + x1 * CELL:.1f} {y + y1 * LINE:.1f}L{x + x2 * CELL:.1f} {y + y2 * LINE:.1f}"'
            f' stroke="{colour}" stroke-width="{wide}"{dashes}/>'
        )
    if sign in _CORNERS:
        across, down = _CORNERS[sign]
        middle_x, middle_y = x + CELL / 2, y + LINE / 2
        return (
            f'<path d="M{middle_x + across * CELL / 2:.1f} {middle_y:.1f}Q{middle_x:.1f} {middle_y:.1f}'
            f' {middle_x:.1f} {middle_y + down * LINE / 2:.1f}" stroke="{colour}" stroke-width="1.2" fill="none"/>'
        )
    bits = ord(sign) - 0x2800
    places = ((0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3))
    return "".join(
        f'<circle cx="{x + CELL * (0.27 + 0.46 * across):.1f}" cy="{y + LINE * (0.14 + 0.24 * down):.1f}" r="1.15"'
        f' fill="{colour}"/>'
        for n, (across, down) in enumerate(places)
        if bits & 1 << n
    )


def _rect(x: float, y: float, width: float, height: float, colour: str) -> str:
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{colour}"/>'
