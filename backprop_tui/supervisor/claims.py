"""Folders that other running trainings of this user name as theirs: what appears there is not ours."""

from __future__ import annotations

import os

from backprop_tui.artifacts.arguments import places_in
from backprop_tui.errors import BackpropError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.store.home import Home

_MAX_RUNS = 256


class Claims:
    """Read anew only when some run has started or ended; what has ended keeps what it has written."""

    def __init__(self, home: Home, own_id: str) -> None:
        self._home = home
        self._own_id = own_id
        self._mtime_ns = -1
        self._folders: dict[str, tuple[str, ...]] = {}
        """By run."""
        self._cwds: dict[str, str] = {}

    def hold(self, path: str) -> bool:
        """Whether another training has named a folder around this path."""
        self.refresh()
        return any(path.startswith(folder + "/") for folders in self._folders.values() for folder in folders)

    def works_in(self, cwd: str) -> bool:
        """Whether another training has, or had meanwhile, this working directory."""
        self.refresh()
        return cwd in self._cwds.values()

    def refresh(self) -> None:
        """See which runs there are now."""
        try:
            mtime_ns = os.stat(self._home.active).st_mtime_ns
            if mtime_ns == self._mtime_ns:
                return
            others = self._home.active_ids() - {self._own_id}
        except (OSError, BackpropError):
            return
        self._mtime_ns = mtime_ns
        for other in sorted(others - self._folders.keys()):
            try:
                spec = self._home.run(other).read_spec()
            except BackpropError:
                self._mtime_ns = -1  # it is being made: read it the next time
                continue
            self._folders[other] = places_in(spec.command[1:], spec.cwd).outputs
            self._cwds[other] = spec.cwd
            if len(self._folders) > _MAX_RUNS:
                oldest = next(iter(self._folders))
                del self._folders[oldest], self._cwds[oldest]
