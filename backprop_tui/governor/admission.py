"""Whether a slice may start now: each rule with its value, its limit and what would help."""

from __future__ import annotations

from backprop_tui.frozen import Frozen
from backprop_tui.governor.masks import visible
from backprop_tui.model.decisions import Admission, Decision

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from backprop_tui.model.samples import GpuReport, GpuSample, HostSample, Lease

GB = 1024**3
ALLOCATING_S = 60.0
"""A run that started less than this ago may not have allocated yet what its lease reserves."""


class Request(Frozen):
    """What a slice needs, and what its settings allow."""

    run_id: str
    max_parallel: int
    min_free_ram_bytes: int
    max_load_per_core: float
    min_free_vram_bytes: int
    max_temp_c: int
    gpu_probe: str = "auto"
    gpu_memory_limit: str | None = None
    user_mask: str | None = None
    """The user's own CUDA_VISIBLE_DEVICES (or HIP_VISIBLE_DEVICES)."""


def admit(
    request: Request, host: HostSample, gpus: GpuReport, leases: Sequence[Lease], own_load: float
) -> Admission:
    """The verdict on a start at the moment of the samples.

    Args:
        request: what is wanted.
        host: a fresh sample of the box.
        gpus: what the GPU probe found.
        leases: the living local runs of this user.
        own_load: what backprop's own trees add to the load average.
    """
    seen, mask_decision = _visible(request, gpus)
    cautious = gpus.failed or host.ram_free_bytes is None
    decisions = [
        _slots(request, leases, cautious),
        _ram(request, host),
        _cpu(request, host, own_load),
        *([_blind(gpus)] if gpus.failed else []),
        *mask_decision,
    ]
    gpu: GpuSample | None = None
    if seen:
        fitting, on_gpus = _fitting(request, seen, leases, gpus.t)
        gpu = _pick(fitting, leases, gpus.t)
        # What is wrong with one GPU does not matter when another is right.
        decisions += on_gpus if gpu is None else [_chosen(gpu, request, leases, gpus.t)]
    elif not gpus.failed:
        decisions.append(Decision(rule="gpu_memory", ok=True, text="no GPU to use: it runs on the CPU"))
    admitted = all(decision.ok for decision in decisions)
    return Admission(
        admitted=admitted, decisions=tuple(decisions), gpu=gpu if admitted else None, cautious=cautious
    )


def gb(size: float) -> str:
    """Bytes for people, in units of 2^30."""
    return f"{size / GB:.1f} GB"


def _slots(request: Request, leases: Sequence[Lease], cautious: bool) -> Decision:
    limit = 1 if cautious else request.max_parallel
    going = ", ".join(lease.run_id for lease in leases[:4]) + (", …" if len(leases) > 4 else "")
    ok = len(leases) < limit
    text = f"slots: {len(leases)} of {limit} runs are going" + (f" ({going})" if leases else "")
    return Decision(
        rule="slots",
        ok=ok,
        text=text,
        value=float(len(leases)),
        limit=float(limit),
        help="" if ok else "wait for one with --wait, or raise --max-parallel",
    )


def _ram(request: Request, host: HostSample) -> Decision:
    wanted = request.min_free_ram_bytes
    if host.ram_free_bytes is None:
        return Decision(rule="ram", ok=True, text="RAM: free memory cannot be read", limit=wanted / GB)
    ok = host.ram_free_bytes >= wanted
    return Decision(
        rule="ram",
        ok=ok,
        text=f"RAM: {gb(host.ram_free_bytes)} free, {gb(wanted)} wanted",
        value=round(host.ram_free_bytes / GB, 2),
        limit=round(wanted / GB, 2),
        help="" if ok else "free some memory, or lower --min-free-ram",
    )


def _cpu(request: Request, host: HostSample, own_load: float) -> Decision:
    if host.load1 is None:
        return Decision(rule="cpu", ok=True, text="CPU: the load cannot be read")
    others = max(0.0, host.load1 - own_load) / host.cores
    ok = others <= request.max_load_per_core
    return Decision(
        rule="cpu",
        ok=ok,
        text=f"CPU: load {others:.2f} per core from others, {request.max_load_per_core:.2f} allowed",
        value=round(others, 3),
        limit=request.max_load_per_core,
        help="" if ok else "wait until the box is less busy (--wait), or raise --max-cpu-load",
    )


