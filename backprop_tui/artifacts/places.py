"""Looks at a run's own output folders for what changed since its slice began, a bounded piece at a time.

A folder is listed again only when its own time has moved; otherwise the few files of it that matter are asked for
their size and time. What is too much for one look is gone on with in the next; folders in which something happened
come first. So a huge data set beneath the working directory costs its one slow first round and next to nothing later.
"""

from __future__ import annotations

import os
import stat
import time
from collections import deque

from backprop_tui.artifacts.metric_files.kinds import is_metric_name
from backprop_tui.artifacts.names import is_telling, may_matter
from backprop_tui.artifacts.remembered import Folder
from backprop_tui.artifacts.seen import Seen
from backprop_tui.artifacts.skipping import ENVIRONMENT_MARKS, is_output_name, is_skipped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from backprop_tui.artifacts.watching import Watch

DEPTH = 6
MAX_COST = 4000
"""Of one look; a unit is about a microsecond on a local disk: an entry listed is 1, a file asked for 4."""
MAX_LOOK_S = 0.005
MAX_FOLDERS = 10_000
MAX_PLACES = 32
WIDE = 256
"""Of a folder with more folders than this in it only those are walked that changed since the slice began."""
_TICK = 256
_STAT = 4
_LIST = 10
_MAX_HOT = 64
_MAX_OLD_METRICS = 256
_MAX_HOT_ENTRIES = 2000
_RACY_NS = 2_000_000_000
"""A folder that changed so shortly before it was listed may change again without its time telling."""
_CLOCK_NS = 50_000_000
"""Filesystems' clocks lag behind by so much."""


