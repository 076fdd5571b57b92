"""Colours by what they mean, in four tiers: 16 million, 256, 16 colours, and none."""

from __future__ import annotations

from rich.style import Style
from textual.theme import BUILTIN_THEMES, Theme

TRUECOLOR, EIGHT_BIT, STANDARD, NONE = "truecolor", "256", "standard", "none"

_DARK = {
    "background": "#0f1319",
    "panel": "#161c25",
    "fg": "#d7dde6",
    "muted": "#8d99aa",
    "faint": "#4a5566",
    "accent": "#6cb6ff",
    "ok": "#9ceab2",
    "hold": "#eca413",
    "bad": "#ff6f6b",
    "star": "#d2a8ff",
    "bar": "#7f9dc2",
    "band": "#1b222d",
    "title": "#9fb0c6",
    "cursor": "#1f3a5c",
    "cursor-off": "#19202a",
    "ink": "#0d1117",
}
_LIGHT = {
    "background": "#f7f9fb",
    "panel": "#ffffff",
    "fg": "#1f2630",
    "muted": "#5b6675",
    "faint": "#c3cad3",
    "accent": "#0b62c4",
    "ok": "#0e6b45",
    "hold": "#9a6200",
    "bad": "#b00030",
    "star": "#7a3fc0",
    "bar": "#5c7fa8",
    "band": "#e6ebf1",
    "title": "#4a5868",
    "cursor": "#cfe2f8",
    "cursor-off": "#eef2f6",
    "ink": "#ffffff",
}
_256 = {
    "background": "#121212",
    "panel": "#1c1c1c",
    "fg": "#dadada",
    "muted": "#949494",
    "faint": "#585858",
    "accent": "#5fafff",
    "ok": "#afffaf",
    "hold": "#d7af00",
    "bad": "#ff5f5f",
    "star": "#d7afff",
    "bar": "#87afd7",
    "band": "#303030",
    "title": "#b2b2b2",
    "cursor": "#000087",
    "cursor-off": "#262626",
    "ink": "#121212",
}
"""Exact palette values: anything else is rounded, a dark band to the background itself."""
_256_LIGHT = {
    "background": "#ffffff",
    "panel": "#ffffff",
    "fg": "#262626",
    "muted": "#585858",
    "faint": "#c2c2c2",
    "accent": "#005faf",
    "ok": "#00875f",
    "hold": "#af5f00",
    "bad": "#870000",
    "star": "#8700af",
    "bar": "#5f87af",
    "band": "#ebebeb",
    "title": "#4e4e4e",
    "cursor": "#d7ffff",
    "cursor-off": "#f5f5f5",
    "ink": "#ffffff",
}
"""Light greys are a little lighter here than in the palette: Rich rounds them down to it."""
_16 = {
    "muted": "default",
    "faint": "bright_black",
    "accent": "cyan",
    "ok": "green",
    "hold": "yellow",
    "bad": "bright_red",
    "star": "magenta",
    "bar": "default",
    "title": "default",
}
CURVES = ("#6cb6ff", "#f2a65a", "#d2a8ff", "#6fd8c8", "#f78fb3", "#d7dde6")
_CURVES = {
    "dark": CURVES,
    "light": ("#0b62c4", "#b4540a", "#7a3fc0", "#0f7a4a", "#b0307f", "#1f2630"),
    "256-dark": ("#5fafff", "#ffaf5f", "#d7afff", "#5fd7d7", "#ff87af", "#dadada"),
    "256-light": ("#005faf", "#af5f00", "#8700af", "#00875f", "#af0087", "#262626"),
    STANDARD: ("cyan", "yellow", "magenta", "green", "red", "default"),
}
_VARIANTS = {"dark": _DARK, "light": _LIGHT, "256-dark": _256, "256-light": _256_LIGHT}
_PLAIN = str.maketrans("…–·°→›×•─━│┊▌◆", "~--'>>x*-=|:>+")
"""For what was put together without regard to the signs in use, such as the mark of a text that was cut."""
_ATTRIBUTES = {"bold": Style(bold=True), "underline": Style(underline=True), "dim": Style(dim=True)}


class Palette:
    """Turns style words into styles. A line's base lies under the styles of its spans."""

    def __init__(self, tier: str, *, dark: bool = True, is_ascii: bool = False) -> None:
        """`is_ascii`: what is drawn is kept to signs that every terminal has."""
        self.tier = tier
        self.dark = dark
        self._is_ascii = is_ascii
        self._styles = _styles(tier, dark=dark)
        self._cache: dict[tuple[str, str], Style] = {}

    def text(self, text: str) -> str:
        """A text in signs that the terminal has, as many as before."""
        return text.translate(_PLAIN) if self._is_ascii else text

    def style(self, words: str, base: str = "") -> Style:
        """The style of a span in a line with this base."""
        key = words, base
        found = self._cache.get(key)
        if found is None:
            found = self._cache[key] = self._made(words, base)
        return found

    def _made(self, words: str, base: str) -> Style:
        under = self._styles.get(base, Style.null())
        if base == "cursor" and self.tier in (STANDARD, NONE):
            return under  # reversed colours make coloured blocks: one style for the whole row
        style = self._styles["fg"] + under
        for word in words.split():
            style += _ATTRIBUTES.get(word) or self._styles.get(word, Style.null())
        return style

    @property
    def theme(self) -> str:
        """The Textual theme that goes with it."""
        if self.tier in (STANDARD, NONE):
            return "backprop-ansi"
        return f"backprop-{_variant(self.tier, dark=self.dark)}"


