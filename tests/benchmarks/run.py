"""What backprop costs, measured in pairs in one run: python -m tests.benchmarks.run [NAME …]

Needs backprop installed (compiled) in the interpreter's environment. Prints ratios of medians of pairs; absolute
times depend on the machine. Nothing here passes or fails.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path

from tests.benchmarks.bench import BACKPROP, TICK, Bench, main, make_history, pairs

ONE_LINE = 'print(\'{"step": 1, "loss": 0.5}\')\n'
FLOOD = (
    "import sys, time\n"
    "n, out = int(sys.argv[1]), sys.stdout\n"
    "t = time.perf_counter()\n"
    "for i in range(n):\n"
    '    print(\'{"step": %d, "loss": %.4f}\' % (i + 1, 1 + i / 1e6))\n'
    "open(sys.argv[2], 'w').write(str(time.perf_counter() - t))\n"
)
LATE = (
    "import os, signal, sys, time\n"
    "def note(*got):\n"
    "    open(sys.argv[1], 'a').write('%.6f\\n' % (time.time() - float(os.environ['BACKPROP_DEADLINE'])))\n"
    "    sys.exit(0)\n"
    "signal.signal(signal.SIGINT, note)\n"
    "while True:\n"
    "    time.sleep(10)\n"
)


def overhead(bench: Bench) -> None:
    path = bench.script(ONE_LINE)
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    bare, ours, ratio = pairs(
        40,
        lambda: bench.time([sys.executable, path], **quiet),
        lambda: bench.time([BACKPROP, "run", "-q", path], **quiet),
    )
    print(f"run of a one-line script: {ratio:.2f} x bare python ({bare * 1e3:.1f} ms, {ours * 1e3:.1f} ms)")


def listing(bench: Bench) -> None:
    n = 100_000
    make_history(bench, n)
    quiet = {"stdout": subprocess.DEVNULL}
    bare, ours, ratio = pairs(
        30,
        lambda: bench.time([sys.executable, "-c", "pass"], **quiet),
        lambda: bench.time([BACKPROP, "list"], **quiet),
    )
    # Started from a small process: a child begins with its parent's size.
    code = (
        "import os, sys; pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, "
        "file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]); print(os.wait4(pid, 0)[2].ru_maxrss)"
    )
    argv = [sys.executable, "-c", code, BACKPROP, "list"]
    peak_kb = int(subprocess.run(argv, env=bench.env, stdout=subprocess.PIPE, check=True).stdout)
    print(
        f"list of 50 of {n:,} runs: {ratio:.2f} x python -c pass "
        f"({bare * 1e3:.1f} ms, {ours * 1e3:.1f} ms), {peak_kb / 1024:.0f} MB"
    )


def flood(bench: Bench) -> None:
    path, took = bench.script(FLOOD), bench.folder / "took"
    for n, rounds in ((100_000, 7), (1_000_000, 3)):
        cpu: list[float] = []

        def plain(count: int = n, *, unbuffered: str = "1") -> float:
            with open(bench.folder / "plain.log", "wb") as log:
                env = {**bench.env, **({"PYTHONUNBUFFERED": "1"} if unbuffered else {})}
                subprocess.run([sys.executable, path, str(count), str(took)], env=env, stdout=log, check=True)
            return float(took.read_text())

        def supervised(count: int = n, times: list[float] = cpu) -> float:
            argv = [BACKPROP, "run", "-q", "--json", path, "--", str(count), str(took)]
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            done = subprocess.run(argv, env=bench.env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            run = json.loads(done.stdout)
            assert run["metric_lines"] == count, run["metric_lines"]
            whole = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            times.append(whole)
            return float(took.read_text())

        base, ours, ratio = pairs(rounds, plain, supervised)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        plain()
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        script_cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        buffered = plain(unbuffered="")
        print(
            f"{n:,} metric lines, none lost: the script takes {ratio:.2f} x (alone {base:.2f} s, supervised "
            f"{ours:.2f} s; buffered and alone {buffered:.2f} s); supervisor "
            f"{(statistics.median(cpu) - script_cpu) / n * 1e6:.1f} us of CPU a line"
        )


def rest(bench: Bench) -> None:
    path = bench.script(TICK)
    done = subprocess.run(
        [BACKPROP, "run", "-d", "-q", path], env=bench.env, capture_output=True, text=True, check=True
    )
    state_file = bench.folder / ".backprop" / "runs" / done.stdout.strip() / "state.json"
    time.sleep(3)
    pid = json.loads(state_file.read_text())["owner"]["process"]["pid"]

    def ticks() -> int:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])

    first, begin = ticks(), time.monotonic()
    time.sleep(30)
    share = (ticks() - first) / os.sysconf("SC_CLK_TCK") / (time.monotonic() - begin)
    status = Path(f"/proc/{pid}/status").read_text()
    rss = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
    print(f"a supervisor at rest (a line a second): {share:.2%} of a core, {rss / 1024:.0f} MB")
    os.kill(pid, signal.SIGTERM)
    while json.loads(state_file.read_text())["state"] in ("running", "stopping"):
        time.sleep(0.1)


def lateness(bench: Bench) -> None:
    path, late = bench.script(LATE), bench.folder / "late"
    for _ in range(15):
        argv = [BACKPROP, "run", "-q", "-m", "0.7s", path, "--", str(late)]
        subprocess.run(argv, env=bench.env, check=True)
    found = sorted(float(line) * 1e3 for line in late.read_text().split())
    print(
        f"SIGINT at the end of the box: {statistics.median(found):.1f} ms late at the median, at most {found[-1]:.1f}"
    )


ALL = {"overhead": overhead, "listing": listing, "flood": flood, "rest": rest, "lateness": lateness}

if __name__ == "__main__":
    main(ALL, sys.argv[1:])
