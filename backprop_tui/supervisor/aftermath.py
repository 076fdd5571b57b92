"""What a slice held is compared with before its start: GPU memory, shared memory, processes."""

from __future__ import annotations

import time

from backprop_tui.model.decisions import Decision
from backprop_tui.supervisor.careful import beside
from backprop_tui.supervisor.gpuledger import ALONE
from backprop_tui.supervisor.overseer import Order, Overseer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from backprop_tui.model.samples import GpuSample
    from backprop_tui.supervisor.case import Case
    from backprop_tui.supervisor.clock import Clock
    from backprop_tui.supervisor.gpuwatch import GpuWatch
    from backprop_tui.supervisor.keeper import Keeper

WAIT_S = 5.0
"""Memory may come back for so long, drivers take a moment."""
TURN_S = 0.05
LONG_ENOUGH_S = 2.0
"""A slice that ended sooner left nothing worth a look."""
GPU_TOLERANCE = 256 << 20
SHM_TOLERANCE = 64 << 20
_MB = 1 << 20


class Aftermath(Overseer):
    """Notes during a slice who else uses its GPUs; afterwards waits, a little, until what it held has come back."""

    def __init__(self, case: Case, keeper: Keeper, clock: Clock) -> None:
        self._case = case
        self._recorder = case.recorder
        self._keeper = keeper
        self._clock = clock
        self._began = clock.epoch()
        self._others: dict[str, int] | None = None
        """Bytes of other processes when they were first listed, by GPU index."""

    def look(self, now: float) -> Order | None:
        """Orders nothing."""
        snapshot = self._keeper.gpu.sample if self._keeper.gpu is not None and self._others is None else None
        if snapshot is not None and any(gpu.processes is not None for gpu in snapshot.gpus):
            own = set(self._keeper.tree.pids)
            self._others = {gpu.index: listed_bytes(gpu, own) for gpu in snapshot.gpus}
        return None

    @beside("what is left of the slice")
    def settle(self, is_asked_to_stop: Callable[[], bool]) -> None:
        """Once the record tells the slice's end: say what has not come back; the lease is kept until then.

        Args:
            is_asked_to_stop: a person wants an end of this, too.
        """
        ended = self._clock.epoch()
        if ended - self._began >= LONG_ENOUGH_S:
            left = [*self._processes(), *self._gpus(ended, is_asked_to_stop), *self._shared_memory()]
            for decision in left:
                self._recorder.event("decision", **decision.plain())
                self._recorder.warn(decision.text)
            if left:
                self._recorder.flush(force=True)

    def _processes(self) -> list[Decision]:
        piece = self._recorder.run.slice
        count = piece.survivors if piece is not None else 0
        if not count:
            return []
        text = f"{count} of its processes could not be ended and may hold on to memory"
        return [Decision(rule="leftover", ok=False, text=text, value=float(count), limit=0.0)]

    def _gpus(self, ended: float, is_asked_to_stop: Callable[[], bool]) -> list[Decision]:
        watch = self._keeper.gpu
        if watch is None or not watch.baseline:
            return []
        end = time.monotonic() + WAIT_S
        left: dict[str, int] = {}
        while time.monotonic() < end and not is_asked_to_stop():
            watch.list_anew()
            snapshot = watch.sample
            if snapshot is None or snapshot.error:
                return []  # it cannot be read, so nothing can be told
            if snapshot.t > ended:
                left = self._left(watch)
                if not left:
                    return []
            time.sleep(TURN_S)
        waited = self._clock.epoch() - ended
        return [_left_on(index, size, waited) for index, size in left.items()]

    def _left(self, watch: GpuWatch) -> dict[str, int]:
        """What has not come back, by GPU index."""
        gpus = watch.sample.gpus if watch.sample is not None else ()
        left = {
            gpu.index: left_over(gpu, watch.baseline[gpu.index], (self._others or {}).get(gpu.index, 0))
            for gpu in gpus
            if gpu.index in watch.baseline
        }
        return {index: size for index, size in left.items() if size > GPU_TOLERANCE}

    def _shared_memory(self) -> list[Decision]:
        from backprop_tui.probes.shm import forgotten
        from backprop_tui.supervisor.neighbours import neighbours

        if neighbours(self._case.lease.path):
            return []  # it may be another run's, which maps it next
        found = forgotten(self._began, SHM_TOLERANCE)
        if not found:
            return []
        size = sum(found.values())
        first = min(found)
        more = f" and {len(found) - 1} more" if len(found) > 1 else ""
        text = f"{size // _MB} MB of shared memory were left behind, used by nobody: {first}{more}"
        help_ = "remove the files if nothing of yours needs them"
        value, limit = float(size), float(SHM_TOLERANCE)
        return [Decision(rule="leftover", ok=False, text=text, value=value, limit=limit, help=help_)]


def left_over(gpu: GpuSample, before: int, others_before: int) -> int:
    """Bytes in use on a GPU beyond those before the start, without what other processes have taken since.

    Where the driver does not list them, all of it, if nobody else used the GPU before; else 0, as there is no
    telling.
    """
    if gpu.used_bytes is None or gpu.total_bytes is None or gpu.is_unified:
        return 0
    grown = max(0, gpu.used_bytes - before)
    if gpu.processes is None or any(process.used_bytes is None for process in gpu.processes):
        return grown if before <= ALONE * gpu.total_bytes else 0
    return max(0, grown - max(0, listed_bytes(gpu, set()) - others_before))


def listed_bytes(gpu: GpuSample, besides: set[int]) -> int:
    """What the listed processes use on a GPU, without some of them."""
    return sum(process.used_bytes or 0 for process in gpu.processes or () if process.pid not in besides)


def _left_on(index: str, size: int, waited_s: float) -> Decision:
    text = f"GPU {index}: {size // _MB} MB more are in use than before the start, {waited_s:.0f} s after the end"
    help_ = "see who holds it with: backprop gpus"
    value, limit = float(size), float(GPU_TOLERANCE)
    return Decision(rule="leftover", ok=False, text=text, value=value, limit=limit, help=help_)