def _blind(gpus: GpuReport) -> Decision:
    why = "; ".join(f"{probe}: {reason}" for probe, reason in gpus.tried) or "no probe answered"
    return Decision(
        rule="probe",
        ok=True,
        text=f"cautious: the GPUs cannot be read ({why}), so one run at a time",
    )


def _visible(request: Request, gpus: GpuReport) -> tuple[tuple[GpuSample, ...], list[Decision]]:
    if request.user_mask is None or not gpus.gpus:
        return gpus.gpus, []
    seen = visible(gpus.gpus, request.user_mask)
    text = f"GPUs: {len(seen)} of {len(gpus.gpus)} are visible (mask {request.user_mask!r:.60})"
    return seen, [Decision(rule="gpu_mask", ok=True, text=text, value=float(len(seen)))]


def free_vram(gpu: GpuSample, leases: Sequence[Lease], t: float) -> int | None:
    """Free memory less what runs that just started have reserved but not yet allocated, bytes."""
    if gpu.free_bytes is None:
        return None
    fresh = (x for x in leases if gpu.index in x.gpus and t - x.since < ALLOCATING_S)
    return gpu.free_bytes - sum(lease.gpu_bytes for lease in fresh)


def _fitting(
    request: Request, seen: Sequence[GpuSample], leases: Sequence[Lease], t: float
) -> tuple[list[GpuSample], list[Decision]]:
    fitting, decisions = [], []
    for gpu in seen:
        refusals = [d for d in (_memory(request, gpu, leases, t), _heat(request, gpu)) if d is not None]
        decisions += refusals
        if not refusals:
            fitting.append(gpu)
    return fitting, decisions


def _memory(request: Request, gpu: GpuSample, leases: Sequence[Lease], t: float) -> Decision | None:
    free, wanted = free_vram(gpu, leases, t), request.min_free_vram_bytes
    if free is None or free >= wanted:
        return None
    return Decision(
        rule="gpu_memory",
        ok=False,
        text=f"GPU {gpu.index}: {gb(max(0, free))} free, {gb(wanted)} wanted",
        value=round(free / GB, 2),
        limit=round(wanted / GB, 2),
        help="wait until it is freed (--wait), or lower --gpu-min-vram",
    )


def _heat(request: Request, gpu: GpuSample) -> Decision | None:
    if gpu.temp_c is None or gpu.temp_c < request.max_temp_c:
        return None
    return Decision(
        rule="gpu_temp",
        ok=False,
        text=f"GPU {gpu.index}: {gpu.temp_c} °C, the limit is {request.max_temp_c} °C",
        value=float(gpu.temp_c),
        limit=float(request.max_temp_c),
        help="let it cool down (--wait), or raise --gpu-max-temp",
    )


def _pick(fitting: Sequence[GpuSample], leases: Sequence[Lease], t: float) -> GpuSample | None:
    """The most free memory, the cooler of equals, the lower number of those."""
    if not fitting:
        return None

    def worth(gpu: GpuSample) -> tuple[int, int]:
        free = free_vram(gpu, leases, t)
        return (-1 if free is None else free, -(gpu.temp_c if gpu.temp_c is not None else 1000))

    best = max(map(worth, fitting))
    return next(gpu for gpu in fitting if worth(gpu) == best)


def _chosen(gpu: GpuSample, request: Request, leases: Sequence[Lease], t: float) -> Decision:
    free = free_vram(gpu, leases, t)
    memory = "free memory cannot be read" if free is None else f"{gb(free)} free"
    heat = "" if gpu.temp_c is None else f", {gpu.temp_c} °C"
    return Decision(
        rule="gpu_memory",
        ok=True,
        text=f"GPU {gpu.index} ({gpu.name}): {memory}{heat}",
        value=None if free is None else round(free / GB, 2),
        limit=round(request.min_free_vram_bytes / GB, 2),
    )
