"""backprop gpus"""

from __future__ import annotations

import time

from backprop_tui.cli import boxlines, diagnostics, output, words
from backprop_tui.cli.diagnostics import ExitCode
from backprop_tui.watch.figures import gigabytes
from backprop_tui.watch.homes import open_home
from backprop_tui.watch.picking import pick

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.cli.parsing import Parsed
    from backprop_tui.model.samples import GpuSample
    from backprop_tui.watch.picking import Pick

_TITLES = ("GPU", "NAME", "FREE", "TOTAL", "TEMP", "BUSY")
_RIGHT = frozenset({2, 3, 4, 5})


def run(parsed: Parsed) -> int:
    """Print the GPUs and the Governor's choice, or only the choice."""
    flags = {"gpus": parsed.text("count"), "gpu.needMB": parsed.text("need")}
    found = pick(open_home(), flags, parsed.text("config"))
    if parsed.flag("json"):
        output.emit_json(_plain(found))
    elif parsed.flag("mask"):
        if found.ok:
            output.emit(found.mask)
        else:
            diagnostics.say(f"backprop: no choice of {found.wanted}: {'; '.join(found.why_not)}")
    else:
        _show(found)
    return ExitCode.OK if found.ok or not parsed.flag("mask") else ExitCode.REFUSED


def _show(found: Pick) -> None:
    rows = [
        (
            gpu.index,
            gpu.name,
            gigabytes(gpu.free_bytes),
            f"{gigabytes(gpu.total_bytes)} GB",
            words.NONE if gpu.temp_c is None else f"{gpu.temp_c} °C",
            words.NONE if gpu.util_percent is None else f"{gpu.util_percent} %",
        )
        for gpu in found.report.gpus
    ]
    if rows:
        below = ["; ".join(_below(gpu, found)) for gpu in found.report.gpus]
        output.emit_table(_TITLES, rows, right=_RIGHT, shrink=(1,), below=below)
    for index, why in found.report.missing if rows else ():
        output.emit_wrapped(f"GPU {index}: ", why)
    for line in boxlines.report_lines(found.report, time.time()):
        output.emit_wrapped("GPUs: ", line)
    if found.ok:
        output.emit(f"choice: {', '.join(gpu.index for gpu in found.gpus) or 'none is wanted'}")
        return
    for line in found.why_not:
        output.emit_wrapped("no choice: ", line)


def _below(gpu: GpuSample, found: Pick) -> list[str]:
    """Who uses a GPU, and what of its free memory is kept for runs that do not use it yet."""
    users = ", ".join(boxlines.users_of(gpu, found.leases))
    kept = [f"{gigabytes(amount)} GB of what is free is kept for {run}" for run, amount in found.kept(gpu)]
    return [*([f"used by {users}"] if users else []), *kept]


def _plain(found: Pick) -> dict[str, object]:
    gpus = []
    for gpu in found.report.gpus:
        holders = [lease.plain() for lease in found.leases if gpu.index in lease.gpus]
        gpus.append({**gpu.plain(), "leases": holders, "kept": dict(found.kept(gpu)), "chosen": gpu in found.gpus})
    return {
        "gpus": gpus,
        "missing": [{"index": index, "why": why} for index, why in found.report.missing],
        "probe": found.report.probe,
        "mask": found.mask if found.ok else None,
        "decisions": [decision.plain() for decision in found.decisions],
    }
