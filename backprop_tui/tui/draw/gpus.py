"""The GPUs of the box in lines, in each of the forms."""

from __future__ import annotations

from backprop_tui.frozen import Frozen
from backprop_tui.tui.draw import graphs
from backprop_tui.tui.draw.line import Line
from backprop_tui.tui.draw.measures import (
    HEAT_MARGIN_C,
    VRAM,
    Measures,
    grade,
    heat_limit,
    memory_of,
    percentage,
    power,
    ratio,
    share_of,
    short_name,
    user_of,
    whole,
)
from backprop_tui.watch.figures import NONE, age, gigabytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from backprop_tui.model.samples import GpuSample
    from backprop_tui.tui.draw.glyphs import Glyphs

HELP = {
    "is lost": "is lost; restarting the machine brings it back",
    "needs a reset": "needs a reset: nvidia-smi --gpu-reset, or restart the machine",
}
"""What a probe says of a GPU that stays away until somebody does something, and what that is."""


class Use(Frozen):
    """Who uses the GPUs, and how much."""

    runs: Mapping[str, str] = {}  # never changed: a Frozen's default
    """The run of ours on a GPU, by the GPU's index."""
    me: str = ""
    """This user's name: processes of ours beside a run of ours are taken for its own."""
    history: Mapping[str, Sequence[float]] = {}  # never changed: a Frozen's default
    """Utilisation of the last minute, by index, percent."""


