"""What all benchmarks need: a scratch home, pairs of measurements, a history of any length."""

from __future__ import annotations

import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

BACKPROP = str(Path(sys.executable).parent / "backprop")
TICK = (
    "import time\n"
    "step = 0\n"
    "while True:\n"
    "    step += 1\n"
    '    print(\'{"step": %d, "loss": %.4f}\' % (step, 1 + 1 / step), flush=True)\n'
    "    time.sleep(1)\n"
)
"""A metric a second."""


class Bench:
    """A scratch home and the environment of every measurement."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.env = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "VIRTUAL_ENV": sys.prefix,
            "BACKPROP_ADMISSION_DIR": str(folder / "admission"),
            "BACKPROP_SET_MAX_CPU_LOAD_PER_CORE": "1000",
            "BACKPROP_SET_MIN_FREE_RAM_GB": "0",
            "BACKPROP_SET_MAX_PARALLEL": "16",
        }

    def script(self, source: str, name: str = "script.py") -> str:
        path = self.folder / name
        path.write_text(source)
        return str(path)

    def time(self, argv: list[str], **more: Any) -> float:
        begin = time.perf_counter()
        subprocess.run(argv, env={**self.env, **more.pop("env", {})}, cwd=self.folder, check=True, **more)
        return time.perf_counter() - begin

    def launch(self, path: str, *args: str, **env: str) -> str:
        """Start a run that goes on by itself; returns its id."""
        argv = [BACKPROP, "run", "-d", "-q", "-m", "30", path, "--", *args]
        done = subprocess.run(
            argv, env={**self.env, **env}, cwd=self.folder, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def stop_all(self) -> None:
        """End every run, and wait until each has ended."""
        subprocess.run(
            [BACKPROP, "stop", "--all", "--force"], env=self.env, capture_output=True, check=False, timeout=60
        )


def pairs(rounds: int, first: Callable[[], float], second: Callable[[], float]) -> tuple[float, float, float]:
    """Medians of both, and of the ratio second/first pair by pair."""
    first(), second()
    got = [(first(), second()) for _ in range(rounds)]
    ratio = statistics.median(b / a for a, b in got)
    return statistics.median(a for a, _b in got), statistics.median(b for _a, b in got), ratio


def make_history(bench: Bench, count: int) -> None:
    """An index of so many ended runs, of all kinds, as years of work leave them."""
    from backprop_tui.store.home import Home
    from backprop_tui.store.index import Index
    from backprop_tui.store.rows import Row

    def rows() -> Iterator[Row]:
        rng, now = random.Random(1), time.time()
        models, kinds = ("llama", "bert", "vit", "gpt2", "resnet", "whisper", "clip"), ("lora", "ft", "aug", "sweep")
        states = ("completed",) * 6 + ("timeboxed", "timeboxed", "failed", "stopped", "diverged", "lost")
        for n in range(count):
            name = f"{rng.choice(models)}-{rng.choice(kinds)}-{rng.randrange(10_000):04d}"
            state, run_id, created = rng.choice(states), f"{n:08x}", now - 600.0 * (count - n)
            yield Row(
                id=run_id,
                state=state,
                created=created,
                started=created + 1,
                ended=created + rng.uniform(60, 600),
                name=name,
                took_s=rng.uniform(60, 600),
                steps=rng.randrange(100_000),
                loss=float("nan") if state == "diverged" else rng.uniform(0.1, 5),
                checkpoints=rng.randrange(5),
                script="train.py",
                args=f"--lr {rng.choice((1e-3, 1e-4))} --rank {rng.choice((4, 8, 16))}",
                slices=1,
                hay=f"{name} {run_id} train.py {state}",
            )

    home = Home(str(bench.folder / ".backprop"))
    home.ensure()
    os.environ["HOME"] = str(bench.folder)
    os.environ.pop("XDG_CACHE_HOME", None)
    index = Index(home)
    index.upsert(rows())
    index.set_meta("runs_mtime", str(os.stat(home.runs).st_mtime_ns))
    index.close()


def main(benchmarks: Mapping[str, Callable[[Bench], None]], names: Sequence[str]) -> None:
    """Run these benchmarks, or all, each in a home of its own."""
    for name in names or benchmarks:
        scratch = Path(tempfile.mkdtemp())
        bench = Bench(scratch)
        try:
            benchmarks[name](bench)
        finally:
            bench.stop_all()
            shutil.rmtree(scratch, ignore_errors=True)
