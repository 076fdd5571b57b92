"""What ended runs have left in the load average, kept beside the leases."""

from __future__ import annotations

import os

from backprop_tui import files
from backprop_tui.governor.load import Residue, after_end

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.model.samples import Lease


class ResidueFile:
    """Two numbers, read and written under the desk's lock: JSON would have to be loaded to read them at every start."""

    def __init__(self, path: str) -> None:
        self._path = path

    def read(self) -> Residue:
        """The residue; nothing where the file was torn by a kill."""
        try:
            load, t = map(float, files.read_bytes(self._path, 64).split())
        except (OSError, ValueError):
            return Residue(load=0.0, t=0.0)
        return Residue(load=load, t=t)

    def add(self, lease: Lease, now: float) -> None:
        """A run has ended. Raises OSError where that cannot be written."""
        residue = after_end(self.read(), lease, now)
        data = f"{residue.load:.6f} {residue.t:.3f}\n".encode()
        fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            os.pwrite(fd, data, 0)
            os.ftruncate(fd, len(data))
        finally:
            os.close(fd)
