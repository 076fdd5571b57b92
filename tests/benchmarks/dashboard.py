"""What the dashboard costs and how fast it answers: python -m tests.benchmarks.dashboard [NAME …]

Needs backprop[test] installed (compiled) in the interpreter's environment, and Linux. Times that are compared are
measured in pairs in one run; absolute ones depend on the machine. $BTOP and $NVITOP name these programs where they are
not on PATH. Nothing here passes or fails.
"""

from __future__ import annotations

import os
import random
import shutil
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial

from tests.benchmarks.bench import BACKPROP, TICK, Bench, main, make_history, pairs
from tests.benchmarks.terminal import Terminal
from tests.stand_ins import compiling, nvml

EMPTY_APP = (
    "from textual.app import App\n"
    "from textual.widgets import Static\n"
    "class Empty(App):\n"
    "    def compose(self):\n"
    "        yield Static('empty and ready')\n"
    "Empty().run()\n"
)
METRICS = (
    "import json, sys, time\n"
    "said, step = open(sys.argv[1], 'w', buffering=1), 1000\n"
    "while True:\n"
    "    step += 13\n"
    "    print(step, time.time(), file=said)\n"
    "    print(json.dumps({'step': step, 'loss': 1 + 1 / step}), flush=True)\n"
    "    time.sleep(float(sys.argv[2]) * (1 + step % 7 / 7))\n"
)
"""Says to a file when it prints which step."""
CAUGHT = (
    "import os, signal, sys, time\n"
    "def note(*got):\n"
    "    open(sys.argv[1], 'w').write('%.6f' % time.time())\n"
    "    os._exit(0)\n"
    "signal.signal(signal.SIGINT, note)\n"
    'print(\'{"step": 1, "loss": 0.5}\', flush=True)\n'
    "while True:\n"
    "    time.sleep(10)\n"
)
"""Says to a file when it was interrupted."""
BUSY = (
    "import json, time\n"
    "step, begin = 0, time.monotonic()\n"
    "while True:\n"
    "    step += 1\n"
    "    print('epoch 3 batch %d: reading shard %d' % (step, step % 17))\n"
    "    print(json.dumps({'step': step, 'loss': 1 + 1 / step, 'lr': 1e-4}), flush=True)\n"
    "    time.sleep(max(0.0, begin + step / 50 - time.monotonic()))\n"
)
"""Fifty lines and fifty metrics a second."""
WORDS = ("llama", "lora-1", "status:failed", "vit-aug-00", "bert", "loss<0.5", "zzz")
TYPING_S = 0.15
"""Between two keys of somebody who types fast, and the time that a key has for its answer."""
REST_S = 60.0


def median(values: list[float]) -> float:
    return statistics.median(values)


def open_dashboard(bench: Bench, **env: str) -> Terminal:
    return Terminal([BACKPROP], {**bench.env, **env})


def open_empty(bench: Bench) -> Terminal:
    return Terminal([sys.executable, bench.script(EMPTY_APP, "empty.py")], bench.env)


def key_costs(terminal: Terminal, keys: list[str], *, idle: float) -> tuple[float, float, float]:
    """Medians over these keys, one after the other: CPU ms, ms to the first byte, bytes."""
    cpu: list[float] = []
    waits: list[float] = []
    sizes: list[float] = []
    for key in keys:
        terminal.settle()
        before, count, begin = terminal.cpu_s(), terminal.count, time.time()
        at = terminal.send(key)
        waits.append(terminal.wait(since=at) - begin)
        time.sleep(0.2)
        terminal.settle()
        cpu.append(terminal.cpu_s() - before - idle * (time.time() - begin))
        sizes.append(float(terminal.count - count))
    return median(cpu) * 1e3, median(waits) * 1e3, median(sizes)


