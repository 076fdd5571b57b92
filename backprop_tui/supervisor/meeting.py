"""The folder in which all of this user's runs on the box meet: one lock, the tickets and the leases."""

from __future__ import annotations

import errno
import os
import stat
import time

from backprop_tui import files
from backprop_tui.errors import StoreError
from backprop_tui.supervisor.held import ROOM
from backprop_tui.supervisor.residue import ResidueFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

LOCK_WAIT_S = 30.0
_NO_SLIP = frozenset({errno.ENOENT, errno.EISDIR, errno.ELOOP, errno.EACCES, errno.ENXIO})
"""Nothing that a run could hold: gone, or no file of ours."""


class Meeting:
    """Makes the folder, locks it, and reads the slips of those that live; `kind` is tickets or leases."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self.lock_wait_s = LOCK_WAIT_S
        """So long the lock is waited for."""
        self.residue = ResidueFile(self.path("residue"))

    def open(self) -> None:
        """Make the folder, or make sure that it is ours alone.

        Raises:
            StoreError: somebody else could write to it.
        """
        for path in (self._folder, self.path("tickets"), self.path("leases")):
            try:
                os.mkdir(path, 0o700)
            except FileExistsError:
                pass
            except OSError as error:
                raise StoreError(
                    f"cannot make {path}: {error.strerror}", hint="set BACKPROP_ADMISSION_DIR to a local folder"
                )
            info = os.lstat(path)
            if not stat.S_ISDIR(info.st_mode) or info.st_uid != os.geteuid() or info.st_mode & 0o022:
                raise StoreError(
                    f"{path} is not a folder that only you can write to",
                    hint="remove it, or set BACKPROP_ADMISSION_DIR to a folder of your own",
                )

    def path(self, *parts: str) -> str:
        """Of something in it."""
        return os.path.join(self._folder, *parts)

    def changed_at(self, kind: str) -> int:
        """A mark that differs after a slip came or went."""
        try:
            return os.stat(self.path(kind)).st_mtime_ns
        except OSError:
            return 0  # somebody has removed it: the next look says so

    def locked(self) -> files.FileLock:
        """The folder's lock, taken; makes the folder again where somebody has removed it.

        Raises:
            StoreError: another process keeps it, or it cannot be taken.
        """
        lock = files.FileLock(self.path("admission.lock"))
        try:
            try:
                lock.acquire(self.lock_wait_s)
            except FileNotFoundError:  # somebody has removed the folder
                self.open()
                lock.acquire(self.lock_wait_s)
        except TimeoutError:
            raise StoreError(
                f"{lock.path} has been held by another backprop for {self.lock_wait_s:g} s",
                hint="look for a stopped backprop process (ps -C backprop)",
            )
        except OSError as error:
            raise StoreError(f"cannot lock {lock.path}: {error.strerror}", hint=ROOM)
        return lock

    def living(self, kind: str) -> list[dict[str, Any]]:
        """What the slips of living holders say, in the order of their names; clears the others away.

        Raises:
            StoreError: some cannot be read now.
        """
        living = []
        for name in self._names(kind):
            from backprop_tui.supervisor.slips import content_of

            path = self.path(kind, name)
            lock = files.FileLock(path)
            try:
                content = content_of(path)
                if not lock.try_acquire():
                    living.append(content)
                    continue
            except OSError as error:
                if error.errno in _NO_SLIP:
                    continue
                raise StoreError(f"cannot tell whether {path} is in use: {error.strerror}", hint=ROOM)
            with lock:
                self._clear(kind, path, content)
        return living

    def _names(self, kind: str) -> list[str]:
        try:
            return sorted(os.listdir(self.path(kind)))
        except FileNotFoundError:
            self.open()
            return []
        except OSError as error:
            raise StoreError(f"cannot list {self.path(kind)}: {error.strerror}", hint=ROOM)

    def _clear(self, kind: str, path: str, content: dict[str, Any]) -> None:
        """Away with a slip whose holder is dead; what cannot be written is left for the next."""
        from backprop_tui.supervisor.slips import lease_from

        try:
            if kind == "leases":
                self.residue.add(lease_from(content), time.time())
            os.unlink(path)
        except OSError:
            pass
