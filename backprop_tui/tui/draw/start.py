"""START HERE: what a newcomer sees until the first run exists."""

from __future__ import annotations

from backprop_tui.tui.draw.bands import band
from backprop_tui.tui.draw.line import Line
from backprop_tui.tui.draw.place import wrapped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.tui.draw.glyphs import Glyphs

_FULL = (
    ("", "No runs yet. This is how it goes:"),
    ("", ""),
    ("1", "Launch. Press n and choose a training script. It gets a 10-minute box."),
    ("-", "The Governor first checks GPU memory, RAM, CPU load and heat."),
    ("2", "Watch. Time left, loss and its trend show here, live."),
    ("-", "Leave with q whenever you like: runs keep going without it."),
    ("3", "Resume. When the box is over, the script is asked to save, and stops."),
    ("-", "r resumes it from its newest good checkpoint, for 10 more minutes."),
    ("", ""),
    ("", "Any script works as it is: progress bars, losses and checkpoints are read."),
    ("", "Where no curve appears, set metrics.pattern to how its lines look, or print:"),
    ("=", 'print(\'{"step": 10, "loss": 0.5}\', flush=True)'),
    ("", ""),
    ("", "No script at hand? d runs a demo of half a minute on the CPU."),
    ("", "Same from a shell: backprop run train.py -- --lr 2e-4"),
)
"""A number, "-" for what belongs to it, "=" for what is typed, "" for plain words; and the words."""
_SHORT = (
    ("", "No runs yet."),
    ("1", "n launches a script for 10 min."),
    ("2", "Watch it; q leaves, it goes on."),
    ("3", "r resumes it from what it saved."),
    ("", "d runs a demo of half a minute."),
    ("", "In a shell: backprop run train.py"),
)
_KEYS = {"n", "q", "r", "d"}
_COLUMNS = {"": 2, "-": 5, "=": 7}


def lines(width: int, height: int, glyphs: Glyphs) -> list[Line]:
    """The text in full where it fits, else without blank lines, else in short."""
    head = band(width, "START HERE", focused=False)
    full = _drawn(_FULL, width, glyphs)
    dense = _drawn(tuple(row for row in _FULL if row[1]), width, glyphs)
    short = _drawn(_SHORT, width, glyphs)
    for body in ([Line(width), *full], full, dense, [Line(width), *short], short):
        if len(body) + 1 <= height:
            return [head, *body]
    return [head, *short][:height]


def _drawn(rows: tuple[tuple[str, str], ...], width: int, glyphs: Glyphs) -> list[Line]:
    out = []
    for sign, text in rows:
        column = _COLUMNS.get(sign, 5)
        parts = [text] if sign == "=" else wrapped(text, width - column - 1)
        for n, part in enumerate(parts):
            line = Line(width, glyphs=glyphs)
            if sign.isdigit() and n == 0:
                line.put(2, sign, "accent bold")
            at = column
            for word in part.split(" "):
                line.put(at, word, "key" if sign != "=" and word.rstrip(".,") in _KEYS else "")
                at += len(word) + 1
            out.append(line)
    return out
