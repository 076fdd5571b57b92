"""GPU memory that running slices were promised and do not use yet, and who has the rest."""

from __future__ import annotations

from backprop_tui.frozen import Frozen
from backprop_tui.governor.words import gigabytes, names, span
from backprop_tui.text import printable, short

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from backprop_tui.governor.scene import Scene
    from backprop_tui.model.samples import GpuProcess, GpuSample, Lease

ALLOCATING_S = 60.0
"""A training younger than this may not yet hold what it was promised, where nothing tells what it holds."""
_MOST_HOLDERS = 3
_WORTH_A_WORD = 1 << 29


class Promise(Frozen):
    """What a lease may still take of one GPU."""

    lease: Lease
    bytes: int


def promised(index: str, leases: Sequence[Lease], now: float, seen: float) -> list[Promise]:
    """What is still to be taken of a GPU's free memory; `now`, and when that was `seen`, are epoch seconds."""
    promises = [Promise(lease=lease, bytes=_rest(lease, index, now, seen)) for lease in leases if index in lease.gpus]
    return [promise for promise in promises if promise.bytes > 0]


def held(lease: Lease, index: str, now: float) -> int:
    """What a lease surely has in use on a GPU, as far as is known."""
    used = lease.gpu_used.get(index)
    if used is not None:
        return max(0, used)
    return max(0, lease.gpu_bytes) if index in lease.gpus and now - lease.since >= ALLOCATING_S else 0


def called(lease: Lease) -> str:
    """The name people gave the run, else its id."""
    return printable(lease.name or lease.run_id)


def kept_for(promises: Sequence[Promise]) -> str:
    """In words, to stand behind what is free."""
    if not promises:
        return ""
    return f" beside what {names([called(promise.lease) for promise in promises])} may take"


def who_has(gpu: GpuSample, scene: Scene) -> str:
    """In words, in brackets: which runs and foreign programs have the GPU's memory, and until when."""
    leases = [lease for lease in scene.leases if gpu.index in lease.gpus]
    parts = []
    for lease in leases:
        amount = held(lease, gpu.index, scene.now)
        has = f"has {gigabytes(amount)}" if amount else f"was promised {gigabytes(lease.gpu_bytes)}"
        until = "" if lease.ends is None else f", its box ends in {span(lease.ends - scene.now)}"
        parts.append(f"{called(lease)} {has}{until}")
    parts += _others(gpu, leases)
    return f" ({'; '.join(parts[:_MOST_HOLDERS])})" if parts else ""


def _others(gpu: GpuSample, leases: Sequence[Lease]) -> list[str]:
    """Programs that no run of this user has started, where it can be told that there are some."""
    known = [lease.gpu_used.get(gpu.index) for lease in leases]
    if gpu.used_bytes is None or None in known:
        return []
    rest = gpu.used_bytes - sum(amount for amount in known if amount is not None)
    if rest < _WORTH_A_WORD:
        return []
    if leases or not gpu.processes:
        return [f"other programs have {gigabytes(rest)}"]
    largest = sorted(gpu.processes, key=lambda process: -(process.used_bytes or 0))
    return [_named(process) for process in largest]


def _named(process: GpuProcess) -> str:
    """ "python 21844 (anna) has 9.0 GB"."""
    user = f" ({short(process.user, 40)})" if process.user else ""
    amount = "" if process.used_bytes is None else f" has {gigabytes(process.used_bytes)}"
    return f"{short(process.name, 40) or 'process'} {process.pid}{user}{amount}"


def _rest(lease: Lease, index: str, now: float, seen: float) -> int:
    used, is_young = lease.gpu_used.get(index), now - lease.since < ALLOCATING_S
    if used is None or (is_young and lease.used_t > seen):
        # What a young training took after the look at the GPU was free in that look.
        return max(0, lease.gpu_bytes) if is_young else 0
    return max(0, lease.gpu_bytes - max(0, used))
