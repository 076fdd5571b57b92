"""Numbers, times and states as people read them."""

from __future__ import annotations

import math

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.model.decisions import Admission
    from backprop_tui.model.run import Run

NONE = "–"


def duration(seconds: float | None) -> str:
    """m:ss, from an hour on 1h05."""
    if seconds is None:
        return NONE
    whole = max(0, round(seconds))
    if whole >= 3600:
        return f"{whole // 3600}h{whole % 3600 // 60:02d}"
    return f"{whole // 60}:{whole % 60:02d}"


_UNITS = ((31_536_000, "y"), (2_592_000, "mo"), (604_800, "w"), (86_400, "d"), (3600, "h"), (60, "m"))


def age(seconds: float) -> str:
    """One unit: 2m, 3h, 5d."""
    for length, unit in _UNITS:
        if seconds >= length:
            return f"{int(seconds // length)}{unit}"
    return f"{max(0, int(seconds))}s"


def loss(value: float | None) -> str:
    """Four significant digits, or what stands in the way of a number."""
    if value is None:
        return NONE
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "inf" if value > 0 else "-inf"
    size_of = abs(value)
    if size_of >= 1e6:
        return f"{value:.3g}"
    for least, digits in ((100, 0), (10, 1), (0.1, 3), (0.001, 4)):
        if size_of >= least:
            return f"{value:.{digits}f}"
    return "0.000" if value == 0 else f"{value:.1e}"


def count(value: int | None) -> str:
    return NONE if value is None else f"{value:,}"


def size(value: int | None) -> str:
    """Bytes in the unit that fits."""
    if value is None:
        return NONE
    amount = float(value)
    for unit in ("B", "KB", "MB", "GB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} TB"


def checkpoints(run: Run) -> str:
    """How many there are, and how good the newest is."""
    if not run.checkpoint_count:
        return "no checkpoint"
    counted = f"{run.checkpoint_count:,} checkpoint" + ("s" if run.checkpoint_count != 1 else "")
    if not run.checkpoints:
        return counted
    newest = run.checkpoints[-1]
    verdict = "good" if newest.good else "not judged" if newest.good is None else f"not good: {newest.why}"
    return f"{counted}, the newest {verdict}: {newest.path}"


def chosen(admission: Admission) -> str:
    """Where a slice runs, as the Governor decided."""
    if admission.gpu is None:
        return "CPU"
    wanted = f"GPU {admission.gpu.index}"
    texts = [d.text for d in admission.decisions if d.rule == "gpu_memory" and d.ok]
    return next((text for text in texts if wanted in text), wanted)
