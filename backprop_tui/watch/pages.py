"""The history as a list of any length: ordered keys at hand, rows read a page at a time."""

from __future__ import annotations

import math
import threading
import time
from array import array

from backprop_tui.errors import StoreError
from backprop_tui.frozen import Frozen
from backprop_tui.store import importing
from backprop_tui.store.index import Index
from backprop_tui.store.query import unknown_field
from backprop_tui.store.sync import sync

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from backprop_tui.store.home import Home
    from backprop_tui.store.rows import Row

FIRST = 200
"""A screen and more: what a first answer holds, before the rest is known."""
UNSEEN, UNSEEN_S = 50, 7 * 86_400.0
"""Bad ends that are kept up, and for how long."""
FOLDERS_EVERY_S = 2.0
BREATH_S = 0.0005
"""Between two portions of keys, so that a thread that draws gets the interpreter."""


class View(Frozen):
    """What is asked for: a filter and an order."""

    text: str = ""
    sort: str = "age"
    reverse: bool = False
    archived: bool = False

    @property
    def strange_word(self) -> str:
        """The first word of the filter that names a field or a value that is not known, "" if none does."""
        return unknown_field(self.text)


class Listing(Frozen):
    """The keys of a view, in order."""

    view: View
    keys: array[int]
    is_whole: bool
    """False for a first answer, which holds the beginning only."""
    total: int
    """Runs in the history, whatever the filter."""


class HistoryPages:
    """For the one thread that made it, except `interrupt`."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._index = Index(home)
        self._version: tuple[int, int] | None = None
        self._synced = -math.inf
        self._counted: object = None
        """What the index was like when `_total` was counted."""
        self._total = 0
        self._warning = ""
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._is_listing = False

    def sync(self) -> bool:
        """Bring the index up to date; True if anything has changed since the last call, whoever did it.

        Supervisors put their runs in themselves when these end: folders are looked at less often than the index.

        Raises:
            StoreError: something cannot be read; what can be is in the index.
        """
        now = time.monotonic()
        if now - self._synced >= FOLDERS_EVERY_S:
            self._synced = now
            warning = self._import()
            if not self._index.is_current:
                self._index.close()
                self._index = Index(self._home)
            sync(self._home, self._index, with_progress=False)
            if warning:
                raise StoreError(warning)
        version = self._index.version()
        changed = version != self._version
        self._version = version
        return changed

    def _import(self) -> str:
        """Take in runs that another tool has written; returns why that is not possible, once."""
        try:
            importing.import_foreign(self._home)
            warning = ""
        except (StoreError, OSError) as error:
            warning = f"experiments.json could not be imported: {error}"
        before, self._warning = self._warning, warning
        return warning if warning != before else ""

    def first(self, view: View) -> Listing | None:
        """The beginning of a view, at once; None if it was interrupted."""
        keys = self._listed(view, FIRST)
        return None if keys is None else self._listing(view, keys, is_whole=len(keys) < FIRST)

    def whole(self, view: View) -> Listing | None:
        """All of a view; None if it was interrupted."""
        keys = self._listed(view, -1)
        return None if keys is None else self._listing(view, keys, is_whole=True)

    def _listing(self, view: View, keys: array[int], *, is_whole: bool) -> Listing:
        version = self._index.version(), view.archived
        if version != self._counted:
            self._total = self._index.count_ended(archived=view.archived)
            self._counted = version
        return Listing(view=view, keys=keys, is_whole=is_whole, total=self._total)

    def _listed(self, view: View, limit: int) -> array[int] | None:
        keys = array("q")
        with self._lock:
            self._stop.clear()
            self._is_listing = True
        try:
            for portion in self._index.keys(
                text=view.text, sort=view.sort, reverse=view.reverse, archived=view.archived, limit=limit
            ):
                keys.extend(portion)
                if self._stop.is_set():
                    return None
                time.sleep(BREATH_S)
        except StoreError:
            if self._stop.is_set():
                return None
            raise
        finally:
            with self._lock:
                self._is_listing = False
        return keys

    def rows(self, keys: Sequence[int]) -> dict[int, Row]:
        """The rows with these keys; those that are gone are missing."""
        return self._index.rows(keys)

    def unseen(self, now: float) -> list[Row]:
        """The runs that have ended badly in the last days and that nobody has seen so far, newest first."""
        return self._index.unseen(now - UNSEEN_S, UNSEEN)

    def key_of(self, run_id: str) -> int | None:
        """Where a run is in the history."""
        return self._index.key_of(run_id)

    def interrupt(self) -> None:
        """Let go of the listing in hand: another is wanted. Safe from any thread."""
        with self._lock:  # nothing but a listing may be interrupted
            self._stop.set()
            if self._is_listing:
                self._index.interrupt()

    def close(self) -> None:
        self._index.close()