def typing_costs(terminal: Terminal, *, idle: float) -> tuple[list[float], list[float]]:
    """CPU ms of each filter key, as it is typed, and of those after which the typing stops."""
    typed: list[float] = []
    alone: list[float] = []
    for word in WORDS:
        for n, key in enumerate(word):
            before, begin = terminal.cpu_s(), time.monotonic()
            terminal.send(key)
            time.sleep(TYPING_S)
            if n == len(word) - 1:
                time.sleep(0.5)
                terminal.settle()
            cost = terminal.cpu_s() - before - idle * (time.monotonic() - begin)
            (alone if n == len(word) - 1 else typed).append(cost * 1e3)
        for _ in word:
            terminal.send("\x7f")
            time.sleep(TYPING_S)
        time.sleep(0.5)
        terminal.settle()
    return typed, alone


def idle_share(terminal: Terminal, seconds: float = 4.0) -> float:
    """CPU seconds a second when nobody presses a key."""
    before, begin = terminal.cpu_s(), time.monotonic()
    time.sleep(seconds)
    return (terminal.cpu_s() - before) / (time.monotonic() - begin)


def first_paint(bench: Bench, rounds: int = 7) -> tuple[float, float, float]:
    """Seconds to the first words of an empty app, to the first row of the dashboard, and their ratio, in pairs."""

    def once(terminal: Terminal, words: str) -> float:
        with terminal:
            return terminal.wait(words) - terminal.started

    def ours() -> float:
        return once(open_dashboard(bench), "completed")

    def empty() -> float:
        return once(open_empty(bench), "empty and ready")

    return pairs(rounds, empty, ours)


def history(bench: Bench, size: int = 100_000) -> None:
    """First paint, keys and memory of a long history."""
    make_history(bench, size)
    bare, ours, ratio = first_paint(bench)
    print(f"{size:,} runs: first rows after {ratio:.2f} x an empty app ({bare:.2f} s, {ours:.2f} s)")
    with open_dashboard(bench) as terminal:
        terminal.wait("completed")
        terminal.send("2")
        time.sleep(2)
        idle = idle_share(terminal)
        for name, keys in (("down", "j" * 20), ("page down", "\x04" * 12), ("end, home", "GgGgGgGg")):
            cpu, wait, count = key_costs(terminal, list(keys), idle=idle)
            print(f"{size:,} runs: {name:10} {cpu:5.1f} ms of CPU, answered after {wait:3.0f} ms, {count:.0f} bytes")
        terminal.send("/")
        typed, alone = typing_costs(terminal, idle=idle)
        print(
            f"{size:,} runs: filter key {median(typed):5.1f} ms of CPU while typing (at most {max(typed):.0f}), "
            f"{median(alone):.0f} ms until the whole is listed as well"
        )
        rss, pss = terminal.memory_mb()
        print(f"{size:,} runs: {rss:.0f} MB resident, {pss:.0f} MB without what others share")


def measure_rest(terminal: Terminal, name: str) -> None:
    """CPU a minute and bytes a second of a program that nobody touches."""
    time.sleep(6)
    cpu, count, begin = terminal.cpu_s(), terminal.count, time.monotonic()
    time.sleep(REST_S)
    took = time.monotonic() - begin
    cpu, count = terminal.cpu_s() - cpu, terminal.count - count
    print(
        f"at rest, {name}: {cpu / took * 60:.2f} s of CPU a minute, {count / took / 1e3:.2f} KB/s, {terminal.memory_mb()[0]:.0f} MB"
    )


def rest(bench: Bench) -> None:
    """Eight GPUs, nobody at the keys: with nothing running, with four runs, and what others take for it."""
    library = compiling.build(nvml.SOURCE, bench.folder / "lib", nvml.LIBRARY, "-DALIVE=8")
    gpus = {"LD_LIBRARY_PATH": str(library.parent)}
    with open_empty(bench) as terminal:
        measure_rest(terminal, "an empty Textual app")
    with open_dashboard(bench, **gpus) as terminal:
        measure_rest(terminal, "nothing running")
    path = bench.script(TICK)
    for _ in range(4):
        bench.launch(path, **gpus)
    with open_dashboard(bench, **gpus) as terminal:
        measure_rest(terminal, "4 runs")
    for name, variable in (("btop", "BTOP"), ("nvitop", "NVITOP")):
        found = os.environ.get(variable) or shutil.which(name)
        if not found:
            print(f"at rest, {name}: not installed")
            continue
        with Terminal([found], {**bench.env, **gpus, "LANG": "C.UTF-8"}) as terminal:
            measure_rest(terminal, name)


