"""The GPUs that a slice gets."""

from __future__ import annotations

from backprop_tui.frozen import Frozen
from backprop_tui.governor.masks import place, visible
from backprop_tui.governor.promises import Promise, kept_for, promised, who_has
from backprop_tui.governor.words import free_and_wanted, gigabytes, names
from backprop_tui.model.decisions import Decision
from backprop_tui.model.samples import GpuSample
from backprop_tui.text import quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from backprop_tui.governor.request import Request
    from backprop_tui.governor.scene import Scene
    from backprop_tui.model.samples import GpuReport

LEARNED_MARGIN = 1.1
"""So much more than a script took before is kept for it,"""
LEARNED_SHARE = 0.9
"""but no more than this part of a GPU."""


class Choice(Frozen):
    """GPUs, or none, and why."""

    decisions: tuple[Decision, ...]
    gpus: tuple[GpuSample, ...] = ()
    is_unread: bool = False
    """The free memory of one cannot be read."""
    hot: tuple[str, ...] = ()
    """Those, by index, that heat keeps from being chosen."""


class _Verdict(Frozen):
    """Both rules applied to one GPU."""

    gpu: GpuSample
    memory: Decision
    heat: Decision
    free_bytes: int | None

    @property
    def ok(self) -> bool:
        return self.memory.ok and self.heat.ok


def choose(request: Request, scene: Scene, hot: Sequence[str] = ()) -> Choice:
    """The GPUs with the most free memory among those that pass, the cooler of equals, then the lowest index.

    Where one is wanted and there is none to be seen, the training runs on the CPU; where there are some and
    too few pass, the decisions refuse.

    Args:
        request: what is wanted.
        scene: the box now.
        hot: GPUs, by index, that must cool down to the resume temperature first.
    """
    report, wanted = scene.gpus, request.gpus_wanted
    if wanted <= 0:
        return Choice(
            decisions=(Decision(rule="gpu_count", ok=True, text="no GPU wanted: runs on the CPU", limit=0.0),)
        )
    seen = visible(report.gpus, request.user_mask)
    masked = _masked(request, report, seen)
    if wanted == 1 and not seen:
        if report.gpus and _has_unread(report) and _names_one(request.user_mask or ""):
            return Choice(decisions=(_hidden_or_lost(request, report),))
        return Choice(decisions=masked if report.gpus else (_without_gpu(request, report, scene.now),))
    if wanted > 1:
        seen = tuple(gpu for gpu in seen if ":" not in gpu.index)
        if len(seen) < wanted:
            return Choice(decisions=(*masked, _too_few(request, report, len(seen)), *_missing(report)))
    verdicts = [_judge(request, gpu, scene, is_hot=gpu.index in hot) for gpu in seen]
    passing = sorted((verdict for verdict in verdicts if verdict.ok), key=_rank)
    decisions = (*masked, *_all_decisions(verdicts, request, scene), *_missing(report))
    still_hot = tuple(verdict.gpu.index for verdict in verdicts if not verdict.heat.ok)
    if len(passing) < wanted:
        return Choice(decisions=decisions, hot=still_hot)
    best = passing[:wanted]
    gpus = sorted((verdict.gpu for verdict in best), key=place)
    is_unread = any(verdict.free_bytes is None for verdict in best)
    return Choice(decisions=decisions, gpus=tuple(gpus), is_unread=is_unread, hot=still_hot)


def reserved_bytes(request: Request, gpus: Sequence[GpuSample]) -> int:
    """What a slice keeps for itself on each of the GPUs that it got."""
    return max((_need_on(gpu, request) for gpu in gpus), default=0)


def _rank(verdict: _Verdict) -> tuple[int, int, tuple[int, ...]]:
    free = -1 if verdict.free_bytes is None else verdict.free_bytes
    temp_c = 1000 if verdict.gpu.temp_c is None else verdict.gpu.temp_c
    return -free, temp_c, place(verdict.gpu)


