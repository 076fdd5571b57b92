"""The box in a few lines: GPUs in the form that fits, and the host."""

from __future__ import annotations

from backprop_tui.tui.draw import graphs
from backprop_tui.tui.draw.line import Line
from backprop_tui.watch.figures import NONE, age, gigabytes, room

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from backprop_tui.model.samples import GpuSample
    from backprop_tui.tui.draw.glyphs import Glyphs
    from backprop_tui.watch.box import BoxSample

MODES = ("auto", "full", "2-up", "strip", "hidden")
MEDIUM, TIGHT, STALE_S = 110, 80, 5.0
VRAM = (0.92, 0.98)
RAM = (0.85, 0.95)
DISK = (0.10, 0.03)
CPU = 0.95
HEAT_MARGIN_C = 5


class Gauges:
    """Draws the gauges of one sample."""

    def __init__(
        self,
        box: BoxSample,
        glyphs: Glyphs,
        *,
        max_temp_c: int,
        now: float,
        users: Mapping[str, str] | None = None,
        history: Mapping[str, Sequence[float]] | None = None,
    ) -> None:
        """
        Args:
            box: the newest sample.
            glyphs: the signs in use.
            max_temp_c: the limit that is set for a start.
            now: epoch seconds; an old sample is shown as old.
            users: what runs on a GPU, by its index.
            history: utilisation of the last minute, by index, percent.
        """
        self._box, self._glyphs, self._limit = box, glyphs, max_temp_c
        self._users, self._history = users or {}, history or {}
        self._age = now - box.t
        self._is_stale = self._age > STALE_S

    def lines(self, width: int, height: int, mode: str = "auto") -> list[Line]:
        """All lines.

        Args:
            width: of the screen.
            height: of the screen; a quarter of it is the most that is taken.
            mode: one of `MODES`.
        """
        if mode == "hidden":
            return []
        gpus = self._box.gpus.gpus
        host = [self._host(width)] if height >= 16 or not gpus else []
        if not gpus:
            return [self._none(width), *host]
        budget = max(3, height // 4)
        if width < TIGHT:
            return [self._short(gpu, width) for gpu in gpus[: max(1, height // 6)]] + host
        chosen = mode
        if mode == "auto":
            two_up = (len(gpus) + 1) // 2 + 2
            chosen = "full" if len(gpus) + 1 <= budget else "2-up" if width < 160 and two_up <= budget else "strip"
        if chosen == "full":
            draw = self._wide if width >= MEDIUM else self._full
            return [draw(gpu, width) for gpu in gpus] + host
        return (self._two_up(width) if chosen == "2-up" else [self._strip(width)]) + host

    def _tint(self, style: str) -> str:
        return "muted" if self._is_stale else style

    def _full(self, gpu: GpuSample, width: int) -> Line:
        line = Line(width).put(1, f"GPU {gpu.index}", "muted", room=7)
        self._bar(line, 8, 16, _share(gpu.util_percent), "bar")
        line.put(24, _percent(gpu.util_percent), self._tint(""), room=5, right=True)
        line.put(31, "VRAM", "muted")
        self._memory(line, gpu, bar=(36, 13), text=(50, 10))
        self._heat(line, gpu, 61, 7, unit=self._glyphs.degree)
        return line.put(69, _power(gpu), "muted", room=9, right=True)

    def _wide(self, gpu: GpuSample, width: int) -> Line:
        line = Line(width).put(1, f"GPU {gpu.index}", "muted", room=6)
        line.put(8, _short_name(gpu.name), "muted", room=9)
        self._bar(line, 18, 12, _share(gpu.util_percent), "bar")
        line.put(30, _percent(gpu.util_percent), self._tint(""), room=5, right=True)
        line.put(37, graphs.spark(self._history.get(gpu.index, ())[-32:], 16, self._glyphs), self._tint("bar"))
        line.put(55, "VRAM", "muted")
        self._memory(line, gpu, bar=(60, 12), text=(73, 10))
        self._heat(line, gpu, 84, 8, unit=f"{self._glyphs.degree}C")
        line.put(94, _power(gpu), "muted", room=8, right=True)
        user = self._users.get(gpu.index, "")
        return line.put(104, user or "idle", "" if user else "muted", room=width - 105)

    def _short(self, gpu: GpuSample, width: int) -> Line:
        wide = 7 if width >= 56 else 5
        line = Line(width).put(1, f"GPU {gpu.index}", "muted", room=5)
        self._bar(line, 7, wide, _share(gpu.util_percent), "bar")
        line.put(7 + wide, _percent(gpu.util_percent), self._tint(""), room=5, right=True)
        used, total = _memory_of(gpu)
        text = f"{gigabytes(used)}/{_whole(total)}G"
        line.put(line.at + 1, text, self._tint(_grade(_ratio(used, total), VRAM)), room=8, right=True)
        self._heat(line, gpu, line.at + 1, 7, unit=self._glyphs.degree)
        if width >= 56 and gpu.power_w is not None:
            line.put(line.at + 1, f"{gpu.power_w:.0f}W", "muted")
        return line

    def _two_up(self, width: int) -> list[Line]:
        gpus = self._box.gpus.gpus
        rows = (len(gpus) + 1) // 2
        half = width // 2
        lines = [Line(width)]
        for left in (0, half):
            for at, text in ((1, "GPU"), (5, "util"), (17, "VRAM"), (29, "temp"), (34, "watt")):
                lines[0].put(left + at, text, "muted")
        for n in range(rows):
            line = Line(width)
            for left, gpu in zip((0, half), (gpus[n], *gpus[n + rows : n + rows + 1]), strict=False):
                self._half(line, left, gpu)
            lines.append(line)
        return lines

    def _half(self, line: Line, left: int, gpu: GpuSample) -> None:
        line.put(left + 1, gpu.index, "muted", room=3, right=True)
        self._bar(line, left + 5, 6, _share(gpu.util_percent), "bar")
        line.put(left + 11, _percent(gpu.util_percent), self._tint(""), room=5, right=True)
        used, total = _memory_of(gpu)
        style = _grade(_ratio(used, total), VRAM)
        self._bar(line, left + 17, 4, _ratio(used, total), style or "bar")
        line.put(left + 21, f"{gigabytes(used)}/{_whole(total)}", self._tint(style), room=8, right=True)
        temp = NONE if gpu.temp_c is None else f"{gpu.temp_c}{self._glyphs.degree}"
        line.put(left + 29, temp, self._tint(self._heat_style(gpu)), room=5, right=True)
        watt = NONE if gpu.power_w is None else f"{gpu.power_w:.0f}W"
        line.put(left + 34, watt, "muted", room=5, right=True)

    def _strip(self, width: int) -> Line:
        gpus = self._box.gpus.gpus
        line = Line(width).put(1, f"GPU {gpus[0].index}-{gpus[-1].index}", "muted")
        shares = [_share(gpu.util_percent) for gpu in gpus]
        line.put(line.at + 2, "util ", "muted").add(graphs.levels(shares, self._glyphs), self._tint("bar"))
        line.put(line.at + 2, "VRAM ", "muted")
        line.add(graphs.levels([_ratio(*_memory_of(gpu)) for gpu in gpus], self._glyphs), self._tint("bar"))
        hot = max(gpus, key=lambda gpu: gpu.temp_c or 0)
        if hot.temp_c is not None:
            text = f"{hot.temp_c}/{self._limit}{self._glyphs.degree}"
            line.put(line.at + 2, f"hottest {hot.index}: ", "muted").add(text, self._tint(self._heat_style(hot)))
        return line

    def _none(self, width: int) -> Line:
        report = self._box.gpus
        why = "; ".join(why for _probe, why in report.tried[:1])
        line = Line(width).put(1, "GPU", "muted")
        if report.failed:
            text = f"cannot be read {self._glyphs.none} {why}. Runs are started one at a time."
            return line.put(8, text, "bad", room=width - 9)
        more = f" {why[0].upper()}{why[1:]}." if why else ""
        return line.put(8, f"none found {self._glyphs.none} runs use the CPU.{more}", "muted", room=width - 9)

    def _host(self, width: int) -> Line:
        box, wide = self._box, width >= MEDIUM
        line = Line(width).put(1, "HOST", "muted")
        cpu = None if box.cpu_percent is None else box.cpu_percent / 100
        total, free = box.host.ram_total_bytes, box.host.ram_free_bytes
        used = None if total is None or free is None else total - free
        ram = _ratio(used, total)
        if width < TIGHT:
            bars = 7 if width >= 56 else 5
            self._bar(line, 7, bars, cpu, "bar")
            line.put(7 + bars, _percent(box.cpu_percent), self._tint(_busy(cpu)), room=5, right=True)
            line.put(line.at + 1, f"{_whole(used)}/{_whole(total)}G", self._tint(_grade(ram, RAM)))
            return self._disk(line, line.at + 2, f"disk {room(box.disk_free_bytes)}")
        at, size = (18, 12) if wide else (8, 16)
        if wide:
            line.put(8, f"{box.host.cores} cores", "muted")
        self._bar(line, at, size, cpu, _busy(cpu) or "bar")
        line.put(at + size, _percent(box.cpu_percent), self._tint(_busy(cpu)), room=5, right=True)
        if wide and box.host.load1 is not None:
            line.put(37, f"load {box.host.load1:.1f}", "muted")
        at, size = (60, 12) if wide else (36, 13)
        line.put(at - 5, "RAM", "muted")
        self._bar(line, at, size, ram, _grade(ram, RAM) or "bar")
        text = (
            f"{gigabytes(used)}/{gigabytes(total)}G"
            if (total or 0) < 100 << 30
            else f"{gigabytes(used)}/{_whole(total)}G"
        )
        line.put(at + size, text, self._tint(_grade(ram, RAM)), room=11, right=True)
        at = 85 if wide else 62
        return self._disk(line, max(at, line.at + 1), f"disk {room(box.disk_free_bytes)} free")

    def _disk(self, line: Line, at: int, text: str) -> Line:
        """The disk; in its place how old all of this is, where that matters more."""
        if self._is_stale:
            return line.put(at, f"{age(max(0.0, self._age))} old", "hold bold")
        share = _ratio(self._box.disk_free_bytes, self._box.disk_total_bytes)
        style = "muted" if share is None or share >= DISK[0] else "bad" if share < DISK[1] else "hold"
        return line.put(at, text, style)

    def _bar(self, line: Line, at: int, width: int, share: float | None, style: str) -> None:
        full, rest = graphs.bar(share, width, self._glyphs)
        line.put(at, full, self._tint(style)).put(at + len(full), rest, "faint")

    def _memory(self, line: Line, gpu: GpuSample, *, bar: tuple[int, int], text: tuple[int, int]) -> None:
        used, total = _memory_of(gpu)
        style = _grade(_ratio(used, total), VRAM)
        self._bar(line, bar[0], bar[1], _ratio(used, total), style or "bar")
        line.put(text[0], f"{gigabytes(used)}/{gigabytes(total)}G", self._tint(style), room=text[1], right=True)

    def _heat(self, line: Line, gpu: GpuSample, at: int, room_: int, *, unit: str) -> None:
        if gpu.temp_c is None:
            line.put(at, NONE, "muted", room=room_, right=True)
            return
        mark = "!" if gpu.temp_c >= self._limit else ""
        text = f"{gpu.temp_c}/{self._limit}{unit}{mark}"
        line.put(at, text, self._tint(self._heat_style(gpu)), room=room_ + len(mark), right=True)

    def _heat_style(self, gpu: GpuSample) -> str:
        if gpu.temp_c is None or gpu.temp_c < self._limit - HEAT_MARGIN_C:
            return ""
        return "bad" if gpu.temp_c >= self._limit else "hold"


def _share(percent: float | None) -> float | None:
    return None if percent is None else percent / 100


def _ratio(part: float | None, whole: float | None) -> float | None:
    return None if part is None or not whole else part / whole


def _percent(value: float | None) -> str:
    return NONE if value is None else f"{value:.0f}%"


def _grade(share: float | None, limits: tuple[float, float]) -> str:
    if share is None or share < limits[0]:
        return ""
    return "bad" if share >= limits[1] else "hold"


def _busy(share: float | None) -> str:
    return "hold" if share is not None and share >= CPU else ""


def _memory_of(gpu: GpuSample) -> tuple[int | None, int | None]:
    if gpu.total_bytes is None or gpu.free_bytes is None:
        return None, gpu.total_bytes
    return gpu.total_bytes - gpu.free_bytes, gpu.total_bytes


def _whole(value: float | None) -> str:
    return NONE if value is None else f"{value / (1 << 30):.0f}"


def _power(gpu: GpuSample) -> str:
    if gpu.power_w is None:
        return NONE
    limit = "" if gpu.power_limit_w is None else f"/{gpu.power_limit_w:.0f}"
    return f"{gpu.power_w:.0f}{limit}W"


def _short_name(name: str) -> str:
    """What tells models apart: RTX 4090, H100."""
    for word in ("NVIDIA", "GeForce", "Tesla", "Quadro", "AMD", "Radeon", "Instinct"):
        name = name.replace(word, "")
    return " ".join(name.split())
