"""What other trainings of this user have, or had while this slice ran: what they write is not ours."""

from __future__ import annotations

import os

from backprop_tui.artifacts.arguments import places_in
from backprop_tui.errors import BackpropError
from backprop_tui.model.states import RunState

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.model.spec import SliceSpec
    from backprop_tui.store.folder import RunFolder
    from backprop_tui.store.home import Home

_MAX_RUNS = 256
_MAX_SAVED = 200
_MAX_WORDS, _MAX_WORD = 1000, 4096
_SAVED_S = 0.05
"""A file that was written later than its run's record says, by more than clocks differ, was written again since."""
_BUSY_MS = 50
"""So long another writer of the index is waited for; the next look asks again."""


def words_of(spec: SliceSpec) -> frozenset[str]:
    """The words of a command, and the parts of those that are paths or --name=VALUE."""
    words = (word[:_MAX_WORD].replace("=", "/").split("/") for word in spec.command[1 : 1 + _MAX_WORDS])
    return frozenset(part for parts in words for part in parts)


class Claims:
    """Read anew only when some run has started or ended; what has ended keeps what it has written."""

    def __init__(self, home: Home, own_id: str, since: float) -> None:
        """`since` is when the slice began, epoch seconds: what ended before that is no neighbour."""
        self._home = home
        self._own_id = own_id
        self._since = since
        self._mtime_ns = -1
        self._others: dict[str, _Neighbour] = {}

    def hold(self, path: str, written: float | None = None) -> bool:
        """Whether another training has named a folder around this path, or has saved what was written there then.

        Args:
            path: absolute.
            written: when it was last written, epoch seconds; None asks for the folder alone.
        """
        self._meet()
        return any(
            other.names(path) or (written is not None and other.has_saved(path, written))
            for other in self._others.values()
        )

    def works_in(self, cwd: str) -> bool:
        """Whether another training runs, or ran meanwhile, in this working directory."""
        self._meet()
        return any(other.cwd == cwd and other.has_worked for other in self._others.values())

    def say(self, name: str) -> bool:
        """Whether the command of another training has this word, by itself or as a part of a path."""
        return any(name in other.words for other in self._others.values())

    def refresh(self) -> None:
        """See which runs there are now, and what they have saved."""
        self._meet()
        for other in self._others.values():
            other.read()

    def _meet(self) -> None:
        try:
            mtime_ns = os.stat(self._home.active).st_mtime_ns
            if mtime_ns == self._mtime_ns:
                return
            others = self._home.active_ids()
        except (OSError, BackpropError):
            return
        self._mtime_ns = mtime_ns
        # A run's mark in active/ goes only when the index knows of its end: none is missed between two looks.
        for other in sorted((others | self._ended()) - self._others.keys() - {self._own_id}):
            try:
                folder = self._home.run(other)
                self._others[other] = _Neighbour(folder, folder.read_spec(), self._since)
            except BackpropError:
                self._mtime_ns = -1  # it is being made: read it the next time
                continue
            self._others[other].read()
            if len(self._others) > _MAX_RUNS:
                del self._others[next(iter(self._others))]

    def _ended(self) -> set[str]:
        """The runs that have ended since the slice began."""
        from backprop_tui.store.index import Index

        try:
            index = Index(self._home)
        except (OSError, BackpropError):
            return set()
        try:
            index.be_patient(_BUSY_MS)
            return {run_id for run_id in index.ended_after(self._since, _MAX_RUNS) if self._home.has(run_id)}
        except BackpropError:
            self._mtime_ns = -1
            return set()
        finally:
            index.close()


class _Neighbour:
    """Another run: the folders that it named, and what its record says."""

    def __init__(self, folder: RunFolder, spec: SliceSpec, since: float) -> None:
        self.cwd = spec.cwd
        self.has_worked = False
        """It has trained since this slice began; one that only waits in the queue writes nothing."""
        self._folder = folder
        self._since = since
        self.words = words_of(spec)
        self._outputs = places_in(spec.command[1:], spec.cwd).outputs
        self._saved: dict[str, float] = {}
        """When it last saved to a path, epoch seconds."""
        self._marks: dict[str, tuple[int, int]] = {}

    def names(self, path: str) -> bool:
        return any(path.startswith(folder + "/") for folder in self._outputs)

    def has_saved(self, path: str, written: float) -> bool:
        return written <= self._saved.get(path, float("-inf")) + _SAVED_S

    def read(self) -> None:
        """Read of its record what has changed."""
        if not self.has_worked and self._has_changed("state.json"):
            self.has_worked = self._is_at_work()
        if self._has_changed("checkpoints.jsonl"):
            try:
                found = self._folder.checkpoints()
            except BackpropError:
                return
            self._saved.update((c.path, c.t) for c in found)
            for path in list(self._saved)[:-_MAX_SAVED]:
                del self._saved[path]

    def _is_at_work(self) -> bool:
        try:
            run = self._folder.read_run()
        except BackpropError:
            return True  # nobody can tell
        return any(
            piece.state is not RunState.QUEUED and (piece.ended is None or piece.ended > self._since)
            for piece in run.slices
        )

    def _has_changed(self, name: str) -> bool:
        try:
            info = os.stat(self._folder.file(name))
            mark = (info.st_size, info.st_mtime_ns)
        except OSError:
            mark = (-1, -1)
        if self._marks.get(name) == mark:
            return False
        self._marks[name] = mark
        return mark != (-1, -1) or name == "state.json"
