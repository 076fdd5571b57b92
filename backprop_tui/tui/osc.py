"""What is said to the terminal itself: text for the clipboard, and notifications.

The sequences are pure; `write` is the one door to the terminal.
"""

from __future__ import annotations

import base64

from backprop_tui.watch.text import clean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from textual.app import App

BELL = "\x07"
COPY_MAX = 74_994
"""Bytes of text: the sequence then has the 100,000 bytes that terminals take."""
NOTE_MAX = 200
_ESC, _ST = "\x1b", "\x1b\\"
_SCREEN_CHUNK = 240
"""Characters that GNU screen passes on at once: older ones hold 256."""


def copy(text: str, env: Mapping[str, str]) -> str:
    """The sequence that puts text into the clipboard (OSC 52); "" for none, or for more than terminals take.

    Nothing in the text acts on a terminal: it goes as base64.
    """
    content = text.encode("utf-8", "replace")
    if not content or len(content) > COPY_MAX:
        return ""
    sequence = f"{_ESC}]52;c;{base64.b64encode(content).decode('ascii')}{BELL}"
    # Bare too: tmux takes it itself where set-clipboard is on, also where it passes nothing on.
    wrapped = _wrapped(sequence, env)
    return sequence if wrapped == sequence else sequence + wrapped


def notify(text: str, env: Mapping[str, str]) -> str:
    """The sequence that shows a notification (OSC 9) where the terminal has any; text of any origin; "" for none."""
    words = clean(text, NOTE_MAX).strip()
    if words.partition(";")[0].isdigit():
        # OSC 9 with a number first is a command of other terminals: 9;4 is a progress bar.
        words = f"backprop: {words}"
    return _wrapped(f"{_ESC}]9;{words}{BELL}", env) if words else ""


def needs_tmux_hint(env: Mapping[str, str]) -> bool:
    """Whether copying goes through tmux, which drops it unless it is set to pass it on."""
    return bool(env.get("TMUX"))


def write(app: App[Any], sequence: str) -> None:
    """Send a sequence to the app's terminal, whole; nothing where it has none, as in tests."""
    if sequence and app._driver is not None:
        app._driver.write(sequence)


def _wrapped(sequence: str, env: Mapping[str, str]) -> str:
    """The sequence as tmux or GNU screen passes it on to the terminal that it is shown in."""
    if env.get("TMUX"):
        return f"{_ESC}Ptmux;{sequence.replace(_ESC, _ESC * 2)}{_ST}"
    if env.get("TERM", "").startswith("screen"):
        parts = (sequence[at : at + _SCREEN_CHUNK] for at in range(0, len(sequence), _SCREEN_CHUNK))
        return "".join(f"{_ESC}P{part}{_ST}" for part in parts)
    return sequence
