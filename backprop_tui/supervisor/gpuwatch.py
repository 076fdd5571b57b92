"""Follows the leased GPUs while a run goes on, in a thread of its own: a driver that hangs holds up nothing."""

from __future__ import annotations

import os
import time

from backprop_tui.frozen import Frozen
from backprop_tui.model.samples import GpuSample
from backprop_tui.supervisor.gpuledger import Ledger

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from threading import Event, Thread

    from backprop_tui.model.samples import GpuReport
    from backprop_tui.probes.gpu import GpuSampler

EVERY_S = 1.0
PROCESSES_EVERY_S = 10.0
_SHARE = 0.1
"""Of its time, a probe that starts a program may take."""
_AT_MOST_S = 5.0


class GpuSnapshot(Frozen):
    """The leased GPUs at one moment."""

    t: float
    """When they could last be read, epoch seconds; 0 if never."""
    gpus: tuple[GpuSample, ...] = ()
    """Those that could be read then."""
    tree_bytes: dict[str, int] = {}  # noqa: RUF012  # never changed: a Frozen's default
    """What the training's processes hold on each GPU, by index; a GPU that is missing could not be told."""
    tree_t: float = 0.0
    """When that was asked, epoch seconds; 0 if never."""
    is_device: bool = False
    """Some of `tree_bytes` are what the device has in use beyond the baseline: the driver does not tell the
    training's own."""
    every_s: float = 0.0
    """So far apart the samples are, by how long this one took."""
    error: str = ""
    """Why a GPU cannot be read now; "" if all can."""


class GpuWatch:
    """The leased GPUs, as of a moment ago."""

    def __init__(
        self,
        indices: tuple[str, ...],
        probe: str,
        pids: Callable[[], tuple[int, ...]] | None = None,
        baseline: Mapping[str, int] | None = None,
        *,
        timeout_s: float = 5.0,
    ) -> None:
        """`pids` and `baseline` may also be set later.

        Args:
            indices: of the leased GPUs.
            probe: the setting gpu.probe.
            pids: the processes of the training; called in the watch's thread.
            baseline: bytes in use on each GPU before the training started, by index.
            timeout_s: after this a silent driver is reported.
        """
        self._indices = indices
        self._probe = probe
        self._timeout_s = timeout_s
        self.pids = pids
        self.baseline = dict(baseline or {})
        self.sample: GpuSnapshot | None = None
        """None before the first look."""
        self._ledger = Ledger()
        self._listed_t = float("-inf")
        self._wants_list = False
        self._thread: Thread | None = None
        self._is_stopping: Event
        self._is_clear = True
        """The driver does not hold a thread of ours."""

    @property
    def used_bytes(self) -> int | None:
        """In use on the leased GPUs together; None until that was read, and where it cannot be."""
        sample = self.sample
        if sample is None or sample.error:
            return None
        used = [gpu.used_bytes for gpu in sample.gpus]
        known = [value for value in used if value is not None]
        return sum(known) if len(known) == len(self._indices) else None

    def start(self) -> None:
        """To be called once the training and the guard are there: both are forked before any thread."""
        import threading

        self._is_stopping = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="gpu", daemon=True)
        self._thread.start()

    def stop(self, timeout_s: float = 2.0) -> bool:
        """End the watch and let go of the driver; what was sampled last stays.

        Returns:
            Whether its threads are gone. If not, the driver hangs; they end as soon as it answers.
        """
        if self._thread is None:
            return True
        self._is_stopping.set()
        self._thread.join(timeout_s)
        return self._is_clear and not self._thread.is_alive()

    def list_anew(self) -> None:
        """Ask with the next look who uses the GPUs."""
        self._wants_list = True

    def _follow(self) -> None:
        from backprop_tui.probes.gpu import GpuSampler

        sampler = GpuSampler(self._probe, env=os.environ, timeout_s=self._timeout_s)
        rest_s = 0.0
        while not self._is_stopping.wait(rest_s):
            begun = time.monotonic()
            self._look(sampler, time.time())
            rest_s = rest_after(time.monotonic() - begun)
        self._is_clear = sampler.close()

    def _look(self, sampler: GpuSampler, now: float) -> None:
        pids, ledger = self.pids, self._ledger
        wanted, self._wants_list = self._wants_list, False
        is_due = pids is not None and (
            wanted
            or not 0 <= now - self._listed_t < PROCESSES_EVERY_S
            or ledger.has_moved(self.sample.gpus if self.sample else ())
        )
        begun = time.monotonic()
        report = sampler.sample(now, processes=is_due, only=self._indices)
        took_s = time.monotonic() - begun
        error = why_unreadable(report, self._indices)
        if not report.gpus:
            self.sample = (self.sample or GpuSnapshot(t=0.0)).replace(error=error)
            return
        if is_due:
            self._listed_t = now
        ledger.take(now, report.gpus, pids() if is_due and pids is not None else None, self.baseline)
        self.sample = GpuSnapshot(
            t=now,
            gpus=report.gpus,
            tree_bytes=ledger.tree_bytes,
            tree_t=ledger.t,
            is_device=ledger.is_device,
            every_s=took_s + rest_after(took_s),
            error=error,
        )


def rest_after(took_s: float) -> float:
    """How long to wait after a look, by how long that took."""
    return max(EVERY_S - took_s, min(took_s / _SHARE, _AT_MOST_S))


def why_unreadable(report: GpuReport, indices: Iterable[str]) -> str:
    """Why not all of these GPUs are in a report, in words; "" if they are."""
    seen = {gpu.index for gpu in report.gpus}
    missing = [index for index in indices if index not in seen]
    if not missing:
        return ""
    for index in missing:
        whole = f"GPU {index.partition(':')[0]}"
        for name, why in report.tried:
            if name.partition(" ")[2] == whole:
                return f"{whole} {why}"
    if not report.gpus and report.tried:
        return report.tried[0][1]
    return f"GPU {missing[0]} is not there any more"