def _without_gpu(request: Request, report: GpuReport, now: float) -> Decision:
    if not report.failed:
        why = " (--gpu-probe none)" if request.gpu_probe == "none" else ""
        return Decision(rule="gpu_memory", ok=True, text=f"no GPU: runs on the CPU{why}")
    if report.last_good is None:
        return Decision(rule="gpu_memory", ok=True, text="GPU: none can be read, none is chosen")
    # What waited for a GPU must not start without one because the driver hangs for a while.
    age_s = max(0.0, now - report.last_good)
    return Decision(
        rule="gpu_memory",
        ok=False,
        text="GPU: none can be read any more" + "".join(f", {probe}: {why}" for probe, why in report.tried[:2]),
        age_s=round(age_s, 1),
        help="see backprop doctor for the probe that failed, or run without the GPU with --gpu-probe none",
    )


def _too_few(request: Request, report: GpuReport, here: int) -> Decision:
    """More GPUs are wanted than there ever are, or than can be read now."""
    # A GPU that the driver has lost, or cannot tell of now, may come back.
    is_final = not (report.failed or _has_unread(report))
    if not is_final:
        there, advice = f"{here or 'none'} can be read", "see backprop doctor for the one that cannot"
    elif request.gpu_probe == "none":
        there, advice = "--gpu-probe none sees none", "choose another --gpu-probe"
    elif len(visible(report.gpus, request.user_mask)) < len(report.gpus):
        there, advice = f"{_variable(report)} leaves {here or 'none'}", "ask for fewer with --gpus, or widen the mask"
    else:
        slices = " (MIG slices are used one by one)" if len(report.gpus) > here else ""
        there, advice = f"the box has {here or 'none'}{slices}", "ask for fewer with --gpus"
    return Decision(
        rule="gpu_count",
        ok=False,
        text=f"{request.gpus_wanted} GPUs wanted, {there}",
        value=float(here),
        limit=float(request.gpus_wanted),
        help=advice,
        is_final=is_final,
    )


def _has_unread(report: GpuReport) -> bool:
    """Whether there are GPUs that the probe which answers could not read."""
    return any(probe.startswith(f"{report.probe} ") for probe, _ in report.tried)


def _names_one(mask: str) -> bool:
    """Whether a mask asks for a GPU, be it there or not, rather than for none."""
    first = mask.partition(",")[0].strip()
    return first.isdecimal() or first.startswith(("GPU-", "MIG-"))


def _hidden_or_lost(request: Request, report: GpuReport) -> Decision:
    """The mask leaves no GPU, and may name one that cannot be read now: the CPU is no stand-in for that."""
    said = f"{_variable(report)}={quoted(request.user_mask or '', 60)}"
    lost = ", ".join(f"{probe}: {why}" for probe, why in report.tried[:2])
    return Decision(
        rule="gpu_count",
        ok=False,
        text=f"no GPU: {said} leaves none of those that can be read ({lost})",
        value=0.0,
        limit=float(request.gpus_wanted),
        help="see backprop doctor for the GPU that cannot be read, or run without one with --gpu-probe none",
    )


def _variable(report: GpuReport) -> str:
    return "HIP_VISIBLE_DEVICES" if report.gpus[0].vendor == "amd" else "CUDA_VISIBLE_DEVICES"


def _masked(request: Request, report: GpuReport, seen: tuple[GpuSample, ...]) -> tuple[Decision, ...]:
    if request.user_mask is None or not report.gpus:
        return ()
    said = f"{_variable(report)}={quoted(request.user_mask, 60)}"
    total = "the GPU" if len(report.gpus) == 1 else f"all {len(report.gpus)} GPUs"
    if seen:
        text = f"{said} leaves GPU {names([gpu.index for gpu in seen], 16)}"
    else:
        text = f"no GPU: {said} hides {total}" + ("; runs on the CPU" if request.gpus_wanted == 1 else "")
    value, limit = float(len(seen)), float(len(report.gpus))
    return (Decision(rule="gpu_mask", ok=True, text=text, value=value, limit=limit),)


def _all_decisions(verdicts: list[_Verdict], request: Request, scene: Scene) -> list[Decision]:
    """What speaks against one GPU refuses nothing while enough others pass."""
    wanted, passing = request.gpus_wanted, sum(verdict.ok for verdict in verdicts)
    enough = passing >= wanted
    is_final = sum(not _is_too_small(verdict.gpu, request) for verdict in verdicts) < wanted
    decisions = []
    for verdict in verdicts:
        for decision in (verdict.memory, verdict.heat):
            if decision.ok:
                decisions.append(decision)
            elif enough:
                decisions.append(
                    decision.replace(ok=True, text=f"{decision.text}: passed over", help="", is_aside=True)
                )
            elif decision is verdict.heat or _is_too_small(verdict.gpu, request):
                decisions.append(decision.replace(is_final=is_final and decision is verdict.memory))
            else:
                decisions.append(decision.replace(text=decision.text + who_has(verdict.gpu, scene)))
    if wanted == 1:
        return decisions
    text = f"{wanted} GPUs wanted, {passing} of {len(verdicts)} pass"
    help_ = "" if enough else "ask for fewer with --gpus"
    count = Decision(rule="gpu_count", ok=enough, text=text, value=float(passing), limit=float(wanted), help=help_)
    return [count, *decisions]


