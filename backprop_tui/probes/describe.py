"""Every GPU probe with what it found, or why it did not answer: for people who wonder."""

from __future__ import annotations

from backprop_tui.frozen import Frozen
from backprop_tui.model.samples import GpuReport
from backprop_tui.probes.gpu import PROBES, TIMEOUT_S, sample_gpus

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


class Finding(Frozen):
    """What one probe can do here."""

    probe: str
    found: bool
    text: str
    """The GPUs it found, or why there are none, in one line."""
    report: GpuReport


def describe_probes(*, t: float, env: Mapping[str, str], timeout_s: float = TIMEOUT_S) -> tuple[Finding, ...]:
    """Ask every probe, one after the other; `t` is epoch seconds for the reports."""
    return tuple(finding(name, sample_gpus(name, t=t, env=env, timeout_s=timeout_s)) for name in PROBES)


def finding(probe: str, report: GpuReport) -> Finding:
    """A report in words."""
    notes = "; ".join(why if name == probe else f"{name}: {why}" for name, why in report.tried)
    if not report.gpus:
        text = notes or "answers, but there is no GPU"
    else:
        names = ", ".join(f"GPU {gpu.index} {gpu.name}" for gpu in report.gpus)
        text = f"{names}; {notes}" if notes else names
    return Finding(probe=probe, found=bool(report.gpus), text=text, report=report)
