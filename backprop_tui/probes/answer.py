"""What one GPU probe says."""

from __future__ import annotations

from backprop_tui.frozen import Frozen
from backprop_tui.model.samples import GpuSample


class Answer(Frozen):
    """The GPUs that could be read, and why others were left out."""

    gpus: tuple[GpuSample, ...] = ()
    notes: tuple[tuple[str, str], ...] = ()
    """(GPU, why it is not among them), such as ("GPU 1", "is lost")."""
    unread: int = 0
    """GPUs that are there but could not be read."""