def _variant(tier: str, *, dark: bool) -> str:
    word = "dark" if dark else "light"
    return f"256-{word}" if tier == EIGHT_BIT else word


def _styles(tier: str, *, dark: bool) -> dict[str, Style]:
    if tier == NONE:
        return _plain_styles()
    if tier == STANDARD:
        return _ansi_styles()
    variant = _variant(tier, dark=dark)
    colours = _VARIANTS[variant]
    styles = {
        name: Style(color=colours[name]) for name in ("muted", "faint", "accent", "ok", "hold", "bad", "star", "bar")
    }
    styles["fg"] = Style(color=colours["fg"], bgcolor=colours["background"])
    styles["title"] = Style(color=colours["title"], bold=True)
    styles["band"] = Style(bgcolor=colours["band"])
    styles["panel"] = Style(bgcolor=colours["panel"])
    styles["cursor"] = Style(bgcolor=colours["cursor"])
    styles["cursor-off"] = Style(bgcolor=colours["cursor-off"])
    styles["focused"] = Style(color=colours["ink"], bgcolor=colours["accent"], bold=True)
    styles["alert"] = Style(color=colours["ink"], bgcolor=colours["bad"], bold=True)
    styles["key"] = Style(color=colours["accent"], bold=True)
    styles["match"] = Style(color=colours["accent"], bold=True, underline=True)
    return styles | {f"curve{n}": Style(color=colour) for n, colour in enumerate(_CURVES[variant])}


def _ansi_styles() -> dict[str, Style]:
    styles = {name: Style(color=colour) for name, colour in _16.items()}
    return styles | {
        "fg": Style(color="default", bgcolor="default"),
        "title": Style(bold=True),
        "band": Style(underline=True),
        "panel": Style.null(),
        "cursor": Style(color="default", bgcolor="default", reverse=True, bold=True),
        "cursor-off": Style(bold=True),
        "focused": Style(color="black", bgcolor="cyan"),
        "alert": Style(color="white", bgcolor="red", bold=True),
        "key": Style(color="cyan", bold=True),
        "match": Style(color="cyan", bold=True, underline=True),
        **{f"curve{n}": Style(color=colour) for n, colour in enumerate(_CURVES[STANDARD])},
    }


def _plain_styles() -> dict[str, Style]:
    bold = Style(bold=True)
    names = ("muted", "ok", "hold", "bar", "title", "panel", *(f"curve{n}" for n in range(6)))
    return {
        **dict.fromkeys(names, Style.null()),
        "fg": Style(color="default", bgcolor="default"),
        "faint": Style(dim=True),
        "accent": bold,
        "bad": bold,
        "star": bold,
        "band": Style(underline=True),
        "cursor": Style(reverse=True),
        "cursor-off": bold,
        "focused": Style(reverse=True, bold=True),
        "alert": Style(reverse=True, bold=True),
        "key": bold,
        "match": Style(bold=True, underline=True),
    }


def themes() -> list[Theme]:
    """The Textual themes of all tiers, for what Textual itself draws: dialogs, fields, the command palette."""
    made = [_theme(f"backprop-{name}", colours, dark="dark" in name) for name, colours in _VARIANTS.items()]
    ansi = BUILTIN_THEMES["ansi-dark"]
    made.append(
        Theme(
            name="backprop-ansi",
            ansi=True,
            primary="ansi_cyan",
            secondary="ansi_cyan",
            warning="ansi_yellow",
            error="ansi_bright_red",
            success="ansi_green",
            accent="ansi_cyan",
            foreground="ansi_default",
            background="ansi_default",
            surface="ansi_default",
            panel="ansi_default",
            boost="ansi_default",
            dark=True,
            variables=dict(ansi.variables),
        )
    )
    return made


def _theme(name: str, colours: dict[str, str], *, dark: bool) -> Theme:
    return Theme(
        name=name,
        primary=colours["accent"],
        secondary=colours["bar"],
        warning=colours["hold"],
        error=colours["bad"],
        success=colours["ok"],
        accent=colours["accent"],
        foreground=colours["fg"],
        background=colours["background"],
        surface=colours["background"],
        panel=colours["panel"],
        boost=colours["panel"],
        dark=dark,
    )
