"""Tickets and leases as files that their holders keep locked: what nobody locks is dead."""

from __future__ import annotations

import os

from backprop_tui import files
from backprop_tui.errors import StoreError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from backprop_tui.governor.request import Ticket
    from backprop_tui.model.samples import Lease

ROOM = "is there room on the disk? Else set BACKPROP_ADMISSION_DIR to a local folder"


class HeldFile:
    """A ticket or lease of ours: a file that we keep locked."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._lock = files.FileLock(path)
        self._longest = 0
        self.is_dropped = False

    def take(self, content: dict[str, Any]) -> None:
        """Make it ours.

        Raises:
            StoreError: another process holds it, or it cannot be written.
        """
        try:
            is_ours = self._lock.try_acquire()
        except OSError as error:
            raise StoreError(f"cannot write {self.path}: {error.strerror}", hint=ROOM)
        if not is_ours:
            raise StoreError(f"{self.path} is held by another process", hint="start again")
        try:
            self._put(content)
        except OSError as error:
            self.drop()
            raise StoreError(f"cannot write {self.path}: {error.strerror}", hint=ROOM)

    def write(self, content: dict[str, Any]) -> None:
        """In place: the lock belongs to this very file."""
        try:
            self._put(content)
        except OSError:
            pass  # a stale measurement does no harm; the lock is what counts

    def _put(self, content: dict[str, Any]) -> None:
        data = files.to_json(content)
        # Never shorter than before, in one write: whoever reads at this moment sees one content or the other.
        self._longest = max(self._longest, len(data))
        os.pwrite(self._lock.fileno(), data.ljust(self._longest), 0)

    def fileno(self) -> int:
        return self._lock.fileno()

    def drop(self) -> None:
        self.is_dropped = True
        try:
            os.unlink(self.path)
        except OSError:
            pass
        self._lock.release()


class HeldLease(HeldFile):
    """The lease of a run that has started."""

    def __init__(self, path: str, lease: Lease) -> None:
        super().__init__(path)
        self.lease = lease

    def update(self, **changes: Any) -> None:
        """Note what has become known of the run: its id, what it uses, when its box ends."""
        changed = self.lease.replace(**changes)
        if changed != self.lease:
            self.lease = changed
            self.write(changed.plain())


class HeldTicket(HeldFile):
    """Our place in the queue."""

    def __init__(self, path: str, ticket: Ticket) -> None:
        super().__init__(path)
        self.ticket = ticket

    def keep(self) -> None:
        """Take the place anew where somebody has removed the file; raises as `take`."""
        if not os.path.lexists(self.path):
            self._lock.release()
            self.take(self.ticket.plain())

    def update(self, **changes: Any) -> None:
        """Note what keeps us from starting."""
        changed = self.ticket.replace(**changes)
        if changed != self.ticket:
            self.ticket = changed
            self.write(changed.plain())
