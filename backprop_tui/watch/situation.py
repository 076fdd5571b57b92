"""The box as the Governor sees it: what it has, who holds it, who waits, and whether a new run could start."""

from __future__ import annotations

import os
import time

from backprop_tui import paths
from backprop_tui.config.resolve import resolve
from backprop_tui.errors import BackpropError
from backprop_tui.frozen import Frozen
from backprop_tui.governor.going_on import span
from backprop_tui.governor.summary import refusal_text, waiting_text
from backprop_tui.model.decisions import Admission
from backprop_tui.model.samples import DiskSample, Lease
from backprop_tui.model.spec import SliceSpec
from backprop_tui.supervisor.admission import AdmissionDesk
from backprop_tui.supervisor.enrolment import request_of
from backprop_tui.supervisor.eyes import Eyes
from backprop_tui.watch.box import BoxMeter, BoxSample
from backprop_tui.watch.orders import Orders, OrdersReader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from backprop_tui.governor.request import Ticket
    from backprop_tui.model.samples import GpuReport, HostSample
    from backprop_tui.store.home import Home

_NO_FLAGS: Mapping[str, Any] = {}
NEW = "<new>"
"""Stands for the id of a run that nobody has started."""


class Waiting(Frozen):
    """A run in the queue, in any home of this user."""

    run_id: str
    position: int
    """1 is the next one; whoever is held or has no room on its own disk keeps its place and is passed."""
    since: float
    """Epoch seconds."""
    name: str = ""
    home: str = ""
    """The folder of its records; "" where that is not known."""
    priority: int = 0
    held: str = ""
    """Who holds it back; "" for nobody."""
    text: str = ""
    """Why it waits, who holds what it needs and about when, in one sentence."""
    expected_s: float | None = None
    """In about how many seconds it could start; None where there is no telling."""


class Situation(Frozen):
    """The box and its runs at one moment."""

    box: BoxSample
    disks: tuple[DiskSample, ...] = ()
    """The filesystems that a run started in this folder would write to."""
    leases: tuple[Lease, ...] = ()
    """Of the runs that have started; of all homes of this user."""
    queue: tuple[Waiting, ...] = ()
    """In the order in which they go on."""
    start: Admission | None = None
    """Whether a plain new run, with the settings of this folder, could start now; None if there is no telling."""
    orders: Orders = Orders()
    problem: str = ""
    """Why `start`, the leases or the queue could not be told."""

    def holders(self, gpu: str) -> tuple[Lease, ...]:
        """The leases on the GPU with this index."""
        return tuple(lease for lease in self.leases if gpu in lease.gpus)

    def waiting(self, run_id: str, home: str) -> Waiting | None:
        """A run's place in the queue."""
        return next((place for place in self.queue if place.run_id == run_id and place.home in ("", home)), None)

    @property
    def yield_left(self) -> str:
        """How long the GPUs stay free for others: 18 s, 5 min, 1h20."""
        return span(max(0.0, round(self.orders.until - self.box.t)))

    @property
    def could_start(self) -> bool:
        return self.start is not None and self.start.admitted

    @property
    def start_text(self) -> str:
        """Whether a new run could start now, and if not why, in one sentence."""
        if self.start is None:
            return f"whether a new run could start is not known: {self.problem}"
        if not self.start.admitted:
            verdict = "can never start" if self.start.is_final else "would wait"
            return f"a new run {verdict}: {refusal_text(self.start)}"
        gpus = [gpu.index for gpu in self.start.gpus]
        where = "the CPU" if not gpus else f"GPU{'s' if len(gpus) > 1 else ''} {', '.join(gpus)}"
        return f"a new run could start now on {where}"


class SeenEyes(Eyes):
    """Answers with one sample of the box, so that everything is judged by the same figures."""

    def __init__(self, box: BoxSample) -> None:
        super().__init__("none")
        self._box = box

    def host(self, t: float) -> HostSample:
        return self._box.host

    def gpus(self, t: float) -> GpuReport:
        return self._box.gpus


def situation(
    home: Home,
    box: BoxSample | None = None,
    *,
    flags: Mapping[str, Any] = _NO_FLAGS,
    config_path: str | None = None,
) -> Situation:
    """How things stand on this box; starts and takes nothing.

    Args:
        home: the records of the new run that is thought of.
        box: a sample not older than a few seconds, so that the GPUs need not be asked again.
        flags: settings of that run, by key, as typed.
        config_path: the project file that --config names, else the nearest.

    Raises:
        UsageError: a flag's value is not allowed.
    """
    spec, problem = None, ""
    try:
        spec = new_run(flags, config_path)
    except BackpropError as error:
        if flags:
            raise
        problem = error.message
    if box is None:
        box = sample_box(home, "auto" if spec is None else str(spec.setting("gpu.probe")))
    request = None if spec is None else request_of(spec, os.environ, home)
    eyes = SeenEyes(box)
    found = Situation(box=box, disks=() if request is None else eyes.disks(request), problem=problem)
    desk = AdmissionDesk(paths.admission_dir(), eyes)
    try:
        desk.open()
        found = found.replace(leases=desk.leases(), queue=_queue(desk.outlook()))
        if request is not None:
            found = found.replace(start=desk.look(request))
    except (BackpropError, OSError) as error:
        return found.replace(problem=problem or str(error))
    return found.replace(orders=OrdersReader(desk.orders).read(box.t))


def sample_box(home: Home, probe: str) -> BoxSample:
    """One look at the box."""
    meter = BoxMeter(home.path, probe)
    try:
        return meter.sample(time.time())
    finally:
        meter.close()


def new_run(flags: Mapping[str, Any], config_path: str | None = None) -> SliceSpec:
    """A run that nobody has asked for, with the settings of this folder; `flags` are settings as typed, by key.

    Raises:
        UsageError, ConfigError: a setting or a configuration file cannot be understood.
    """
    cwd = os.getcwd()
    return SliceSpec(
        run_id=NEW,
        n=1,
        created=time.time(),
        command=(NEW,),
        is_command=True,  # no script, whose needs would be known
        cwd=cwd,
        interpreter=None,
        interpreter_origin="",
        framework="unknown",
        declared_flags=(),
        settings=resolve(flags=flags, env=os.environ, cwd=cwd, config_path=config_path).settings,
        env={},
        recorded_env={},
    )


def _queue(outlook: tuple[tuple[Ticket, Admission], ...]) -> tuple[Waiting, ...]:
    return tuple(
        Waiting(
            run_id=ticket.request.run_id,
            position=n,
            since=ticket.since,
            name=ticket.request.name,
            home=ticket.request.home,
            priority=ticket.request.priority,
            held=ticket.held,
            text=waiting_text(admission) or "starts in a moment",
            expected_s=admission.expected_s,
        )
        for n, (ticket, admission) in enumerate(outlook, start=1)
    )
