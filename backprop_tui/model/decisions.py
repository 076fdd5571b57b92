"""What the Governor decided, each with its rule, value and limit."""

from __future__ import annotations

from backprop_tui.frozen import Frozen
from backprop_tui.model.samples import GpuSample


class Decision(Frozen):
    """One rule applied to one value."""

    rule: str
    """ram, cpu, slots, gpu_memory, gpu_temp, gpu_mask, probe, queue."""
    ok: bool
    text: str
    """One sentence with value and limit, such as "RAM: 3.1 GB free, 4.0 GB wanted"."""
    value: float | None = None
    limit: float | None = None
    help: str = ""
    """What would help, when it is not ok."""


class Admission(Frozen):
    """Whether a slice may start now, where, and why."""

    admitted: bool
    decisions: tuple[Decision, ...]
    gpu: GpuSample | None = None
    """The chosen GPU, None to run without one."""
    cautious: bool = False
    """A probe failed: one run at a time."""

    @property
    def refusals(self) -> tuple[Decision, ...]:
        return tuple(d for d in self.decisions if not d.ok)
