"""Makes the pictures from the real program in a real terminal: python screenshots/make.py (needs tmux)."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
import time
from html import escape
from pathlib import Path

COLUMNS, ROWS = 110, 32
CELL, LINE = 8.4, 19
HERE = Path(__file__).parent
STORY = (
    "backprop demo",
    "backprop run --name nightly -d -m 1h30m -- sh -c 'sleep 60'; sleep 1; backprop list",
    "backprop status",
)


def capture(commands: tuple[str, ...]) -> list[str]:
    """What a terminal shows after the commands."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        env = {**os.environ, "HOME": folder, "PS1": "$ ", "BACKPROP_ADMISSION_DIR": f"{folder}/admission"}
        env["PATH"] = f"{Path(sys.executable).parent}:{env['PATH']}"
        tmux = ["tmux", "-L", "backprop-pictures"]
        shell = ["bash", "--norc", "--noprofile"]
        size = ["-x", str(COLUMNS), "-y", str(ROWS)]
        subprocess.run([*tmux, "new-session", "-d", "-s", "p", *size, "-c", folder, *shell], env=env, check=True)
        try:
            for n, command in enumerate(commands):
                done = Path(folder) / f"done{n}"
                line = f"{command}; touch {shlex.quote(str(done))}"
                subprocess.run([*tmux, "send-keys", "-t", "p", "-l", line], check=True)
                subprocess.run([*tmux, "send-keys", "-t", "p", "Enter"], check=True)
                while not done.exists():
                    time.sleep(0.1)
            time.sleep(0.5)
            text = subprocess.run(
                [*tmux, "capture-pane", "-p", "-J", "-t", "p"], capture_output=True, text=True, check=True
            )
            subprocess.run(
                [str(Path(sys.executable).parent / "backprop"), "stop", "--all", "--force"],
                env=env,
                capture_output=True,
                check=False,
            )
        finally:
            subprocess.run([*tmux, "kill-server"], check=False)
        lines = text.stdout.replace(folder, "~").replace(sys.prefix, "~/project/.venv").rstrip().splitlines()
        return [line.split("; touch ")[0] for line in lines]


def svg(lines: list[str]) -> str:
    """The lines as a picture of a terminal."""
    width, height = COLUMNS * CELL + 48, len(lines) * LINE + 36
    rows = "".join(
        f'<text x="16" y="{26 + n * LINE}" fill="{_colour(line)}">{escape(line)}</text>' for n, line in enumerate(lines)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}">'
        f'<rect width="100%" height="100%" rx="8" fill="#0f1319"/>'
        f'<g font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="14" xml:space="preserve">{rows}</g></svg>\n'
    )


def _colour(line: str) -> str:
    return "#6cb6ff" if line.startswith("$ ") else "#d7dde6" if line.startswith("backprop:") else "#8d99aa"


if __name__ == "__main__":
    (HERE / "demo.svg").write_text(svg(capture(STORY)))