class GpuRows(Measures):
    """Draws the GPUs of one sample."""

    def __init__(
        self,
        gpus: Sequence[GpuSample],
        glyphs: Glyphs,
        *,
        use: Use,
        max_temp_c: int,
        age_s: float,
        tells_age: bool,
    ) -> None:
        """
        Args:
            gpus: of the sample.
            glyphs: the signs in use.
            use: who uses them.
            max_temp_c: the limit that is set.
            age_s: how old the sample is.
            tells_age: of an old sample it is said here how old it is.
        """
        super().__init__(glyphs, age_s)
        self._tells_age = self.is_stale and tells_age
        self._gpus, self._limit, self._use = gpus, max_temp_c, use

    def full(self, gpu: GpuSample, width: int) -> Line:
        """One GPU at 80 columns."""
        line = Line(width).put(1, f"GPU {gpu.index}", "muted", room=7)
        self.bar(line, 8, 16, share_of(gpu.util_percent), "bar")
        line.put(24, percentage(gpu.util_percent), self.tint(""), room=5, right=True)
        line.put(31, _memory_word(gpu), "muted")
        self._memory(line, gpu, bar=(36, 13), text=(50, 10))
        self._heat(line, gpu, 61, 7, unit=self.glyphs.degree)
        return self._power(line, gpu, 69, 9)

    def wide(self, gpu: GpuSample, width: int) -> Line:
        """One GPU from 110 columns on, with its history and who uses it."""
        line = Line(width).put(1, f"GPU {gpu.index}", "muted", room=6)
        line.put(8, short_name(gpu.name), "muted", room=9)
        self.bar(line, 18, 12, share_of(gpu.util_percent), "bar")
        line.put(30, percentage(gpu.util_percent), self.tint(""), room=5, right=True)
        line.put(37, graphs.spark(self._use.history.get(gpu.index, ())[-32:], 16, self.glyphs), self.tint("bar"))
        line.put(55, _memory_word(gpu), "muted")
        self._memory(line, gpu, bar=(60, 12), text=(73, 10))
        self._heat(line, gpu, 84, 8, unit=f"{self.glyphs.degree}C")
        self._power(line, gpu, 94, 8)
        run = self._use.runs.get(gpu.index, "")
        user = user_of(gpu, run, self._use.me)
        return line.put(104, user or "idle", "" if run else "muted", room=width - 105)

    def short(self, gpu: GpuSample, width: int) -> Line:
        """One GPU on a narrow screen."""
        wide = 7 if width >= 56 else 5
        line = Line(width).put(1, f"GPU {gpu.index}", "muted", room=5)
        self.bar(line, 7, wide, share_of(gpu.util_percent), "bar")
        line.put(7 + wide, percentage(gpu.util_percent), self.tint(""), room=5, right=True)
        used, total = memory_of(gpu)
        text = f"{gigabytes(used)}/{whole(total)}G"
        line.put(line.at + 1, text, self.tint(grade(ratio(used, total), VRAM)), room=8, right=True)
        self._heat(line, gpu, line.at + 1, 7, unit=self.glyphs.degree)
        if self._tells_age:
            line.put(line.at + 1, self._old, "hold bold")
        elif width >= 56 and gpu.power_w is not None:
            line.put(line.at + 1, f"{gpu.power_w:.0f}W", "muted")
        return line

    def two_up(self, width: int) -> list[Line]:
        """Two GPUs a line."""
        gpus = self._gpus
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

    def strip(self, width: int) -> Line:
        """All of them in one line."""
        gpus = self._gpus
        line = Line(width).put(1, f"GPU {gpus[0].index}-{gpus[-1].index}", "muted")
        shares = [share_of(gpu.util_percent) for gpu in gpus]
        line.put(line.at + 2, "util ", "muted").add(graphs.levels(shares, self.glyphs), self.tint("bar"))
        line.put(line.at + 2, "VRAM ", "muted")
        line.add(graphs.levels([ratio(*memory_of(gpu)) for gpu in gpus], self.glyphs), self.tint("bar"))
        hot = max(gpus, key=lambda gpu: gpu.temp_c or 0)
        if hot.temp_c is not None:
            text = f"{hot.temp_c}/{heat_limit(hot, self._limit)}{self.glyphs.degree}"
            line.put(line.at + 2, f"hottest {hot.index}: ", "muted").add(text, self.tint(self._heat_style(hot)))
        return line.put(line.at + 2, self._old, "hold bold") if self._tells_age else line

    def gone(self, gpu: str, why: str, width: int) -> Line:
        """A GPU that was here and does not answer any more; `gpu` such as GPU 1."""
        return Line(width).put(1, gpu, "muted", room=6).put(8, HELP[why], "bad bold", room=width - 9)

    @property
    def _old(self) -> str:
        return f"{age(max(0.0, self.age_s))} old"

    def _half(self, line: Line, left: int, gpu: GpuSample) -> None:
        line.put(left + 1, gpu.index, "muted", room=3, right=True)
        self.bar(line, left + 5, 6, share_of(gpu.util_percent), "bar")
        line.put(left + 11, percentage(gpu.util_percent), self.tint(""), room=5, right=True)
        used, total = memory_of(gpu)
        style = grade(ratio(used, total), VRAM)
        self.bar(line, left + 17, 4, ratio(used, total), style or "bar")
        line.put(left + 21, f"{gigabytes(used)}/{whole(total)}", self.tint(style), room=8, right=True)
        temp = NONE if gpu.temp_c is None else f"{gpu.temp_c}{self.glyphs.degree}"
        line.put(left + 29, temp, self.tint(self._heat_style(gpu)), room=5, right=True)
        watt = NONE if gpu.power_w is None else f"{gpu.power_w:.0f}W"
        text = age(max(0.0, self.age_s)) if self._tells_age else watt
        line.put(left + 34, text, "hold bold" if self._tells_age else "muted", room=5, right=True)

    def _memory(self, line: Line, gpu: GpuSample, *, bar: tuple[int, int], text: tuple[int, int]) -> None:
        used, total = memory_of(gpu)
        style = grade(ratio(used, total), VRAM)
        self.bar(line, bar[0], bar[1], ratio(used, total), style or "bar")
        line.put(text[0], f"{gigabytes(used)}/{gigabytes(total)}G", self.tint(style), room=text[1], right=True)

    def _power(self, line: Line, gpu: GpuSample, at: int, room: int) -> Line:
        """The power; in its place how old all of this is, where that matters more."""
        text, style = (self._old, "hold bold") if self._tells_age else (power(gpu), "muted")
        return line.put(at, text, style, room=room, right=True)

    def _heat(self, line: Line, gpu: GpuSample, at: int, room: int, *, unit: str) -> None:
        if gpu.temp_c is None:
            line.put(at, NONE, "muted", room=room, right=True)
            return
        limit = heat_limit(gpu, self._limit)
        mark = "!" if gpu.temp_c >= limit or gpu.is_slowed else ""
        text = f"{gpu.temp_c}/{limit}{unit}{mark}"
        line.put(at, text, self.tint(self._heat_style(gpu)), room=room + len(mark), right=True)

    def _heat_style(self, gpu: GpuSample) -> str:
        if gpu.is_slowed:
            return "bad"
        limit = heat_limit(gpu, self._limit)
        if gpu.temp_c is None or gpu.temp_c < limit - HEAT_MARGIN_C:
            return ""
        return "bad" if gpu.temp_c >= limit else "hold"


def _memory_word(gpu: GpuSample) -> str:
    return "RAM" if gpu.is_unified else "VRAM"
