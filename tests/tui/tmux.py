"""The dashboard in tmux: a terminal that obeys what reaches it, and tells what became of it."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.requirements import require
from tests.stand_ins.waiting import wait_until

_MODES = (
    "#{pane_title}|#{window_name}|#{alternate_on}|#{cursor_flag}|#{mouse_any_flag}|#{mouse_sgr_flag}|#{insert_flag}"
)


class Tmux:
    """A tmux server of the test's own with one pane."""

    def __init__(self, socket: Path, command: str, *, cwd: Path, env: dict[str, str], size: tuple[int, int]) -> None:
        require("tmux", shutil.which("tmux") is not None, "there is no tmux")
        self._socket = str(socket)
        self._env = {"TERM": "xterm-256color", "LC_ALL": "C.UTF-8", "SHELL": "/bin/sh", **env}
        conf = socket.with_suffix(".conf")
        # As open as tmux can be: what reaches it is obeyed.
        conf.write_text(
            "set -g set-clipboard on\nset -g allow-rename on\nset -g automatic-rename off\nset -g allow-passthrough on\nset -g status off\n"
            "set -g default-terminal tmux-256color\nset -g remain-on-exit on\n"
        )
        width, height = size
        where = ["-c", str(cwd), "-x", str(width), "-y", str(height)]
        self.ask("-f", str(conf), "new-session", "-d", *where, f"COLORTERM=truecolor {command}")

    def ask(self, *words: str) -> str:
        """One command of tmux; what it answers."""
        done = subprocess.run(
            ["tmux", "-S", self._socket, *words], env=self._env, capture_output=True, check=True, timeout=60
        )
        return done.stdout.decode("utf-8", "replace")

    def keys(self, *names: str) -> None:
        self.ask("send-keys", *names)

    def type(self, text: str) -> None:
        self.ask("send-keys", "-l", text)

    @property
    def screen(self) -> str:
        """What the terminal shows."""
        return self.ask("capture-pane", "-p")

    @property
    def modes(self) -> str:
        return self.ask("display-message", "-p", _MODES).strip()

    @property
    def buffers(self) -> str:
        """What was put into the clipboard."""
        return self.ask("list-buffers")

    @property
    def is_dead(self) -> bool:
        """Whether the program has ended."""
        return self.ask("display-message", "-p", "#{pane_dead}").strip() == "1"

    def wait_for(self, text: str, *, there: bool = True) -> None:
        """Wait until the terminal shows a text."""
        seen = ""

        def is_so() -> bool:
            nonlocal seen
            seen = self.screen
            return (text in seen) is there

        try:
            wait_until(is_so, 20.0)
        except AssertionError:
            raise AssertionError(f"{'never' if there else 'always'} shown: {text}; now:\n{seen}")

    def wait_for_end_of(self, text: str) -> None:
        """Wait until the terminal shows it no more."""
        self.wait_for(text, there=False)

    def close(self) -> None:
        subprocess.run(["tmux", "-S", self._socket, "kill-server"], capture_output=True, check=False)


@contextmanager
def in_tmux(argv: list[str], *, folder: Path, cwd: Path, env: dict[str, str], size: tuple[int, int]) -> Iterator[Tmux]:
    pane = Tmux(folder / "tmux", shlex.join(argv), cwd=cwd, env=env, size=size)
    try:
        yield pane
    finally:
        pane.close()
