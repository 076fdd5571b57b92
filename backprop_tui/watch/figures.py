"""Numbers and times as every front end shows them."""

from __future__ import annotations

import math
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
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


def epoch_words(run: Run) -> str:
    """epoch 2/3, as it was printed; "" where nothing says so."""
    if run.epoch is None or not abs(run.epoch) < 1e9:
        return ""
    of = f"/{run.epochs:.4g}" if run.epochs is not None and run.epoch <= run.epochs < 1e9 else ""
    return f"epoch {run.epoch:.4g}{of}" if run.epoch % 1 == 0 else f"epoch {run.epoch:.2f}{of}"


def gigabytes(value: float | None) -> str:
    """GiB with one decimal, from 100 on without: "21.3", "812"."""
    if value is None:
        return NONE
    amount = value / (1 << 30)
    return f"{amount:.0f}" if amount >= 99.95 else f"{amount:.1f}"


def room(value: float | None) -> str:
    """Bytes in the largest unit that fits, as short as a column: "391K", "212G", "3.1T"."""
    if value is None:
        return NONE
    amount = float(value)
    for unit in ("B", "K", "M", "G", "T", "P"):
        if amount < 999.5 or unit == "P":
            break
        amount /= 1024
    return f"{amount:.1f}{unit}" if amount < 9.95 and unit != "B" else f"{amount:.0f}{unit}"


def short_count(value: float | None) -> str:
    """A count that fits into a narrow column: "1,204", "120k", "3.5M"."""
    if value is None:
        return NONE
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= max(99_999.5, size * 0.9995):
            amount = value / size
            return f"{amount:.1f}{unit}" if abs(amount) < 9.95 else f"{amount:.0f}{unit}"
    return f"{value:,.0f}"


def rate(value: float) -> str:
    """So many a second: three digits, or a count: "3.21", "0.0042", "1,552"."""
    return f"{value:.3g}" if value < 999.5 else short_count(value)


def ago(seconds: float) -> str:
    """How long ago, for a column: "0:33" up to an hour, then "3h"."""
    whole = max(0, int(seconds))
    return f"{whole // 60}:{whole % 60:02d}" if whole < 3600 else age(whole)


def short_path(path: str) -> str:
    """A path with ~ for the user's home."""
    home = os.path.expanduser("~")
    inside = home != "/" and (path == home or path.startswith(home.rstrip("/") + "/"))
    return "~" + path[len(home.rstrip("/")) :] if inside else path
