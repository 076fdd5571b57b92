"""Text that would act, wherever text can stand, in a terminal that obeys what reaches it: it is shown, and acts not.

The terminal is tmux with its clipboard, titles and passing on open. After every key its title, clipboard and modes
are as before, and columns stand where they should.
"""

from __future__ import annotations

import re
import shutil
import time
from pathlib import Path

import pytest
from rich.cells import cell_len

from backprop_tui.tui import osc
from backprop_tui.tui.draw.line import cells, showable
from tests.box import Box, script
from tests.stand_ins.waiting import wait_until
from tests.tui.tmux import Tmux, in_tmux

CLIPBOARD = "\x1b]52;c;T1dORUQ=\x07"
TEXT = (
    "[@click=app.leave]x[/] [bold]y [/red] [link=file:///]"
    f"\x1b]0;OWNED\x07\x1b]2;OWNED\x1b\\{CLIPBOARD}\x1bPtmux;\x1b{CLIPBOARD}\x1b\\\x1bkOWNED\x1b\\"
    "\x1b[2J\x1b[31m\x1b[?1049l\x1b[?25h\x1b[?1000l\x1b[4h\x1b[5;1H\x1b(0\x1b#8\x1bc"
    "\x9b31m\x9d0;OWNED\x9ca\x08\x08"
    "\u6f22\u5b57e\u0301\U0001f468\u200d\U0001f469\u200d\U0001f467\u2764\ufe0f\U0001f44d\U0001f3fd\U0001f1e9\U0001f1ea"
    "\u202eRLO\u202c\u2066\u200b\u2060\u00ad\u3164\u1100\u1161\udcff"
)
Step = tuple[str | tuple[str, ...], str]
BACK = (("Escape",), "HISTORY 2")
CLOSE = (("Escape",), "-╰")
STEPS: tuple[Step, ...] = (
    ("2", "space mark"),
    (("Enter",), "WHAT HAPPENED"),
    ("2", "Traceback"),
    ("3", "saved "),
    ("4", "step 39"),
    ("5", "maxRunMinutes"),
    ("6", "starting"),
    BACK,
    ("l", "search"),
    ("/", "search upwards"),
    ("click", " click"),
    (("Enter",), "line "),
    (("Escape",), "-line "),
    BACK,
    ("/", "esc clear"),
    ("click", " click"),
    (("Escape",), "-esc clear"),
    ("  ", "2 marked"),
    ("c", "compare 2 runs"),
    BACK,
    ("D", "Archive"),
    CLOSE,
    ("!", "Problems"),
    CLOSE,
    ("?", "SIGNS"),
    CLOSE,
    ("n", "RECENT"),
    (("C-r",), "take it"),
    (("Enter",), ".py'"),
    CLOSE,
    (("Escape",), "-marked"),
    ("r", "╰"),
    CLOSE,
    ("1", "K kill"),
    ("K", "Keep running"),
    CLOSE,
    ("t", "Time box"),
    CLOSE,
    (("Enter",), "This slice ends"),
    ("2", '"loss"'),
    BACK,
)
"""Keys, and what is shown then; with a - what is no longer shown."""


@pytest.mark.tmux
@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
def test_nothing_acts_and_nothing_shifts(box: Box, tmp_path: Path, size: tuple[int, int]) -> None:
    hostile_runs(box)
    with in_tmux(box.argv(), folder=tmp_path, cwd=box.work, env=box.env, size=size) as pane:
        raw = tmp_path / "raw"
        before = pane.modes
        pane.ask("pipe-pane", f"cat >{raw}")
        wait_until(raw.exists)
        pane.wait_for("HISTORY 2")
        wait_until(lambda: pane.modes.split("|")[2] == "1")
        shown = pane.modes
        assert shown.split("|")[:1] == before.split("|")[:1]
        check(pane, shown, size[0])
        for keys, text in STEPS:
            if isinstance(keys, str):
                pane.type(keys)
            else:
                pane.keys(*keys)
            if text.startswith("-"):
                pane.wait_for_end_of(text[1:])
            else:
                pane.wait_for(text)
            check(pane, shown, size[0])
        pane.type("2")
        pane.wait_for("space mark")
        shutil.rmtree(box.work / "ck")
        pane.type("r")
        pane.wait_for("checkpoint")
        check(pane, shown, size[0])
        check_bytes(raw.read_bytes())


def hostile_runs(box: Box) -> None:
    path = box.work / f"{TEXT.replace('/', '')[:150]}.py"
    path.write_text(Path(script("hostile.py")).read_text())
    for name in ("A", "C"):
        box.run("run", "-q", "-n", name + TEXT[:190], "--tag", TEXT, path.name, "--", "fail", TEXT, code=1)
    run_id = box.run("run", "-d", "-n", "B" + TEXT[:190], "--tag", TEXT, path.name, "--", "go", TEXT).stdout.strip()
    box.run("note", run_id, TEXT)
    box.wait_for_step(run_id, 42)


DRAWN_S = 5.0


