"""Whether a slice may start now, and on which GPUs."""

from __future__ import annotations

from backprop_tui.governor.devices import choose
from backprop_tui.governor.promises import called
from backprop_tui.governor.words import free_and_wanted, load_and_limit, names, span
from backprop_tui.model.decisions import Admission, Decision
from backprop_tui.text import short

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from backprop_tui.governor.request import Request
    from backprop_tui.governor.scene import Scene
    from backprop_tui.model.samples import DiskSample, GpuReport, HostSample, Lease


def admit(
    request: Request, scene: Scene, *, hot: Sequence[str] = (), disks: Sequence[DiskSample] = (), held: str = ""
) -> Admission:
    """Apply every rule but the queue's; each leaves a decision, also when it says yes.

    Args:
        request: what is wanted.
        scene: the box now.
        hot: GPUs, by index, that must cool down to the request's resume temperature.
        disks: those that the slice will write to.
        held: who keeps it in the queue until it is released.
    """
    choice = choose(request, scene, hot)
    blind = _blind_spots(scene.host, scene.gpus, choice.is_unread)
    decisions = (
        *_ordered(request, scene, held),
        *_caution(blind),
        _slots(request, scene.leases, is_cautious=bool(blind)),
        _ram(request, scene.host),
        _cpu(request, scene.host, scene.own_load),
        *(_disk(request, disk) for disk in disks),
        *choice.decisions,
    )
    admitted = all(decision.ok for decision in decisions)
    return Admission(
        admitted=admitted,
        decisions=decisions,
        gpus=choice.gpus if admitted else (),
        cautious=bool(blind),
        hot=choice.hot,
    )


def _ordered(request: Request, scene: Scene, held: str) -> list[Decision]:
    """What people have ordered, for this run or for the whole box."""
    ordered = []
    if held:
        text, way_out = f"held by {short(held, 40)}", f"let it go with: backprop release {request.run_id}"
        ordered.append(Decision(rule="hold", ok=False, text=text, help=way_out))
    if scene.drain is not None:
        text = f"{short(scene.drain.who, 40)} drains the box: no slice starts"
        ordered.append(Decision(rule="drain", ok=False, text=text, help="end it with: backprop drain --off"))
    if scene.yielding is not None:
        left_s = scene.yielding.until - scene.now
        text = f"{short(scene.yielding.who, 40)} has the box to themselves: {span(left_s)} to go"
        ordered.append(
            Decision(
                rule="yield", ok=False, text=text, value=round(left_s, 1), help="end it with: backprop yield --off"
            )
        )
    return ordered


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
        text += f" ({names([called(lease) for lease in leases])})"
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
    free, wanted, total = host.ram_free_bytes, request.min_free_ram_bytes, host.ram_total_bytes
    if free is None:
        return Decision(rule="ram", ok=True, text="RAM: what is free cannot be read", limit=float(wanted))
    ok = free >= wanted
    is_final = not ok and total is not None and total < wanted
    shown, needed = free_and_wanted(total if is_final and total is not None else free, wanted)
    return Decision(
        rule="ram",
        ok=ok,
        text=f"RAM: {shown} {'in all' if is_final else 'free'}, {needed} wanted",
        value=float(free),
        limit=float(wanted),
        help="" if ok else "lower --min-free-ram" if is_final else "close what uses memory, or lower --min-free-ram",
        is_final=is_final,
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


def _disk(request: Request, disk: DiskSample) -> Decision:
    wanted = request.min_free_disk_bytes + request.checkpoint_bytes
    ok = disk.free_bytes >= wanted
    is_final = not ok and disk.total_bytes < wanted
    shown, needed = free_and_wanted(disk.total_bytes if is_final else disk.free_bytes, wanted)
    room = " with room for a checkpoint" if request.checkpoint_bytes else ""
    where = f"{disk.what} in {short(disk.path, 60)}"
    return Decision(
        rule="disk",
        ok=ok,
        text=f"disk: {shown} {'in all' if is_final else 'free'} for {where}, {needed} wanted{room}",
        value=float(disk.free_bytes),
        limit=float(wanted),
        help="" if ok else "free disk space (backprop rm --purge removes records), or lower --min-free-disk",
        is_final=is_final,
    )
