"""The admission desk of this user and host, with this machine's probes."""

from __future__ import annotations

import os

from backprop_tui import paths
from backprop_tui.probes.gpu import sample_gpus
from backprop_tui.probes.host import sample_host
from backprop_tui.probes.tree import count_backprop
from backprop_tui.supervisor.admission import AdmissionDesk


def open_desk(gpu_probe: str) -> AdmissionDesk:
    """The desk, with the GPU probe that the settings ask for."""
    return AdmissionDesk(
        paths.admission_dir(),
        sample_host=sample_host,
        sample_gpus=lambda t: sample_gpus(gpu_probe, t=t, env=os.environ),
        count_starting=count_backprop,
    )
