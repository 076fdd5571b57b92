"""Whose turn it is: by priority, then first come; a small slice passes a big one when it delays it by nothing."""

from __future__ import annotations

from backprop_tui.governor.admission import admit
from backprop_tui.governor.devices import reserved_bytes
from backprop_tui.governor.expecting import Plan, Stay, delayed, first_fit, going, is_out_of_reach, stay_of
from backprop_tui.governor.words import names, nth
from backprop_tui.model.decisions import Admission, Decision

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from backprop_tui.governor.request import Ticket
    from backprop_tui.governor.scene import Scene
    from backprop_tui.model.samples import DiskSample

MOST_PLANNED = 8
"""Nobody passes a queue that is longer."""
ASIDE = "stands aside, as no end of a run that can be foreseen makes room for it"


def turn(
    tickets: Iterable[Ticket], scene: Scene, disks: Mapping[tuple[int, float, int], tuple[DiskSample, ...]]
) -> tuple[tuple[Ticket, Admission], ...]:
    """The verdict on each waiting slice, in the order of the queue.

    Those that are admitted may all start at once: each was judged beside those before it.

    Args:
        tickets: the queue, in any order.
        scene: the box now.
        disks: what the slices of some tickets will write to, by the ticket's `order`.
    """
    line = _Line(scene)
    ordered = sorted(tickets, key=lambda ticket: ticket.order)
    return tuple((ticket, line.judge(ticket, disks.get(ticket.order, ()))) for ticket in ordered)


class _Line:
    """The queue, judged from its head."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        """With the leases of those that may start now, too."""
        self._stays = going(scene.leases, scene.now)
        self._plans: list[Plan] = []
        self._waiting: list[Ticket] = []

    def judge(self, ticket: Ticket, disks: tuple[DiskSample, ...]) -> Admission:
        """Its verdict; from now on the others are judged beside it."""
        scene = self._scene
        admission = admit(ticket.request, scene, hot=ticket.hot, disks=disks, held=ticket.held)
        rules = frozenset(decision.rule for decision in admission.refusals)
        if ticket.aside and not disks:
            return _refused(admission, Decision(rule="disk", ok=False, text=ticket.aside))
        if admission.is_final or _is_private(rules):
            return admission
        if rules & {"drain", "yield"}:
            return self._behind(ticket, admission, [], None)
        if not admission.admitted and is_out_of_reach(ticket.request, scene):
            return _refused(admission, Decision(rule="queue", ok=True, text=ASIDE))
        if len(self._plans) >= MOST_PLANNED:
            return self._behind(ticket, admission, [], None)
        passed: list[Ticket] = []
        if admission.admitted:
            stay = stay_of(ticket, scene.now, scene.now, tuple(gpu.index for gpu in admission.gpus))
            stay = stay.replace(lease=stay.lease.replace(gpu_bytes=reserved_bytes(ticket.request, admission.gpus)))
            passed = delayed(stay, scene, self._stays, self._plans)
            if not passed:
                self._start(stay)
                return admission
        first = first_fit(ticket, scene, self._stays, self._plans)
        hot = frozenset(admission.hot) if "gpu_temp" in rules else frozenset()
        plan = Plan(ticket=ticket, rules=rules, hot=hot, stay=first)
        verdict = self._behind(ticket, admission, passed, plan.expected_s(scene.now))
        self._plans.append(plan)
        if first is not None:
            self._stays.append(first)
        return verdict

    def _start(self, stay: Stay) -> None:
        self._stays.append(stay)
        self._scene = self._scene.replace(leases=(*self._scene.leases, stay.lease))

    def _behind(
        self, ticket: Ticket, admission: Admission, passed: list[Ticket], expected_s: float | None
    ) -> Admission:
        """Refused, with its place; takes that place."""
        ahead = [other.request.called for other in self._waiting]
        self._waiting.append(ticket)
        text = f"{nth(len(self._waiting))} in line"
        if passed:
            text += f": a start now would delay {names([other.request.called for other in passed], 3)}"
        elif ahead:
            text += f", behind {names(ahead, 3)}"
        place = Decision(rule="queue", ok=not ahead, text=text, value=float(len(self._waiting)), limit=1.0)
        return _refused(admission, place).replace(expected_s=expected_s)


def _is_private(rules: frozenset[str]) -> bool:
    """Whether the slice stands aside: what refuses it concerns it alone, and no other's end changes it."""
    lacks_gpus = "gpu_count" in rules and not rules & {"gpu_memory", "gpu_temp"}  # one cannot be read
    return bool(rules & {"disk", "hold"}) or lacks_gpus


def _refused(admission: Admission, decision: Decision) -> Admission:
    return admission.replace(admitted=False, gpus=(), decisions=(*admission.decisions, decision))