def _missing(report: GpuReport) -> list[Decision]:
    """GPUs of the box that cannot be read: nobody has to wonder why they are not chosen."""
    return [
        Decision(rule="probe", ok=True, text=f"GPU {index}: {why}: passed over", is_aside=True)
        for index, why in report.missing
    ]


def _is_too_small(gpu: GpuSample, request: Request) -> bool:
    return gpu.total_bytes is not None and gpu.total_bytes < _need_on(gpu, request)


def _need_on(gpu: GpuSample, request: Request) -> int:
    """Free memory wanted on this GPU.

    Many frameworks take nearly all that there is, on whatever GPU: what a script took before is no reason to want
    more than a GPU of this size ever has free.
    """
    need, total = request.need_bytes, gpu.total_bytes
    if request.need_from != "learned" or total is None:
        return need
    return min(need, int(total * LEARNED_SHARE))


def _judge(request: Request, gpu: GpuSample, scene: Scene, *, is_hot: bool) -> _Verdict:
    promises = promised(gpu.index, scene.leases, scene.now, scene.gpus.t)
    free = gpu.free_bytes
    if free is not None:
        free = max(0, free - sum(promise.bytes for promise in promises))
    memory = _memory(request, gpu, free, promises)
    return _Verdict(gpu=gpu, memory=memory, heat=_heat(request, gpu, is_hot=is_hot), free_bytes=free)


def _memory(request: Request, gpu: GpuSample, free: int | None, promises: list[Promise]) -> Decision:
    wanted = _need_on(gpu, request)
    if free is None:
        text = f"GPU {gpu.index}: its free memory cannot be read"
        return Decision(rule="gpu_memory", ok=True, text=text, limit=float(wanted))
    total = gpu.total_bytes
    if total is not None and total < wanted:
        all_, needed = free_and_wanted(total, wanted)
        text = f"GPU {gpu.index}: {all_} in all, {needed} wanted"
    else:
        shown, needed = free_and_wanted(free, wanted)
        text = f"GPU {gpu.index}: {shown} free{kept_for(promises)}, {needed} wanted"
    ok = free >= wanted
    if request.need_from == "learned" and not ok:
        text += f" ({gigabytes(int(request.need_bytes / LEARNED_MARGIN))} was the most that it took before)"
    return Decision(
        rule="gpu_memory",
        ok=ok,
        text=text,
        value=float(free),
        limit=float(wanted),
        help="" if ok else _memory_help(request, gpu),
    )


def _memory_help(request: Request, gpu: GpuSample) -> str:
    lower = {
        "given": "lower --gpu-need",
        "learned": "say what it needs with --gpu-need, if that is less by now",
    }.get(request.need_from, "lower --gpu-min-vram")
    if _is_too_small(gpu, request):
        return f"{lower}, or run without the GPU with --gpu-probe none"
    return f"free GPU memory, or {lower}"


def _heat(request: Request, gpu: GpuSample, *, is_hot: bool) -> Decision:
    limit = request.max_temp_c
    if gpu.temp_c is None:
        text = f"GPU {gpu.index}: its temperature cannot be read"
        return Decision(rule="gpu_temp", ok=True, text=text, limit=float(limit))
    text = f"GPU {gpu.index}: {gpu.temp_c} °C, below {limit} °C wanted"
    ok = gpu.temp_c < limit
    if is_hot:
        limit = request.resume_temp_c
        ok = gpu.temp_c <= limit
        text = f"GPU {gpu.index}: {gpu.temp_c} °C, down to {limit} °C wanted after it was too hot"
    return Decision(
        rule="gpu_temp",
        ok=ok,
        text=text,
        value=float(gpu.temp_c),
        limit=float(limit),
        help="" if ok else "let it cool, or raise --gpu-max-temp",
    )
