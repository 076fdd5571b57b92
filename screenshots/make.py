"""Makes the pictures: python screenshots/make.py (needs tmux and a C compiler; takes some minutes).

Real trainings are recorded in a home of their own, the dashboard is opened on it in a real terminal, keys are pressed,
and what the terminal then shows becomes an SVG. The two GPUs are the stand-in of the tests.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from picture import svg  # noqa: E402  # beside this file

from tests.stand_ins.compiling import build  # noqa: E402
from tests.stand_ins.nvml import LIBRARY, SOURCE, NvmlStandIn  # noqa: E402

G = 1 << 30
SERVER = "backprop-pictures"
TRAININGS = (
    ("digits-sgd", ("--lr", "0.02"), "20s"),
    ("digits-lr1e-1", ("--lr", "0.1"), "20s"),
    ("digits-lr5e-2", ("--lr", "0.05"), "20s"),
    ("digits-short", ("--lr", "0.05", "--steps", "700"), "20s"),
    ("digits-tracked", ("--lr", "0.05", "--tracker", "wandb"), "20s"),
    ("digits-b32", ("--lr", "0.05", "--batch", "32"), "6s"),
    ("digits-b8", ("--lr", "0.02", "--batch", "8", "--steps", "4000"), "6s"),
    ("digits-seed7", ("--lr", "0.05", "--seed", "7"), "20s"),
    ("digits-seed8", ("--lr", "0.05", "--seed", "8"), "20s"),
)
"""Name, arguments, time box."""
LIVE = (
    ("digits-long", ("--lr", "0.03", "--batch", "24", "--steps", "30000", "--pace", "0.02"), "12m"),
    ("digits-slow", ("--lr", "0.01", "--batch", "8", "--steps", "9000", "--pace", "0.05"), "5m"),
    (
        "digits-next",
        (
            "--lr",
            "0.2",
        ),
        "10m",
    ),
)


class Studio:
    """A home, a terminal, and two GPUs."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.work = folder, folder / "work"
        self.opened = 0
        """Terminals so far: each has a server of its own."""
        self.work.mkdir()
        shutil.copy(HERE / "train_digits.py", self.work / "train_digits.py")
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", self.work / ".venv"], check=True)
        self.gpus = NvmlStandIn(build(SOURCE, folder / "lib", LIBRARY), folder / "gpus")
        self.gpus.set({"count": 2})
        for n, (used, temp, util, watt) in enumerate(((14.3, 71, 97, 402), (0.6, 46, 0, 61))):
            self.gpus.set(
                {
                    f"{n}.name": "NVIDIA GeForce RTX 4090", f"{n}.total": 24 * G, f"{n}.free": int((24 - used) * G),
                    f"{n}.temp": temp, f"{n}.util": util, f"{n}.power_mw": watt * 1000,
                }
            )  # fmt: skip
        self.env = {
            **self.gpus.env(),
            "HOME": str(folder), "BACKPROP_ADMISSION_DIR": str(folder / "admission"), "PYTHONPATH": str(HERE.parent),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "COLORTERM": "truecolor", "LANG": "C.UTF-8",
            "BACKPROP_SET_MAX_CPU_LOAD_PER_CORE": "1000", "BACKPROP_SET_MIN_FREE_RAM_GB": "0",
        }  # fmt: skip
        for name in ("NO_COLOR", "TMUX", "BACKPROP_HOME"):
            self.env.pop(name, None)

    def backprop(self, *words: str) -> str:
        """Run it to the end; a training that fails is no failure of ours."""
        argv = [sys.executable, "-m", "backprop_tui", *words]
        done = subprocess.run(argv, cwd=self.work, env=self.env, capture_output=True, text=True, check=False)
        return done.stdout.strip()

    def run(self, name: str, args: tuple[str, ...], box: str, *more: str) -> str:
        return self.backprop("run", "-q", "-n", name, "-m", box, *more, "train_digits.py", "--", *args)

    # --- the terminal

    def tmux(self, *words: str) -> str:
        argv = ["tmux", "-L", f"{SERVER}-{self.opened}", "-f", "/dev/null", *words]
        return subprocess.run(argv, env=self.env, capture_output=True, text=True, check=True, cwd=self.work).stdout

    def open(self, columns: int, rows: int, until: str) -> None:
        """The dashboard in a new terminal."""
        self.shut()
        self.opened += 1
        size = ("-x", str(columns), "-y", str(rows))
        self.tmux("new-session", "-d", "-s", "p", *size, f"{sys.executable} -m backprop_tui")
        self.until(until)

    def keys(self, *keys: str, until: str) -> None:
        for key in keys:
            self.tmux("send-keys", "-t", "p", key)
            time.sleep(0.3)  # a person's pace
        self.until(until)

    def until(self, text: str) -> None:
        """Wait until the screen shows a text."""
        end = time.monotonic() + 60
        while text not in (seen := self.tmux("capture-pane", "-p", "-t", "p")):
            if time.monotonic() > end:
                raise SystemExit(f"{text!r} never came; shown:\n{seen}")
            time.sleep(0.1)

    def shoot(self, name: str, columns: int, settle_s: float = 1.5) -> None:
        time.sleep(settle_s)
        text = self.tmux("capture-pane", "-e", "-N", "-p", "-t", "p")
        (HERE / f"{name}.svg").write_text(svg(text, columns))
        print(f"screenshots/{name}.svg", flush=True)

    def close(self) -> None:
        self.backprop("stop", "--all", "--force")
        self.shut()

    def shut(self) -> None:
        if self.opened:
            self.tmux("kill-server")


def main() -> None:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        studio = Studio(Path(folder))
        try:
            tell(studio)
        finally:
            studio.close()


def tell(studio: Studio) -> None:
    """The whole story, in pictures."""
    studio.open(80, 24, "START HERE")
    studio.shoot("first-run-80x24", 80)
    for name, args, box in TRAININGS:
        studio.run(name, args, box)
    studio.backprop("resume", "-q", "-m", "6s", "digits-b8")
    for name in ("digits-lr5e-2", "digits-b8"):
        studio.backprop("tag", name, "sweep")
    for name, args, box in LIVE:
        studio.run(name, args, box, "-d", "--wait", "-p", "2")
    studio.open(120, 40, "digits-slow")
    studio.keys("j", "p", until="paused")
    studio.keys("k", until="digits-long")
    time.sleep(20)  # something to look at
    studio.shoot("main-120x40", 120)
    studio.keys("Enter", until="RESOURCES")
    studio.shoot("run-120x40", 120)
    studio.keys("Escape", until="HISTORY")
    studio.keys("n", until="Launch a run")
    studio.keys("Tab", "C-u", "-", "-", "l", "r", "Space", "0", ".", "1", until="not now")
    studio.shoot("launch-120x40", 120)
    studio.keys("Escape", "2", "/", until="enter keep")
    studio.keys("l", "r", "Enter", "Space", "Space", "c", until="compare")
    studio.shoot("compare-120x40", 120)
    studio.open(80, 24, "digits-slow")
    studio.shoot("main-80x24", 80)
    studio.keys("?", until="Keys")
    studio.shoot("help-80x24", 80)
    studio.keys("Escape", "2", "/", until="enter keep")
    studio.keys("t", "r", "a", "c", "k", "Enter", "Enter", until="WHAT HAPPENED")
    studio.shoot("failed-80x24", 80)
    studio.open(200, 60, "digits-slow")
    studio.shoot("main-200x60", 200, settle_s=4)


if __name__ == "__main__":
    main()
