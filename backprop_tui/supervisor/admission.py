"""Who may start: one desk for all of this user's local runs, in every shell and home.

Tickets (waiting) and leases (started) are files locked by their holders: what nobody locks is dead.
"""

from __future__ import annotations

import os
import time

from backprop_tui import files
from backprop_tui.errors import StoreError
from backprop_tui.governor.admission import admit
from backprop_tui.governor.devices import reserved_bytes
from backprop_tui.governor.load import SUPERVISOR_BUSY_S, own_load
from backprop_tui.governor.request import Ticket
from backprop_tui.governor.scene import Scene
from backprop_tui.supervisor.held import HeldLease, HeldTicket
from backprop_tui.supervisor.meeting import Meeting
from backprop_tui.supervisor.steering import OrderBook

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.governor.request import Request
    from backprop_tui.model.decisions import Admission
    from backprop_tui.model.samples import DiskSample, GpuReport, Lease
    from backprop_tui.supervisor.eyes import Eyes

__all__ = ["AdmissionDesk", "HeldLease"]

QUICK_S = 0.2
"""A driver that answers so fast is asked again under the lock."""
STALE_S = 2.0
"""What was seen so long ago, while others had the lock, is looked at anew."""
NEAR = 3
"""So many at the queue's head look again as soon as anything changes."""


