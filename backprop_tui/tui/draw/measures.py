"""What all gauges are made of: shares, bars, and the words for what is measured."""

from __future__ import annotations

from backprop_tui.tui.draw import graphs
from backprop_tui.watch.figures import NONE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.model.samples import GpuSample
    from backprop_tui.tui.draw.glyphs import Glyphs
    from backprop_tui.tui.draw.line import Line

STALE_S = 5.0
"""A sample that is older is shown as old."""
VRAM = (0.92, 0.98)
RAM = (0.85, 0.95)
DISK = (0.10, 0.03)
CPU = 0.95
HEAT_MARGIN_C = 5
SLOWDOWN_MARGIN_C = 3
"""So far below the driver's slowdown point the Governor's limit is at the latest."""


class Measures:
    """Puts figures on lines; those of an old sample are muted."""

    def __init__(self, glyphs: Glyphs, age_s: float) -> None:
        self.glyphs, self.age_s = glyphs, age_s
        self.is_stale = age_s > STALE_S

    def tint(self, style: str) -> str:
        """A style, unless the sample is old."""
        return "muted" if self.is_stale else style

    def bar(self, line: Line, at: int, width: int, share: float | None, style: str) -> None:
        """How much of a whole."""
        full, rest = graphs.bar(share, width, self.glyphs)
        line.put(at, full, self.tint(style)).put(at + len(full), rest, "faint")


def share_of(percent: float | None) -> float | None:
    """A percentage as a part of one."""
    return None if percent is None else percent / 100


def ratio(part: float | None, whole: float | None) -> float | None:
    """Part of a whole."""
    return None if part is None or not whole else part / whole


def percentage(value: float | None) -> str:
    """97%"""
    return NONE if value is None else f"{value:.0f}%"


def grade(share: float | None, limits: tuple[float, float]) -> str:
    """The colour of a share: none, hold from the first limit on, bad from the second."""
    if share is None or share < limits[0]:
        return ""
    return "bad" if share >= limits[1] else "hold"


def busy(share: float | None) -> str:
    """The colour of how busy the CPU is."""
    return "hold" if share is not None and share >= CPU else ""


def memory_of(gpu: GpuSample) -> tuple[int | None, int | None]:
    """Used and total bytes."""
    return gpu.used_bytes, gpu.total_bytes


def whole(value: float | None) -> str:
    """GiB without decimals."""
    return NONE if value is None else f"{value / (1 << 30):.0f}"


def power(gpu: GpuSample) -> str:
    """402/450W"""
    if gpu.power_w is None:
        return NONE
    limit = "" if gpu.power_limit_w is None else f"/{gpu.power_limit_w:.0f}"
    return f"{gpu.power_w:.0f}{limit}W"


def heat_limit(gpu: GpuSample, limit: int) -> int:
    """At which temperature the Governor steps in: as set, or shortly before the driver slows the GPU down."""
    return limit if gpu.slowdown_c is None else min(limit, gpu.slowdown_c - SLOWDOWN_MARGIN_C)


def short_name(name: str) -> str:
    """What tells models apart: RTX 4090, H100."""
    for word in ("NVIDIA", "GeForce", "Tesla", "Quadro", "AMD", "Radeon", "Instinct"):
        name = name.replace(word, "")
    return " ".join(name.split())


def user_of(gpu: GpuSample, run: str, me: str) -> str:
    """Who uses a GPU: our run, and beside it or alone the processes of others, such as python 21844 (anna).

    Args:
        gpu: with its processes, where they are known.
        run: the run of ours on it, "" for none.
        me: the name of this user: while a run of ours is on the GPU, processes of ours are taken for its own.
    """
    processes = gpu.processes or ()
    run = run or next((p.run for p in processes if p.run), "")
    found = [p for p in processes if not p.run and (not run or (p.user and p.user != me))]
    if not found:
        return run
    if run:
        return (
            f"{run} +{len(found)} of {found[0].user}" if len({p.user for p in found}) == 1 else f"{run} +{len(found)}"
        )
    first = max(found, key=lambda process: process.used_bytes or 0)
    more = f" +{len(found) - 1}" if len(found) > 1 else ""
    who = f" ({first.user})" if first.user else ""
    return f"{first.name or 'process'} {first.pid}{who}{more}"
