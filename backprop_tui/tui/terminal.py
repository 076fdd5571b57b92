"""What the terminal can do, and what the user wants of it."""

from __future__ import annotations

import codecs
import os
import sys

from backprop_tui.frozen import Frozen
from backprop_tui.tui import palette
from backprop_tui.tui.draw.glyphs import ASCII, NO_GRAPHS, UNICODE, Glyphs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from textual.app import App


class Look(Frozen):
    """How everything is drawn."""

    glyphs: Glyphs
    """The signs, and in `glyphs.graphs` what curves are made of."""
    tier: str
    """Of `palette`: truecolor, 256, standard or none."""
    dark: bool = True
    accessible: bool = False
    """Words in place of graphs, and few changes: for screen readers."""


def choose(
    *,
    env: Mapping[str, str],
    colour_system: str | None,
    glyphs: str = "auto",
    theme: str = "auto",
    graphs: str = "auto",
    accessible: bool = False,
) -> Look:
    """The look for a terminal.

    Args:
        env: the environment.
        colour_system: what Rich found out: truecolor, 256, standard or None.
        glyphs: auto, unicode or ascii.
        theme: auto, dark or light.
        graphs: auto, braille, blocks or ascii.
        accessible: signs become ASCII and graphs are left out, whatever the other settings say.
    """
    has_unicode = not accessible and (glyphs == "unicode" or (glyphs == "auto" and _can_unicode(env)))
    signs = UNICODE if has_unicode else ASCII
    if accessible:
        signs = signs.replace(graphs=NO_GRAPHS)
    elif graphs != "auto":
        signs = signs.replace(graphs=graphs)
    is_dark = theme == "dark" or (theme == "auto" and not _is_light(env))
    tier = _tier(env, colour_system)
    signs = signs.replace(has_colour=tier != palette.NONE)
    return Look(glyphs=signs, tier=tier, dark=is_dark, accessible=accessible)


def _tier(env: Mapping[str, str], colour_system: str | None) -> str:
    if env.get("NO_COLOR"):
        return palette.NONE
    return {"truecolor": palette.TRUECOLOR, "256": palette.EIGHT_BIT}.get(colour_system or "", palette.STANDARD)


def _is_light(env: Mapping[str, str]) -> bool:
    """Whether the terminal says so: COLORFGBG is "15;0" or "0;default;15", the background last."""
    return env.get("COLORFGBG", "").rpartition(";")[2] in ("7", "15")


def _can_unicode(env: Mapping[str, str]) -> bool:
    term = env.get("TERM", "")
    if term in ("linux", "dumb") or term.startswith("vt"):
        return False
    try:
        # The first stdout: the present one may be Textual's, which has no encoding.
        return codecs.lookup(getattr(sys.__stdout__, "encoding", None) or "ascii").name == "utf-8"
    except LookupError:
        return False


def set_mouse(app: App[Any], *, wanted: bool) -> None:
    """Take the mouse, or leave it to the terminal for selecting text."""
    driver = app._driver  # the only way to it
    switch = getattr(driver, "_enable_mouse_support" if wanted else "_disable_mouse_support", None)
    if switch is not None:
        switch()


def why_not() -> str:
    """Why no full-screen program can be shown here; "" where it can."""
    for name, stream in (("stdin", sys.stdin), ("stdout", sys.stdout)):
        if not stream.isatty():
            return f"{name} is no terminal"
    if os.environ.get("TERM") in (None, "", "dumb"):
        return f"the terminal (TERM={os.environ.get('TERM', '')}) cannot place the cursor"
    return ""
