"""What the Governor decided, each with its rule, value and limit."""

from __future__ import annotations

from backprop_tui.frozen import Frozen
from backprop_tui.model.samples import GpuSample


class Decision(Frozen):
    """One rule applied to one value."""

    rule: str
    """What it is about, such as ram, cpu, slots, gpu_memory, gpu_temp, gpu_mask, gpu_count, disk, probe, queue, hold,
    drain, yield."""
    ok: bool
    text: str
    """One sentence with value and limit, such as "RAM: 3.1 GB free, 4.0 GB wanted"."""
    value: float | None = None
    limit: float | None = None
    help: str = ""
    """What would help, when it is not ok."""
    age_s: float | None = None
    """How old the value is, None for what is known at once."""
    is_aside: bool = False
    """It counts for nothing: the GPU is passed over, or its value cannot be told."""
    is_final: bool = False
    """Waiting changes nothing: the box can never give what is asked."""


class Admission(Frozen):
    """Whether a slice may start now, where, and why."""

    admitted: bool
    decisions: tuple[Decision, ...]
    gpus: tuple[GpuSample, ...] = ()
    """The chosen GPUs, none to run without."""
    cautious: bool = False
    """A probe failed: one run at a time."""
    expected_s: float | None = None
    """In about how many seconds a start that was refused could be admitted; None where there is no telling."""

    hot: tuple[str, ...] = ()
    """GPUs, by index, that heat keeps from being chosen."""

    @property
    def refusals(self) -> tuple[Decision, ...]:
        return tuple(d for d in self.decisions if not d.ok)

    @property
    def is_final(self) -> bool:
        """Refused for good: waiting changes nothing."""
        return any(d.is_final and not d.ok for d in self.decisions)
