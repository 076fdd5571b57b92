"""The box in a few lines: GPUs in the form that fits, and the host."""

from __future__ import annotations

from backprop_tui.tui.draw.gpus import HELP, GpuRows, Use
from backprop_tui.tui.draw.line import Line
from backprop_tui.tui.draw.measures import (
    DISK,
    RAM,
    Measures,
    busy,
    grade,
    percentage,
    ratio,
    whole,
)
from backprop_tui.watch.figures import age, gigabytes, room

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.tui.draw.glyphs import Glyphs
    from backprop_tui.watch.box import BoxSample

MODES = ("auto", "full", "2-up", "strip", "hidden")
MEDIUM, TIGHT = 110, 80
FORGET_S = 600.0
"""Figures that are older than this are not shown any more."""


class Gauges:
    """Draws the gauges of one sample."""

    def __init__(
        self,
        box: BoxSample,
        glyphs: Glyphs,
        *,
        max_temp_c: int,
        now: float,
        use: Use | None = None,
    ) -> None:
        """
        Args:
            box: the newest sample.
            glyphs: the signs in use.
            max_temp_c: the limit that is set for a start.
            now: epoch seconds; an old sample is shown as old.
            use: who uses the GPUs.
        """
        self._box, self._glyphs, self._now = box, glyphs, now
        last = box.last_gpus
        is_known = last is not None and bool(last.gpus) and now - last.t < FORGET_S
        self._report = last if last is not None and is_known else box.gpus
        self._host = Measures(glyphs, now - box.t)
        self._rows = GpuRows(
            self._report.gpus,
            glyphs,
            use=use or Use(),
            max_temp_c=max_temp_c,
            age_s=now - min(box.t, self._report.t),
            tells_age=not self._host.is_stale,
        )

    def lines(self, width: int, height: int, mode: str = "auto") -> list[Line]:
        """All lines.

        Args:
            width: of the screen.
            height: of the screen; a quarter of it is the most that is taken.
            mode: one of `MODES`.
        """
        if mode == "hidden":
            return []
        gpus, rows = self._report.gpus, self._rows
        gone = [(name.partition(" ")[2], why) for name, why in self._report.tried if why in HELP]
        host = [self._host_line(width)] if height >= 16 or not gpus else []
        if not gpus:
            return [self._none(width), *host]
        count, budget = len(gpus) + len(gone), max(3, height // 4)
        if width < TIGHT:
            return [rows.short(gpu, width) for gpu in gpus[: max(1, height // 6)]] + host
        chosen = mode
        if mode == "auto":
            two_up = (len(gpus) + 1) // 2 + 2
            chosen = "full" if count + 1 <= budget else "2-up" if width < 160 and two_up <= budget else "strip"
        if chosen == "full":
            draw = rows.wide if width >= MEDIUM else rows.full
            return [draw(gpu, width) for gpu in gpus] + [rows.gone(*found, width) for found in gone] + host
        return (rows.two_up(width) if chosen == "2-up" else [rows.strip(width)]) + host

    def _none(self, width: int) -> Line:
        report = self._box.gpus
        why = "; ".join(why for _probe, why in report.tried[:1])
        line = Line(width).put(1, "GPU", "muted")
        if report.failed:
            since = f" Last read {age(max(0.0, self._now - report.last_good))} ago." if report.last_good else ""
            text = f"cannot be read {self._glyphs.none} {why}.{since} Runs are started one at a time."
            return line.put(8, text, "bad", room=width - 9)
        more = f" {why[0].upper()}{why[1:]}." if why else ""
        return line.put(8, f"none found {self._glyphs.none} runs use the CPU.{more}", "muted", room=width - 9)

    def _host_line(self, width: int) -> Line:
        box, wide, host = self._box, width >= MEDIUM, self._host
        line = Line(width).put(1, "HOST", "muted")
        cpu = None if box.cpu_percent is None else box.cpu_percent / 100
        total, free = box.host.ram_total_bytes, box.host.ram_free_bytes
        used = None if total is None or free is None else total - free
        ram = ratio(used, total)
        if width < TIGHT:
            bars = 7 if width >= 56 else 5
            host.bar(line, 7, bars, cpu, "bar")
            line.put(7 + bars, percentage(box.cpu_percent), host.tint(busy(cpu)), room=5, right=True)
            line.put(line.at + 1, f"{whole(used)}/{whole(total)}G", host.tint(grade(ram, RAM)))
            return self._disk(line, line.at + 2, f"disk {room(box.disk_free_bytes)}")
        at, size = (18, 12) if wide else (8, 16)
        if wide:
            line.put(8, f"{box.host.cores} cores", "muted")
        host.bar(line, at, size, cpu, busy(cpu) or "bar")
        line.put(at + size, percentage(box.cpu_percent), host.tint(busy(cpu)), room=5, right=True)
        if wide and box.host.load1 is not None:
            line.put(37, f"load {box.host.load1:.1f}", "muted")
        at, size = (60, 12) if wide else (36, 13)
        line.put(at - 5, "RAM", "muted")
        host.bar(line, at, size, ram, grade(ram, RAM) or "bar")
        text = f"{gigabytes(used)}/{gigabytes(total) if (total or 0) < 100 << 30 else whole(total)}G"
        line.put(at + size, text, host.tint(grade(ram, RAM)), room=11, right=True)
        at = 85 if wide else 62
        return self._disk(line, max(at, line.at + 1), f"disk {room(box.disk_free_bytes)} free")

    def _disk(self, line: Line, at: int, text: str) -> Line:
        """The disk; in its place how old all of this is, where that matters more."""
        if self._host.is_stale:
            return line.put(at, f"{age(max(0.0, self._host.age_s))} old", "hold bold")
        share = ratio(self._box.disk_free_bytes, self._box.disk_total_bytes)
        style = "muted" if share is None or share >= DISK[0] else "bad" if share < DISK[1] else "hold"
        return line.put(at, text, style)