class AdmissionDesk:
    """Reads the others, decides, and hands out a lease, all under one lock."""

    def __init__(self, folder: str, eyes: Eyes) -> None:
        self._meeting = Meeting(folder)
        self._eyes = eyes
        self._ticket: HeldTicket | None = None
        self.orders = OrderBook(folder)
        """What people have ordered for the whole box."""

    @property
    def lock_wait_s(self) -> float:
        """So long the desk's lock is waited for."""
        return self._meeting.lock_wait_s

    @lock_wait_s.setter
    def lock_wait_s(self, seconds: float) -> None:
        self._meeting.lock_wait_s = seconds

    def open(self) -> None:
        """Make the folder, or make sure that it is ours alone.

        Raises:
            StoreError: somebody else could write to it.
        """
        self._meeting.open()

    def look(self, request: Request) -> Admission:
        """The verdict on a start now, of a run that waits at its place in the queue; takes nothing."""
        return self._settle(request, is_start=False)[0]

    def try_start(self, request: Request) -> tuple[Admission, HeldLease | None]:
        """The verdict on a start now and, when it is yes, the lease that makes it true."""
        return self._settle(request, is_start=True)

    def queue(self, request: Request, *, held: str = "") -> None:
        """Take a place in the queue, behind those of the same priority; `held` says who wants it to be held there."""
        if self._ticket is not None:
            return
        place = Ticket(request=request, pid=os.getpid(), since=time.time(), held=held)
        # The names sort as the queue does: whether one's turn is near is told without reading any file.
        name = f"{1000 - request.priority:04d}-{place.since * 1e6:017.0f}-{request.run_id}.{place.pid}"
        ticket = HeldTicket(self._meeting.path("tickets", name), place)
        with self._meeting.locked():
            ticket.take(place.plain())
        self._ticket = ticket

    def leave(self) -> None:
        """Give up the place in the queue, if there is one, and let go of the GPUs' driver."""
        self._eyes.close()
        if self._ticket is not None:
            self._ticket.drop()
            self._ticket = None

    def hold(self, who: str) -> None:
        """Keep our place, and do not start before `release`."""
        if self._ticket is not None:
            self._ticket.update(held=who)

    def release(self) -> None:
        """We may start again when it is our turn."""
        self.hold("")

    def end(self, held: HeldLease) -> None:
        """Give a lease back, once; the load that it leaves behind is remembered."""
        if held.is_dropped:
            return
        try:
            with self._meeting.locked():
                self._meeting.residue.add(held.lease, time.time())
                held.drop()
        except (OSError, StoreError):
            held.drop()

    def changed(self) -> tuple[int, ...]:
        """A mark that differs after somebody came or went, or ordered something."""
        return (self._meeting.changed_at("tickets"), self._meeting.changed_at("leases"), *self.orders.mark())

    def is_near(self) -> bool:
        """Whether few are before us in the queue."""
        if self._ticket is None:
            return True
        try:
            first = sorted(os.listdir(self._meeting.path("tickets")))[:NEAR]
        except OSError:
            return True
        return os.path.basename(self._ticket.path) in first

    def leases(self) -> tuple[Lease, ...]:
        """Those of living holders; clears the others away."""
        with self._meeting.locked():
            return self._leases()

    def tickets(self) -> tuple[Ticket, ...]:
        """The queue in its order; clears dead places away."""
        with self._meeting.locked():
            return self._tickets()

    def outlook(self) -> tuple[tuple[Ticket, Admission], ...]:
        """The queue in its order, each with the verdict on it now."""
        from backprop_tui.governor.queue import turn

        self._eyes.look_at_users(self._eyes.gpus(time.time()))
        gpus, lock = self._seen_and_locked()
        with lock:
            tickets = self._tickets()
            return turn(tickets, self._scene(self._eyes.with_users(gpus), self._leases(), 0), {})

    def _settle(self, request: Request, *, is_start: bool) -> tuple[Admission, HeldLease | None]:
        """Decide and, where that is meant and allowed, take a lease.

        What may take long, or hang on a dead mount or driver, is asked before the lock is taken; what is dear, only
        once a refusal calls for it.
        """
        disks, starting = self._eyes.disks(request), 0
        gpus, lock = self._seen_and_locked()
        with lock:
            admission, leases = self._decide(request, gpus, disks, starting)
            doubts = {decision.rule for decision in admission.refusals} & {"cpu", "gpu_memory"}
            if not doubts:
                return admission, self._take(request, admission) if is_start else None
        if "cpu" in doubts:
            # Other starts that have no lease yet weigh on the load as well.
            starting = self._eyes.count_starting({lease.pid for lease in leases})
        if "gpu_memory" in doubts:
            self._eyes.look_at_users(gpus)
        gpus, lock = self._seen_and_locked()
        with lock:
            admission, _ = self._decide(request, gpus, disks, starting)
            return admission, self._take(request, admission) if is_start else None

    def _take(self, request: Request, admission: Admission) -> HeldLease | None:
        """The lease of a run that is admitted; of another, the place says what keeps it."""
        if self._ticket is not None:
            disk = next((d.text for d in admission.refusals if d.rule == "disk"), "")
            self._ticket.keep()
            self._ticket.update(hot=admission.hot, aside=disk)
        if not admission.admitted:
            return None
        indices = tuple(gpu.index for gpu in admission.gpus)
        lease = HeldLease(
            self._meeting.path("leases", f"{request.run_id}.{os.getpid()}"),
            request.lease(pid=os.getpid(), since=time.time(), gpus=indices).replace(
                gpu_bytes=reserved_bytes(request, admission.gpus)
            ),
        )
        lease.take(lease.lease.plain())
        self.leave()
        return lease

    def _seen_and_locked(self) -> tuple[GpuReport, files.FileLock]:
        """A fresh look at the GPUs and the desk's lock; nobody waits for a slow driver under that lock."""
        for is_last in (False, False, True):
            began = time.monotonic()
            gpus = self._eyes.gpus(time.time())
            seen = time.monotonic()
            lock = self._meeting.locked()
            if gpus.gpus and seen - began < QUICK_S:
                gpus = self._eyes.gpus(time.time())
            elif gpus.gpus and time.monotonic() - seen > STALE_S and not is_last:
                lock.release()
                continue
            break
        if self._ticket is None:
            self._eyes.close()
        return gpus, lock

    def _decide(
        self, request: Request, gpus: GpuReport, disks: tuple[DiskSample, ...], starting: int
    ) -> tuple[Admission, tuple[Lease, ...]]:
        """The verdict, and the leases that it was made beside; under the lock."""
        leases, tickets = self._leases(), self._tickets()
        own, is_queued = self._own(request, tickets)
        ahead = [place for place in tickets if place.order < own.order]
        starting += sum(time.time() - place.since < SUPERVISOR_BUSY_S for place in ahead)
        scene = self._scene(self._eyes.with_users(gpus), leases, starting)
        judge = _in_line if ahead or is_queued else _alone
        return judge(own, ahead, scene, disks), leases

    def _own(self, request: Request, tickets: tuple[Ticket, ...]) -> tuple[Ticket, bool]:
        """The run's place, and whether it has taken it."""
        if self._ticket is not None:
            return self._ticket.ticket.replace(request=request, aside=""), True
        for place in tickets:
            if request.run_id and (place.request.run_id, place.request.home) == (request.run_id, request.home):
                request = request.replace(priority=place.request.priority)
                return place.replace(request=request, aside=""), True
        return Ticket(request=request, pid=os.getpid(), since=time.time()), False

    def _scene(self, gpus: GpuReport, leases: tuple[Lease, ...], waiting: int) -> Scene:
        now = time.time()
        return Scene(
            host=self._eyes.host(now),
            gpus=gpus,
            leases=leases,
            own_load=own_load(leases, self._meeting.residue.read(), now, waiting),
            drain=self.orders.drain,
            yielding=self.orders.yielding(now),
        )

    # What reads the slips of others is loaded only once there are some: a lone start is in a hurry.
    def _leases(self) -> tuple[Lease, ...]:
        living = self._meeting.living("leases")
        if not living:
            return ()
        from backprop_tui.supervisor.slips import lease_from

        return tuple(lease_from(content) for content in living)

    def _tickets(self) -> tuple[Ticket, ...]:
        living = self._meeting.living("tickets")
        if not living:
            return ()
        from backprop_tui.supervisor.slips import ticket_from

        return tuple(sorted((ticket_from(content) for content in living), key=lambda place: place.order))


def _alone(own: Ticket, ahead: list[Ticket], scene: Scene, disks: tuple[DiskSample, ...]) -> Admission:
    """The verdict where nobody waits."""
    return admit(own.request, scene, disks=disks)


def _in_line(own: Ticket, ahead: list[Ticket], scene: Scene, disks: tuple[DiskSample, ...]) -> Admission:
    """The verdict behind others, or in a place of its own."""
    from backprop_tui.governor.queue import turn

    return turn([*ahead, own], scene, {own.order: disks})[-1][1]
