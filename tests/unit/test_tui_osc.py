"""The sequences that are said to the terminal itself."""

from __future__ import annotations

import base64
import re
from types import SimpleNamespace

import pytest
from textual.app import App

from backprop_tui.tui import osc

BARE: dict[str, str] = {"TERM": "xterm-256color"}
TMUX = {"TERM": "tmux-256color", "TMUX": "/tmp/tmux-0/default,1,0"}
SCREEN = {"TERM": "screen.xterm-256color"}


@pytest.mark.parametrize(
    ("text", "env", "sequence"),
    [
        ("é", BARE, "\x1b]52;c;w6k=\x07"),
        ("é", {}, "\x1b]52;c;w6k=\x07"),
        ("é", TMUX, "\x1b]52;c;w6k=\x07\x1bPtmux;\x1b\x1b]52;c;w6k=\x07\x1b\\"),
        ("é", {**TMUX, "TERM": "screen-256color"}, "\x1b]52;c;w6k=\x07\x1bPtmux;\x1b\x1b]52;c;w6k=\x07\x1b\\"),
        ("é", SCREEN, "\x1b]52;c;w6k=\x07\x1bP\x1b]52;c;w6k=\x07\x1b\\"),
        ("\x1b]0;title\x07", BARE, "\x1b]52;c;G10wO3RpdGxlBw==\x07"),
        ("\ud800", BARE, "\x1b]52;c;Pw==\x07"),
        ("", TMUX, ""),
        ("x" * (osc.COPY_MAX + 1), BARE, ""),
    ],
)
def test_copy(text: str, env: dict[str, str], sequence: str) -> None:
    assert osc.copy(text, env) == sequence


def test_the_longest_copy_is_taken_by_terminals() -> None:
    sequence = osc.copy("x" * osc.COPY_MAX, BARE)
    assert len(sequence) == 100_000
    assert base64.b64decode(sequence[7:-1]) == b"x" * osc.COPY_MAX


def test_a_long_copy_passes_screen_in_parts() -> None:
    bare = osc.copy("x" * 1000, BARE)
    parts = re.findall(r"\x1bP(.*?)\x1b\\", osc.copy("x" * 1000, SCREEN)[len(bare) :], re.DOTALL)
    assert "".join(parts) == bare
    assert max(map(len, parts)) < 256


@pytest.mark.parametrize(
    ("text", "env", "sequence"),
    [
        ("demo completed", BARE, "\x1b]9;demo completed\x07"),
        ("demo completed", TMUX, "\x1bPtmux;\x1b\x1b]9;demo completed\x07\x1b\\"),
        ("demo completed", SCREEN, "\x1bP\x1b]9;demo completed\x07\x1b\\"),
        ("a\x07b\x1b]52;c;eA==\x07c\x9cd", BARE, "\x1b]9;a\ufffdbc\ufffdd\x07"),
        ("4;1;50", BARE, "\x1b]9;backprop: 4;1;50\x07"),
        ("4 runs ended", BARE, "\x1b]9;4 runs ended\x07"),
        (" \x1b[31m ", BARE, ""),
        ("", TMUX, ""),
    ],
)
def test_notify(text: str, env: dict[str, str], sequence: str) -> None:
    assert osc.notify(text, env) == sequence


def test_a_notification_is_short() -> None:
    assert len(osc.notify("x" * 10_000, BARE)) == len("\x1b]9;\x07") + osc.NOTE_MAX


@pytest.mark.parametrize(("env", "needs"), [(BARE, False), (TMUX, True), (SCREEN, False), ({"TMUX": ""}, False)])
def test_tmux_hint(env: dict[str, str], needs: bool) -> None:
    assert osc.needs_tmux_hint(env) is needs


def test_write_goes_through_the_apps_driver() -> None:
    written: list[str] = []
    app = App[None]()
    osc.write(app, osc.BELL)
    app._driver = SimpleNamespace(write=written.append)  # type: ignore[assignment]
    osc.write(app, "")
    osc.write(app, osc.BELL)
    assert written == ["\x07"]
