"""When a waiting slice could start, from when the boxes of those that run end."""

from __future__ import annotations

from backprop_tui.frozen import Frozen
from backprop_tui.governor.devices import choose
from backprop_tui.governor.promises import held
from backprop_tui.governor.request import Request, Ticket
from backprop_tui.model.samples import Lease

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from backprop_tui.governor.scene import Scene
    from backprop_tui.model.samples import GpuReport

OVERDUE_S = 10.0
"""A slice whose box is over is given so long to be gone."""
_ANY_HEAT_C = 100_000
_NO_TELLING = frozenset({"ram", "cpu", "gpu_temp", "probe"})
"""Rules whose values nobody can foresee."""


class Stay(Frozen):
    """A slice's time on the box: it goes on, starts now, or is to start."""

    lease: Lease
    start: float
    """Epoch seconds."""
    end: float | None
    """None where there is no telling."""


class Plan(Frozen):
    """A waiting slice, and when it could start at the earliest."""

    ticket: Ticket
    rules: frozenset[str]
    """Those that refuse it now."""
    hot: frozenset[str]
    """GPUs, by index, that it waits for to cool."""
    stay: Stay | None = None
    """None where there is no telling."""

    def expected_s(self, now: float) -> float | None:
        """In how many seconds, None where something that nobody foresees stands in the way as well."""
        if self.stay is None or self.rules & _NO_TELLING:
            return None
        return max(0.0, self.stay.start - now)


def going(leases: Iterable[Lease], now: float) -> list[Stay]:
    """The slices that go on."""
    return [
        Stay(
            lease=lease,
            start=lease.since,
            end=None if lease.ends is None else lease.ends if lease.ends > now else now + OVERDUE_S,
        )
        for lease in leases
    ]


def stay_of(ticket: Ticket, start: float, now: float, gpus: tuple[str, ...]) -> Stay:
    """A slice that starts at `start` and uses its whole box.

    Its lease is as young as can be: all that it needs is still to be taken.
    """
    request = ticket.request
    lease = request.lease(pid=ticket.pid, since=now, gpus=gpus)
    return Stay(lease=lease, start=start, end=start + request.box_s + request.grace_s)


def first_fit(ticket: Ticket, scene: Scene, stays: Sequence[Stay], plans: Sequence[Plan]) -> Stay | None:
    """The earliest time at which slots and GPU memory let it start without delaying any that came before.

    None where no end of a box brings that about.
    """
    now = scene.now
    for start in (now, *sorted({stay.end for stay in stays if stay.end is not None and stay.end > now})):
        gpus = _fit(ticket.request, later(scene, stays, start))
        if gpus is None:
            continue
        stay = stay_of(ticket, start, now, gpus)
        if not delayed(stay, scene, stays, plans):
            return stay
    return None


def delayed(stay: Stay, scene: Scene, stays: Sequence[Stay], plans: Sequence[Plan]) -> list[Ticket]:
    """The waiting ones that this stay would delay."""
    return [plan.ticket for plan in plans if _delays(stay, plan, scene, stays)]


def later(scene: Scene, stays: Sequence[Stay], t: float, *, at_most: bool = False) -> Scene:
    """The box at a later time, if nothing but these stays changes.

    Where nothing tells what a slice has, nothing comes free with it, or, `at_most`, all that it was promised.
    """
    there = tuple(stay.lease for stay in stays if stay.start <= t and (stay.end is None or stay.end > t))
    gone = [lease for lease in scene.leases if lease not in there]
    return scene.replace(leases=there, gpus=_freed(scene.gpus, gone, scene.now, at_most=at_most))


def is_out_of_reach(request: Request, scene: Scene) -> bool:
    """Whether it could not start now though all runs of this user had ended; of their RAM only that counts whose end
    can be foreseen."""
    free, rest = scene.host.ram_free_bytes, [lease.ram_used for lease in scene.leases if lease.ends is not None]
    is_told = free is not None and all(used > 0 for used in rest)  # else one was not measured yet
    if is_told and (free or 0) + sum(rest) < request.min_free_ram_bytes:
        return True
    return _fit(request, later(scene, (), scene.now, at_most=True)) is None


def _delays(stay: Stay, plan: Plan, scene: Scene, stays: Sequence[Stay]) -> bool:
    if "ram" in plan.rules:
        return True  # whatever starts takes some
    if plan.hot & frozenset(stay.lease.gpus):
        return True  # it would not cool
    if plan.stay is None:
        return _takes_away(stay, plan.ticket.request, scene, stays)
    if stay.start > plan.stay.start or (stay.end is not None and stay.end <= plan.stay.start):
        return False
    others = [other for other in stays if other is not plan.stay]
    return _fit(plan.ticket.request, later(scene, [*others, stay], plan.stay.start)) is None


def _takes_away(stay: Stay, request: Request, scene: Scene, stays: Sequence[Stay]) -> bool:
    """Whether a slice could start but for this stay, should those whose end nobody knows go at some moment of it."""
    foreseen = [other for other in stays if other.end is not None]
    ends = {other.end for other in foreseen if other.end is not None and other.end > stay.start}
    return any(
        _fit(request, later(scene, foreseen, t, at_most=at_most)) is not None
        and _fit(request, later(scene, [*foreseen, stay], t, at_most=at_most)) is None
        for t in (stay.start, *sorted(ends))
        if stay.end is None or t < stay.end
        for at_most in (False, True)
    )


def _fit(request: Request, scene: Scene) -> tuple[str, ...] | None:
    """The GPUs it would get, by index, if only slots and memory counted; None if it does not fit."""
    if len(scene.leases) >= request.max_parallel:
        return None
    choice = choose(request.replace(max_temp_c=_ANY_HEAT_C), scene)
    if not all(decision.ok for decision in choice.decisions):
        return None
    return tuple(gpu.index for gpu in choice.gpus)


def _freed(report: GpuReport, gone: Sequence[Lease], now: float, *, at_most: bool) -> GpuReport:
    """The GPUs without what these leases have in use."""
    if not gone:
        return report
    gpus = []
    for gpu in report.gpus:
        back = sum(_back(lease, gpu.index, now, at_most=at_most) for lease in gone if gpu.index in lease.gpus)
        if gpu.free_bytes is not None and back:
            free = gpu.free_bytes + back
            gpu = gpu.replace(free_bytes=free if gpu.total_bytes is None else min(free, gpu.total_bytes))
        gpus.append(gpu)
    return report.replace(gpus=tuple(gpus))


def _back(lease: Lease, index: str, now: float, *, at_most: bool) -> int:
    """What comes free of a GPU with a lease; one that starts at this moment has taken nothing."""
    is_untold = index not in lease.gpu_used and lease.since < now
    return max(0, lease.gpu_bytes) if at_most and is_untold else held(lease, index, now)
