"""What recognising plain output costs: python -m tests.benchmarks.recognise

CPU time a line for every capture, in pairs with a bare loop over the same lines in the same process; the worst line;
and our own JSON through the reader in pairs with the JSON parser alone. Nothing here passes or fails.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

from backprop_tui.protocol.parse import parse
from backprop_tui.protocol.reading import Reading
from tests.captures.hostile import HOSTILE, N
from tests.captures.table import CAPTURES, lines_of, score

CHUNK = 50
"""Lines a call, about what a tenth of a second brings."""


def cpu(work: Callable[..., object], *args: object) -> float:
    begin = time.process_time()
    work(*args)
    return time.process_time() - begin


def read(lines: list[str], times: int = 1) -> None:
    for _ in range(times):
        reading = Reading()
        for start in range(0, len(lines), CHUNK):
            reading.feed(lines[start : start + CHUNK])
        reading.rest()


def bare(lines: list[str], times: int = 1) -> None:
    for _ in range(times):
        for start in range(0, len(lines), CHUNK):
            for _line in lines[start : start + CHUNK]:
                pass


def a_line(lines: list[str], rounds: int = 7) -> float:
    """Microseconds of CPU a line beyond a bare loop, at the median of the pairs."""
    times = max(1, 4000 // len(lines))
    found = []
    for _ in range(rounds):
        base, ours = cpu(bare, lines, times), cpu(read, lines, times)
        found.append((ours - base) / times / len(lines) * 1e6)
    return statistics.median(found)


def worst_line(lines: list[str]) -> tuple[float, str]:
    reading = Reading()
    worst = (0.0, "")
    for line in lines:
        worst = max(worst, (min(cpu(reading.feed, [line]) for _ in range(3)) * 1e6, line))
    return worst


def json_ratio(rounds: int = 7) -> tuple[float, float]:
    """Our own JSON through the reader against the parser alone, and the parser's microseconds a line."""
    lines = [f'{{"step": {n}, "loss": {1 + n / 1e6:.4f}}}' for n in range(100_000)]
    chunks = [lines[at : at + 2000] for at in range(0, len(lines), 2000)]
    ratios, alone = [], []
    for _ in range(rounds):
        reading = Reading()
        alone.append(cpu(lambda: [parse(chunk) for chunk in chunks]))
        ratios.append(cpu(lambda one: [one.feed(chunk) for chunk in chunks], reading) / alone[-1])
    return statistics.median(ratios), statistics.median(alone) / len(lines) * 1e6


def main() -> None:
    Reading().feed(["warm up"])
    every = []
    worst = (0.0, "")
    for path in CAPTURES:
        lines = lines_of(path)
        every.append(a_line(lines))
        worst = max(worst, worst_line(lines))
        print(f"  {path.name:32} {len(lines):5} lines {every[-1]:6.1f} us a line")
    print(f"median over {len(every)} captures: {statistics.median(every):.1f} us a line, at most {max(every):.1f}")
    print(f"worst line: {worst[0]:.0f} us: {worst[1][:80]!r}")
    print(f"worst hostile line: {worst_line([line[:N] for line in HOSTILE.values()])[0]:.0f} us")
    ratio, alone = json_ratio()
    print(f"JSON lines: {ratio:.3f} x the parser alone ({alone:.2f} us a line)")
    print(score().summary())


if __name__ == "__main__":
    main()
