"""All that one look at the box found, and what people ordered for the whole of it."""

from __future__ import annotations

from backprop_tui.frozen import Frozen
from backprop_tui.model.samples import GpuReport, HostSample, Lease


class Drain(Frozen):
    """No slice starts until this is taken back."""

    who: str
    since: float
    """Epoch seconds."""


class Yield(Frozen):
    """All slices save and end, and none starts until a moment."""

    who: str
    since: float
    until: float
    """Epoch seconds."""


class Scene(Frozen):
    """The box at one moment."""

    host: HostSample
    gpus: GpuReport
    leases: tuple[Lease, ...] = ()
    """Of the runs of this user that are going on it."""
    own_load: float = 0.0
    """backprop's part of the box's 1-minute load average."""
    drain: Drain | None = None
    yielding: Yield | None = None

    @property
    def now(self) -> float:
        """Epoch seconds."""
        return self.host.t
