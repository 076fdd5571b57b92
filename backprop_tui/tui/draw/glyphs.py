"""The signs of the screen, in Unicode and in ASCII, all one column wide."""

from __future__ import annotations

from backprop_tui.frozen import Frozen

BRAILLE, BLOCK_GRAPHS, ASCII_GRAPHS, NO_GRAPHS = "braille", "blocks", "ascii", "off"
"""What graphs are made of; off leaves them to words."""
SPARK_ASCII = "_.-=^"
BLOCKS = "▁▂▃▄▅▆▇█"


_TO_ASCII = str.maketrans({"°": "", "–": "-", "·": "-", "…": "..", "→": "->", "›": ">", "µ": "u", "×": "x", "•": "*"})


class Glyphs(Frozen):
    """One set of signs."""

    states: dict[str, str]
    cursor: str
    mark: str
    bar: str
    rest: str
    rising: str
    flat: str
    falling: str
    slice: str
    saved: str
    cut_off: str
    descending: str
    ascending: str
    ellipsis: str
    none: str
    dot: str
    degree: str
    crumb: str
    axis: str
    star: str = "*"
    is_ascii: bool = False
    graphs: str = BRAILLE
    """Of BRAILLE, BLOCK_GRAPHS, ASCII_GRAPHS and NO_GRAPHS."""
    has_colour: bool = True
    """Curves can be told apart by their colours."""

    def words(self, text: str) -> str:
        """Words with the signs of this set only."""
        return text.translate(_TO_ASCII) if self.is_ascii else text

    def state(self, state: str) -> str:
        """The sign of a run's state."""
        return self.states.get(state, "?")


UNICODE = Glyphs(
    states={
        "queued": "□",
        "starting": "►",
        "running": "●",
        "paused": "‖",
        "stopping": "▼",
        "completed": "✓",
        "timeboxed": "»",
        "failed": "✗",
        "diverged": "!",
        "stopped": "■",
        "lost": "?",
        "broken": "✗",
    },
    cursor="▌",
    mark="◆",
    bar="━",
    rest="─",
    rising="↗",
    flat="→",
    falling="↘",
    slice="┊",
    saved="▲",
    cut_off="▴",
    descending="▾",
    ascending="▴",
    ellipsis="…",
    none="–",
    dot="·",
    degree="°",
    crumb="›",
    axis="│",
)
ASCII = Glyphs(
    states={
        "queued": ".",
        "starting": ">",
        "running": "@",
        "paused": "=",
        "stopping": "v",
        "completed": "+",
        "timeboxed": "~",
        "failed": "x",
        "diverged": "!",
        "stopped": "#",
        "lost": "?",
        "broken": "x",
    },
    cursor=">",
    mark="+",
    bar="=",
    rest="-",
    rising="/",
    flat="-",
    falling="\\",
    slice=":",
    saved="^",
    cut_off="^",
    descending="v",
    ascending="^",
    ellipsis="..",
    none="-",
    dot="-",
    degree="",
    crumb=">",
    axis="|",
    is_ascii=True,
    graphs=ASCII_GRAPHS,
)

BAD = frozenset({"failed", "diverged", "lost", "broken"})
_COLOURS = {
    "queued": "muted",
    "starting": "ok",
    "running": "ok",
    "paused": "hold",
    "stopping": "hold",
    "completed": "ok",
    "timeboxed": "",
    "stopped": "muted",
}


def sign_style(state: str) -> str:
    """The colour of a state's sign."""
    return "bad" if state in BAD else _COLOURS.get(state, "muted")


def word_style(state: str) -> str:
    """The colour of a state's word: normal ends stay quiet, and weight carries what colour may not."""
    if state in BAD:
        return "bad bold"
    if state in ("completed", "timeboxed", "stopped"):
        return "muted"
    return f"{_COLOURS.get(state, '')} bold".strip()
