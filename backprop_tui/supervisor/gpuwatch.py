"""Follows the leased GPU while a run goes on, in a thread of its own: a driver that hangs holds up nothing."""

from __future__ import annotations

import os
import time

EVERY_S = 2.0


class GpuWatch:
    """The memory in use on one GPU, as of a moment ago."""

    def __init__(self, index: str, probe: str) -> None:
        self._index = index
        self._probe = probe
        self.used_bytes: int | None = None
        """None until it was read, and where it cannot be."""

    def start(self) -> None:
        """To be called once the training and the guard are there: both are forked before any thread."""
        import threading

        threading.Thread(target=self._follow, name="gpu", daemon=True).start()

    def _follow(self) -> None:
        from backprop_tui.probes.gpu import GpuSampler

        sampler = GpuSampler(self._probe, env=os.environ)
        while True:
            report = sampler.sample(time.time())
            gpu = next((gpu for gpu in report.gpus if gpu.index == self._index), None)
            known = gpu is not None and gpu.total_bytes is not None and gpu.free_bytes is not None
            self.used_bytes = gpu.total_bytes - gpu.free_bytes if known else None  # type: ignore[union-attr,operator]
            time.sleep(EVERY_S)
