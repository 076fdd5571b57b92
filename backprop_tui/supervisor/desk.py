"""The admission desk of this user and host, with this machine's probes."""

from __future__ import annotations

from backprop_tui import paths
from backprop_tui.supervisor.admission import AdmissionDesk
from backprop_tui.supervisor.eyes import Eyes


def open_desk(gpu_probe: str) -> AdmissionDesk:
    """The desk, with the GPU probe that the settings ask for."""
    return AdmissionDesk(paths.admission_dir(), Eyes(gpu_probe))
