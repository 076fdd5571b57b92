"""The GPU that a slice gets."""

from __future__ import annotations

from backprop_tui.frozen import Frozen
from backprop_tui.governor.masks import place, visible
from backprop_tui.governor.words import free_and_wanted, names
from backprop_tui.model.decisions import Decision
from backprop_tui.model.samples import GpuSample
from backprop_tui.text import quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from backprop_tui.governor.admission import Request
    from backprop_tui.model.samples import GpuReport, Lease

ALLOCATING_S = 60.0
"""A training younger than this may not yet hold the memory it was promised."""


class Choice(Frozen):
    """A GPU, or none, and why."""

    decisions: tuple[Decision, ...]
    gpu: GpuSample | None = None
    is_unread: bool = False
    """Its free memory cannot be read."""


class _Verdict(Frozen):
    """Both rules applied to one GPU."""

    gpu: GpuSample
    memory: Decision
    heat: Decision
    free_bytes: int | None

    @property
    def ok(self) -> bool:
        return self.memory.ok and self.heat.ok


def choose(request: Request, report: GpuReport, leases: Sequence[Lease], now: float) -> Choice:
    """The GPU with the most free memory among those that pass, the cooler of equals, then the lowest index.

    `now` is epoch seconds. Where there is no GPU to be seen, the training runs on the CPU; where there are
    some and none passes, the decisions refuse.
    """
    if not report.gpus:
        return Choice(decisions=_without_gpu(request, report))
    seen = visible(report.gpus, request.user_mask)
    masked = _masked(request, report, seen)
    if not seen:
        return Choice(decisions=masked)
    verdicts = [_judge(request, gpu, leases, now) for gpu in seen]
    passing = [verdict for verdict in verdicts if verdict.ok]
    decisions = (*masked, *_all_decisions(verdicts, one_passes=bool(passing)))
    if not passing:
        return Choice(decisions=decisions)
    best = min(passing, key=_rank)
    return Choice(decisions=decisions, gpu=best.gpu, is_unread=best.free_bytes is None)


def promised(gpu: GpuSample, leases: Sequence[Lease], now: float) -> list[Lease]:
    """The leases on a GPU whose trainings may still be allocating what they reserved.

    An older training's memory is in use and no longer free, so its reservation is not counted again. Within
    the first minute both may count, which errs on the safe side.
    """
    return [lease for lease in leases if gpu.index in lease.gpus and now - lease.since < ALLOCATING_S]


def _rank(verdict: _Verdict) -> tuple[int, int, tuple[int, ...]]:
    free = -1 if verdict.free_bytes is None else verdict.free_bytes
    temp_c = 1000 if verdict.gpu.temp_c is None else verdict.gpu.temp_c
    return -free, temp_c, place(verdict.gpu)


def _without_gpu(request: Request, report: GpuReport) -> tuple[Decision, ...]:
    if report.failed:
        return (Decision(rule="gpu_memory", ok=True, text="GPU: none can be read, none is chosen"),)
    why = " (--gpu-probe none)" if request.gpu_probe == "none" else ""
    return (Decision(rule="gpu_memory", ok=True, text=f"no GPU: runs on the CPU{why}"),)


def _masked(request: Request, report: GpuReport, seen: tuple[GpuSample, ...]) -> tuple[Decision, ...]:
    if request.user_mask is None:
        return ()
    variable = "HIP_VISIBLE_DEVICES" if report.gpus[0].vendor == "amd" else "CUDA_VISIBLE_DEVICES"
    said = f"{variable}={quoted(request.user_mask, 60)}"
    total = "the GPU" if len(report.gpus) == 1 else f"all {len(report.gpus)} GPUs"
    if seen:
        text = f"{said} leaves GPU {names([gpu.index for gpu in seen], 16)}"
    else:
        text = f"no GPU: {said} hides {total}; runs on the CPU"
    value, limit = float(len(seen)), float(len(report.gpus))
    return (Decision(rule="gpu_mask", ok=True, text=text, value=value, limit=limit),)


def _all_decisions(verdicts: list[_Verdict], *, one_passes: bool) -> list[Decision]:
    """What speaks against one GPU refuses nothing while another one passes."""
    decisions = [decision for verdict in verdicts for decision in (verdict.memory, verdict.heat)]
    if not one_passes:
        return decisions
    return [d if d.ok else d.replace(ok=True, text=f"{d.text}: passed over", help="") for d in decisions]


def _judge(request: Request, gpu: GpuSample, leases: Sequence[Lease], now: float) -> _Verdict:
    holders = promised(gpu, leases, now)
    free = gpu.free_bytes
    if free is not None:
        free = max(0, free - sum(max(0, lease.gpu_bytes) for lease in holders))
    return _Verdict(gpu=gpu, memory=_memory(request, gpu, free, holders), heat=_heat(request, gpu), free_bytes=free)


def _memory(request: Request, gpu: GpuSample, free: int | None, holders: list[Lease]) -> Decision:
    wanted = request.min_free_vram_bytes
    if free is None:
        text = f"GPU {gpu.index}: its free memory cannot be read"
        return Decision(rule="gpu_memory", ok=True, text=text, limit=float(wanted))
    shown, needed = free_and_wanted(free, wanted)
    kept = f" beside what {names([lease.run_id for lease in holders])} may take" if holders else ""
    ok = free >= wanted
    return Decision(
        rule="gpu_memory",
        ok=ok,
        text=f"GPU {gpu.index}: {shown} free{kept}, {needed} wanted",
        value=float(free),
        limit=float(wanted),
        help="" if ok else _memory_help(gpu, wanted),
    )


def _memory_help(gpu: GpuSample, wanted: int) -> str:
    if gpu.total_bytes is not None and gpu.total_bytes < wanted:
        return "lower --gpu-min-vram, or run without the GPU with --gpu-probe none"
    return "free GPU memory, or lower --gpu-min-vram"


def _heat(request: Request, gpu: GpuSample) -> Decision:
    limit = request.max_temp_c
    if gpu.temp_c is None:
        text = f"GPU {gpu.index}: its temperature cannot be read"
        return Decision(rule="gpu_temp", ok=True, text=text, limit=float(limit))
    ok = gpu.temp_c < limit
    return Decision(
        rule="gpu_temp",
        ok=ok,
        text=f"GPU {gpu.index}: {gpu.temp_c} °C, below {limit} °C wanted",
        value=float(gpu.temp_c),
        limit=float(limit),
        help="" if ok else "let it cool, or raise --gpu-max-temp",
    )