def check(pane: Tmux, modes: str, width: int) -> None:
    """The terminal is as it was, and what is drawn stands in its columns, once it is drawn whole."""
    end = time.monotonic() + DRAWN_S
    while True:
        try:
            look(pane, modes, width)
        except AssertionError:
            if time.monotonic() > end:
                raise
        else:
            return


def look(pane: Tmux, modes: str, width: int) -> None:
    screen = pane.screen
    assert not pane.is_dead, screen
    assert (pane.modes, pane.buffers) == (modes, ""), screen
    lines = [cells_of(line) for line in screen.split("\n")]
    assert all(len(line) <= width for line in lines), screen
    left = right = -1
    for line in lines:
        text = "".join(line)
        if "╭" in text:
            left, right = line.index("╭"), line.index("╮")
        elif "╰" in text:
            assert (line.index("╰"), line.index("╯")) == (left, right), screen
            left = right = -1
        elif left >= 0:
            assert (line[left], line[right]) == ("│", "│"), screen
        elif re.match(r"[▌ ] ● B\[@click", text):
            assert text.endswith(" cpu"), screen
            assert len(line) == width - 1, screen
        elif re.match(r"[▌ ◆]+ ✗ [AC]\[@click", text):
            assert re.search(r" \d+[smh]$", text), screen
            assert len(line) == width - 1, screen


def cells_of(line: str) -> list[str]:
    """What stands in each column; the second one of a wide character is empty."""
    cells: list[str] = []
    for sign in line:
        if cell_len(sign):
            cells += [sign, *[""] * (cell_len(sign) - 1)]
        elif cells:
            cells[-1] += sign
    return cells


def check_bytes(raw: bytes) -> None:
    """Nothing of it has reached the terminal as it came."""
    shown = raw.decode("utf-8")
    assert "[@click=app.leave]x" in shown
    assert not re.search("[\x80-\x9f\u202a-\u202e\u2066-\u2069\u200b-\u200d]", shown)
    own = shown.replace("\x1b]22;default\x07", "")  # Textual: the mouse pointer's shape
    assert not re.findall(r"\x1b[^\[].{0,40}", own), "something else than CSI"
    assert "\x1b[2J" not in shown
    assert "\0" not in shown


WIDTHS = (
    "\u6f22\u5b57",
    "\uff76\uff9e\u30ab\u3099",
    "e\u0301\u0327x",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "\u2764\ufe0f\u2764\ufe0e\u26a0\ufe0f1\ufe0f\u20e3",
    "\U0001f44d\U0001f3fd\U0001f3fd",
    "\U0001f1e9\U0001f1ea\U0001f1e9",
    "\u202eRLO\u202c\u2066\u200f",
    "\u200b\u2060\ufeff\u00ad\u061c",
    "\u3164\u1100\u1161\u1100\u115f\u1160",
    "\U000e0041\U000e0100",
    "\u0e01\u0e33\u0e49\u0915\u094d\u0937",
    "\u05d0\u05b8\u0627\u0651",
    "\t\x0b\x85\xa0\u2003\u3000\u2028",
    "\x00\x7f\x9b\ud800\udcff",
    "\u25cf\u2014\u2018\u2591\u2800\u28ff\u2501\u00b7\u25b4",
    TEXT,
)


@pytest.mark.tmux
def test_what_is_shown_is_as_wide_as_it_is_taken_for(box: Box, tmp_path: Path) -> None:
    for number, text in enumerate(WIDTHS):
        assert showable(showable(text)) == showable(text)
        (box.work / str(number)).write_text(showable(text))
    command = f"for n in $(seq 0 {len(WIDTHS) - 1}); do cat $n; printf '\\033[6n'; read -r -d R place; "
    command += 'printf "%s\\n" "${place#*;}" >>places; printf "\\n"; done; cat'
    with in_tmux(["bash", "-c", f"stty -echo; {command}"], folder=tmp_path, cwd=box.work, env=box.env, size=(400, 40)):
        places = box.work / "places"
        wait_until(lambda: places.exists() and places.read_text().count("\n") == len(WIDTHS))
    widths = [int(place) - 1 for place in places.read_text().split()]
    assert {text: width for text, width in zip(WIDTHS, widths, strict=True) if width != cells(showable(text))} == {}


@pytest.mark.tmux
def test_what_is_copied_is_in_the_clipboard_and_nothing_else(box: Box, tmp_path: Path) -> None:
    text = TEXT.encode("utf-8", "replace").decode()
    (box.work / "copied").write_text(osc.copy(text, {"TMUX": "x"}) + osc.notify(text, {"TMUX": "x"}))
    with in_tmux(["sh", "-c", "cat copied; cat"], folder=tmp_path, cwd=box.work, env=box.env, size=(80, 24)) as pane:
        wait_until(lambda: pane.buffers)
        assert pane.ask("show-buffer") == text
        assert pane.buffers.count("\n") == 1
        assert pane.screen.strip() == ""
        assert "OWNED" not in pane.modes