class Places:
    """The folders of one run, and what is known of them."""

    def __init__(self, cwd: str, *, since: float, skip: Iterable[str] = (), watch: Watch | None = None) -> None:
        """`since` is when the slice began, epoch seconds; `skip` holds folders that are its input."""
        self.cwd = cwd
        self._since_ns = int(since * 1e9) - _CLOCK_NS
        self._skip = frozenset(skip)
        self._watch = watch
        self._folders: dict[str, Folder] = {}
        self._hot: dict[str, None] = {}
        self._named: dict[str, None] = {}
        self._new: deque[Folder] = deque()
        self._near: list[Folder] = []
        """The tops and what lies directly in them."""
        self._identities: dict[tuple[int, int], str] = {}
        """Where each folder was met first, by device and inode."""
        self._turn = 0
        self._cost = 0
        self._now_ns = 0
        self.has_rest = False
        """The last look did not come through all folders."""
        self._round = self._walk()
        self._old: dict[str, None] = {}
        self._untold: list[Seen] = []
        """Metric files of earlier trainings: those known, and those not yet told of."""
        self.cost = 0
        """Units spent by all looks together."""
        self._take_up(cwd, DEPTH)
        for base in watch.bases if watch else ():
            self.add(base)

    @property
    def tops(self) -> frozenset[str]:
        """Where walks begin: the working directory and the places that were named."""
        return frozenset((self.cwd, *self._named))

    def add(self, path: str, depth: int = DEPTH) -> None:
        """A folder that is surely the run's own, whether it exists already or not."""
        path = os.path.normpath(path)
        if path in self._named or len(self._named) >= MAX_PLACES or self.cwd.startswith(path.rstrip("/") + "/"):
            return
        self._named[path] = None
        self._take_up(path, depth)

    def is_named(self, path: str) -> bool:
        """Whether a path lies in a folder that is surely the run's own."""
        return any(path == place or path.startswith(place + "/") for place in self._named)

    def look(
        self,
        epoch: float,
        *,
        cost: int = MAX_COST,
        seconds: float = MAX_LOOK_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> list[Seen]:
        """What changed since the slice began or since it was last seen, as far as one look reaches.

        Args:
            epoch: now, seconds.
            cost: units that may be spent.
            seconds: and time.
            clock: what measures it.
        """
        self._turn += 1
        self._now_ns = int(epoch * 1e9)
        self._cost, ends = 0, clock() + seconds
        found: list[Seen] = []
        if self.has_rest:
            for seen in self._visit_first():
                if self._cost >= cost // 2 or clock() >= ends:
                    break
                if seen is not None:
                    found.append(seen)
        self.has_rest = True
        while self._cost < cost and clock() < ends:
            try:
                seen = next(self._round)
            except StopIteration:
                self._round, self.has_rest = self._walk(), False
                break
            if seen is not None:
                found.append(seen)
        self.cost += self._cost
        return found

    def _visit_first(self) -> Iterator[Seen | None]:
        """Where news is likely: where there was some, near the tops, and in what these have just got."""
        for path in reversed(tuple(self._hot)):
            if path in self._folders:
                yield from self._visit(self._folders[path])
        for folder in self._near:
            if folder.is_listed and folder.entries <= _MAX_HOT_ENTRIES:
                yield from self._visit(folder)
        for folder in tuple(self._new):
            if folder.is_news:
                yield from self._visit(folder)

    def _walk(self) -> Iterator[Seen | None]:
        """One round through all folders that are known, then through those that it found."""
        for folder in tuple(self._folders.values()):
            yield from self._visit(folder)
        while self._new:
            yield from self._visit(self._new.popleft())

    def _visit(self, folder: Folder) -> Iterator[Seen | None]:
        if folder.turn == self._turn:
            return
        folder.turn = self._turn
        self._cost += _STAT
        try:
            info = os.stat(folder.path)
        except (OSError, ValueError):
            self._forget(folder)
            return
        yield None
        if self._is_double(folder, info):
            return
        if info.st_mtime_ns == folder.mtime_ns:
            yield from self._ask(folder)
        elif stat.S_ISDIR(info.st_mode):
            yield from self._list(folder, info.st_mtime_ns)

    def _is_double(self, folder: Folder, info: os.stat_result) -> bool:
        """Whether links lead to a folder that is walked already: it is left out, and the other as good as named."""
        first = self._identities.setdefault((info.st_dev, info.st_ino), folder.path)
        if first == folder.path or first not in self._folders:
            self._identities[info.st_dev, info.st_ino] = folder.path
            return False
        if folder.path in self._named and first != self.cwd:
            self._named[first] = None
        del self._folders[folder.path]
        return True

    def _ask(self, folder: Folder) -> Iterator[Seen | None]:
        """The files that may be written over without their folder's time moving."""
        for name in folder.due():
            self._cost += _STAT
            try:
                info = os.lstat(os.path.join(folder.path, name))
            except OSError:
                folder.forget(name)
            else:
                yield self._see(folder, name, info)

    def _list(self, folder: Folder, mtime_ns: int) -> Iterator[Seen | None]:
        self._cost += _LIST
        subfolders: list[str] = []
        count = 0
        try:
            with os.scandir(folder.path) as listing:
                for count, entry in enumerate(listing, 1):
                    self._cost += 1
                    if count % _TICK == 0:
                        yield None
                    if not entry.name.isprintable():
                        continue  # no text, or one that would do harm where it is shown
                    if entry.name in ENVIRONMENT_MARKS and folder.path not in self.tops:
                        folder.mtime_ns = mtime_ns
                        folder.give_up()
                        return
                    if _is_folder(entry):
                        subfolders.append(entry.name)
                    elif self._matters(folder, entry.name) and not entry.is_symlink():
                        self._cost += _STAT
                        yield self._see(folder, entry.name, entry.stat(follow_symlinks=False))
        except OSError:
            return  # it, or a file of it, has gone meanwhile: the next round knows
        folder.entries = count
        yield from self._take_subfolders(folder, subfolders)
        folder.is_listed = True
        if self._now_ns - mtime_ns > _RACY_NS:
            folder.mtime_ns = mtime_ns

    def _matters(self, folder: Folder, name: str) -> bool:
        if folder.is_watched or (may_matter(name) and (not folder.is_crowded or is_telling(name))):
            return True
        return self._watch is not None and self._watch.matches(os.path.join(folder.path, name))

    def _see(self, folder: Folder, name: str, info: os.stat_result) -> Seen | None:
        stamp = (info.st_size, info.st_mtime_ns)
        if not stat.S_ISREG(info.st_mode) or not folder.note(name, stamp, self._since_ns):
            self._note_old(folder, name, info)
            return None
        self._warm(folder)
        return Seen(path=os.path.join(folder.path, name), size=info.st_size, mtime_ns=info.st_mtime_ns)

    def _note_old(self, folder: Folder, name: str, info: os.stat_result) -> None:
        """A metric file that was there before: what it holds is not this slice's, even if it grows later."""
        if info.st_mtime_ns < self._since_ns and len(self._old) < _MAX_OLD_METRICS and is_metric_name(name):
            path = os.path.join(folder.path, name)
            if path not in self._old:
                self._old[path] = None
                self._untold.append(Seen(path=path, size=info.st_size, mtime_ns=info.st_mtime_ns))

    def take_old(self) -> list[Seen]:
        """The metric files of earlier trainings that were come across since this was last asked for."""
        found, self._untold = self._untold, []
        return found

    def _warm(self, folder: Folder) -> None:
        """Something happened here: it comes first while rounds take more than one look."""
        self._hot.pop(folder.path, None)
        if folder.entries <= _MAX_HOT_ENTRIES:
            self._hot[folder.path] = None
        if len(self._hot) > _MAX_HOT:
            del self._hot[next(iter(self._hot))]

    def _take_subfolders(self, folder: Folder, names: list[str]) -> Iterator[None]:
        if folder.depth == 0:
            return
        for name in names:
            path = os.path.join(folder.path, name)
            if path in self._folders or path in self._skip or is_skipped(name, path):
                continue
            if len(names) > WIDE or len(self._folders) >= MAX_FOLDERS:
                self._cost += _STAT
                yield None
                if len(self._folders) >= 2 * MAX_FOLDERS or not self._is_fresh(path):
                    continue
            self._take_up(path, folder.depth - 1, folder)

    def _is_fresh(self, path: str) -> bool:
        try:
            return os.stat(path).st_mtime_ns >= self._since_ns
        except OSError:
            return False

    def _take_up(self, path: str, depth: int, parent: Folder | None = None) -> None:
        known = self._folders.get(path)
        if known is not None:
            known.depth = max(known.depth, depth)
            return
        is_news = parent is not None and (parent.is_listed or parent.is_news)
        is_watched = (parent is not None and parent.is_watched) or (
            self._watch is not None and self._watch.matches(path, is_folder=True)
        )
        folder = Folder(path, depth, is_news=is_news, is_watched=is_watched)
        self._folders[path] = folder
        self._new.append(folder)
        if (parent is None or parent.path in self.tops) and len(self._near) < _MAX_HOT:
            self._near.append(folder)

    def _forget(self, folder: Folder) -> None:
        if folder.path == self.cwd or folder.path in self._named:
            folder.mtime_ns = -1  # it may be there later
            return
        self._folders.pop(folder.path, None)
        if folder in self._near:
            self._near.remove(folder)
        self._hot.pop(folder.path, None)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    if entry.is_symlink():
        return is_output_name(entry.name) and entry.is_dir()
    return entry.is_dir()
