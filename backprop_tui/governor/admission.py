"""Whether a slice may start now, and on which GPU."""

from __future__ import annotations

from backprop_tui.frozen import Frozen
from backprop_tui.governor.devices import choose
from backprop_tui.governor.words import free_and_wanted, load_and_limit, names
from backprop_tui.model.decisions import Admission, Decision

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from backprop_tui.model.samples import GpuReport, HostSample, Lease


class Request(Frozen):
    """What a slice needs to start."""

    run_id: str
    max_parallel: int
    min_free_ram_bytes: int
    max_load_per_core: float
    min_free_vram_bytes: int
    max_temp_c: int
    gpu_probe: str = "auto"
    gpu_memory_limit: str | None = None
    """As the user wrote it. It binds the training, not its start."""
    user_mask: str | None = None
    """The user's own CUDA_VISIBLE_DEVICES or HIP_VISIBLE_DEVICES, None where it is not set."""


def admit(request: Request, host: HostSample, gpus: GpuReport, leases: Sequence[Lease], own_load: float) -> Admission:
    """Apply every rule; each leaves a decision, also when it says yes.

    Args:
        request: what is wanted.
        host: the box now.
        gpus: its GPUs now.
        leases: of the runs of this user that are going on it.
        own_load: backprop's part of the box's 1-minute load average.
    """
    choice = choose(request, gpus, leases, host.t)
    blind = _blind_spots(host, gpus, choice.is_unread)
    decisions = (
        *_caution(blind),
        _slots(request, leases, is_cautious=bool(blind)),
        _ram(request, host),
        _cpu(request, host, own_load),
        *choice.decisions,
    )
    admitted = all(decision.ok for decision in decisions)
    return Admission(
        admitted=admitted,
        decisions=decisions,
        gpu=choice.gpu if admitted else None,
        cautious=bool(blind),
    )


def _blind_spots(host: HostSample, gpus: GpuReport, is_gpu_unread: bool) -> list[str]:
    """What is needed for a decision and could not be measured."""
    blind = []
    if gpus.failed:
        whys = "; ".join(f"{probe}: {why}" for probe, why in gpus.tried)
        blind.append(f"no GPU probe answers ({whys})" if whys else "no GPU probe answers")
    if is_gpu_unread:
        blind.append("the GPU's free memory cannot be read")
    if host.ram_free_bytes is None:
        blind.append("free RAM cannot be read")
    if host.load1 is None:
        blind.append("the load average cannot be read")
    return blind


def _caution(blind: list[str]) -> list[Decision]:
    if not blind:
        return []
    text = f"cautious, one run at a time: {', '.join(blind)}"
    return [Decision(rule="probe", ok=True, text=text, help="see backprop doctor, or choose a --gpu-probe")]


def _slots(request: Request, leases: Sequence[Lease], *, is_cautious: bool) -> Decision:
    limit = min(request.max_parallel, 1) if is_cautious else request.max_parallel
    going = len(leases)
    text = f"{going} run{'' if going == 1 else 's'} in progress, {limit} allowed"
    if leases:
        text += f" ({names([lease.run_id for lease in leases])})"
    is_lower = limit < request.max_parallel
    if is_lower and going >= limit:
        text += ", one at a time as a probe failed"
    way_out = "see backprop doctor for the probe that failed" if is_lower else "raise --max-parallel"
    ok = going < limit
    return Decision(
        rule="slots",
        ok=ok,
        text=text,
        value=float(going),
        limit=float(limit),
        help="" if ok else way_out,
    )


def _ram(request: Request, host: HostSample) -> Decision:
    free, wanted = host.ram_free_bytes, request.min_free_ram_bytes
    if free is None:
        return Decision(rule="ram", ok=True, text="RAM: what is free cannot be read", limit=float(wanted))
    ok = free >= wanted
    shown, needed = free_and_wanted(free, wanted)
    return Decision(
        rule="ram",
        ok=ok,
        text=f"RAM: {shown} free, {needed} wanted",
        value=float(free),
        limit=float(wanted),
        help="" if ok else "close what uses memory, or lower --min-free-ram",
    )


def _cpu(request: Request, host: HostSample, own_load: float) -> Decision:
    limit = request.max_load_per_core
    if host.load1 is None:
        return Decision(rule="cpu", ok=True, text="CPU: the load average cannot be read", limit=limit)
    load = max(0.0, host.load1 - own_load) / max(1, host.cores)
    ok = load <= limit
    shown, allowed = load_and_limit(load, limit)
    cores = "1 core" if host.cores == 1 else f"{host.cores} cores"
    return Decision(
        rule="cpu",
        ok=ok,
        text=f"CPU: other programs' load is {shown} per core ({cores}), {allowed} allowed",
        value=round(load, 3),
        limit=limit,
        help="" if ok else "wait until other programs are done, or raise --max-cpu-load",
    )
