"""A choice of GPUs as the Governor makes it, for programs that backprop does not start."""

from __future__ import annotations

import os

from backprop_tui.frozen import Frozen
from backprop_tui.governor.devices import choose
from backprop_tui.governor.promises import called, promised
from backprop_tui.governor.scene import Scene
from backprop_tui.model.decisions import Decision
from backprop_tui.model.samples import GpuReport, GpuSample, Lease
from backprop_tui.supervisor.desk import open_desk
from backprop_tui.supervisor.enrolment import request_of
from backprop_tui.watch.situation import new_run, sample_box

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from backprop_tui.store.home import Home


class Pick(Frozen):
    """The GPUs, who holds them, and which were chosen."""

    report: GpuReport
    leases: tuple[Lease, ...]
    wanted: int
    decisions: tuple[Decision, ...]
    """Only of the rules that are about GPUs: slots, RAM, CPU and the queue are a run's own affair."""
    gpus: tuple[GpuSample, ...] = ()
    """The chosen ones."""

    @property
    def ok(self) -> bool:
        """Whether as many as were wanted could be chosen."""
        return len(self.gpus) == self.wanted

    def kept(self, gpu: GpuSample) -> list[tuple[str, int]]:
        """(run, bytes) of what is free on a GPU and promised to runs that do not use it yet."""
        t = self.report.t
        return [(called(promise.lease), promise.bytes) for promise in promised(gpu.index, self.leases, t, t)]

    @property
    def mask(self) -> str:
        """What CUDA_VISIBLE_DEVICES takes."""
        return ",".join(gpu.mask for gpu in self.gpus)

    @property
    def why_not(self) -> tuple[str, ...]:
        """What stands in the way, a sentence each; empty if nothing does."""
        if self.ok:
            return ()
        refused = tuple(decision.text for decision in self.decisions if not decision.ok)
        return refused or tuple(decision.text for decision in self.decisions)


def pick(home: Home, flags: Mapping[str, Any], config_path: str | None = None) -> Pick:
    """Choose; nothing is kept for whoever asked.

    Args:
        home: of the records.
        flags: settings by key, as typed: gpus and gpu.needMB among them.
        config_path: the project file that --config names, else the nearest.

    Raises:
        UsageError, ConfigError: a setting cannot be understood.
        StoreError: the leases cannot be read.
    """
    spec = new_run(flags, config_path)
    box = sample_box(home, str(spec.setting("gpu.probe")))
    desk = open_desk("none")
    desk.open()
    leases = desk.leases()
    scene = Scene(host=box.host, gpus=box.gpus, leases=leases)
    choice = choose(request_of(spec, os.environ, home), scene)
    return Pick(
        report=box.gpus,
        leases=leases,
        wanted=int(spec.setting_or("gpus", 1)),
        decisions=choice.decisions,
        gpus=choice.gpus,
    )