def latency(bench: Bench) -> None:
    """From the moment a script prints a metric to its figure on the screen."""
    said = bench.folder / "said"
    bench.launch(bench.script(METRICS), str(said), "1.2")
    found: list[float] = []
    with open_dashboard(bench) as terminal:
        terminal.wait("running")
        time.sleep(3)
        for _ in range(40):
            lines = len(said.read_text().splitlines())
            while len(said.read_text().splitlines()) == lines:
                time.sleep(0.005)
            step, t = said.read_text().splitlines()[-1].split()
            found.append(terminal.wait(f"{int(step):,}", since=0) - float(t))
    found.sort()
    print(f"a printed metric is on the screen after {median(found):.2f} s at the median, {found[-1]:.2f} s at most")


def confirm(bench: Bench) -> None:
    """From the key that confirms a stop to the signal in the process."""
    found: list[float] = []
    path, caught = bench.script(CAUGHT), bench.folder / "caught"
    with open_dashboard(bench) as terminal:
        terminal.wait("nothing running")
        for _ in range(12):
            caught.unlink(missing_ok=True)
            at = terminal.at
            bench.launch(path, str(caught))
            terminal.wait("1 running", since=at)
            time.sleep(1 + random.random())
            at = terminal.send("1")
            time.sleep(0.3)
            terminal.send("K")
            terminal.wait("Stop ", since=at)
            time.sleep(0.5)
            begin, end = time.time(), time.monotonic() + 20
            at = terminal.send("y")
            while not caught.exists() or not caught.read_text():
                if time.monotonic() > end:
                    raise TimeoutError("no signal came")
                time.sleep(0.005)
            found.append(float(caught.read_text()) - begin)
            terminal.wait("nothing running", since=at)
    found.sort()
    print(f"the signal is there {median(found):.2f} s after the key at the median, {found[-1]:.2f} s at most")


ANSWERS = (("j", "▌"), ("k", "▌"), ("2", "active"), ("1", "history"), ("\t", "active"), ("1", "history"))
PAGES = (("\r", "Overview"), ("\x1b", "HISTORY"), ("l", "log,"), ("\x1b", "HISTORY"))
"""Keys, and a word that only the answer to them writes."""


def busy(bench: Bench) -> None:
    """How soon keys are answered while four runs print fifty lines and fifty metrics a second each."""
    path = bench.script(BUSY)
    for _ in range(4):
        bench.launch(path)
    found: list[tuple[float, str]] = []
    with open_dashboard(bench) as terminal:
        terminal.wait("4 running")
        time.sleep(20)
        before, begin = terminal.cpu_s(), time.monotonic()
        for _ in range(10):
            for key, word in ANSWERS + PAGES:
                time.sleep(0.2 + random.random() / 5)
                pressed = time.time()
                at = terminal.send(key)
                found.append((terminal.wait(word, since=at) - pressed, f"{key!r}"))
        share = (terminal.cpu_s() - before) / (time.monotonic() - begin)
    found.sort()
    slowest = ", ".join(f"{key} {took * 1e3:.0f}" for took, key in found[-4:])
    print(
        f"400 lines a second from 4 runs: a key is answered after {median([took for took, _ in found]) * 1e3:.0f} ms "
        f"at the median, {found[-1][0] * 1e3:.0f} ms at most (slowest: {slowest}); {share:.0%} of a core"
    )


BENCHMARKS: dict[str, Callable[[Bench], None]] = {
    "history": history,
    "million": partial(history, size=1_000_000),
    "rest": rest,
    "latency": latency,
    "confirm": confirm,
    "busy": busy,
}

if __name__ == "__main__":
    main(BENCHMARKS, sys.argv[1:])
