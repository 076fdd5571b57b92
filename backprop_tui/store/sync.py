"""Brings the index up to what the folders say, reading as little as possible."""

from __future__ import annotations

import os

from backprop_tui.errors import RunNotFound, StoreError
from backprop_tui.files import FileLock
from backprop_tui.model.states import RunState
from backprop_tui.store.folder import RunFolder
from backprop_tui.store.rows import source_mark

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.store.home import Home
    from backprop_tui.store.index import Index

_BATCH = 500


def sync(home: Home, index: Index, *, with_progress: bool = True) -> None:
    """Follow the active runs, and the folder of runs where it changed.

    Without `with_progress` a run's row is only made anew when it has ended: each step that it makes would change it.
    """
    _follow_active(home, index, with_progress=with_progress)
    try:
        mark = str(os.stat(home.runs).st_mtime_ns)
    except OSError:
        return
    if index.meta("runs_mtime") != mark and _follow_folders(home, index):
        index.set_meta("runs_mtime", mark)


def reindex(home: Home, index: Index) -> tuple[int, int]:
    """Compare every row with its folder; returns how many were read anew and how many dropped."""
    known, present = index.marks(), home.ids()
    gone = known.keys() - present
    index.remove(gone)
    stale = [i for i in present if known.get(i) != source_mark(RunFolder(os.path.join(home.runs, i)))]
    _read_in(home, index, stale, with_young=True)
    return len(stale), len(gone)


def _follow_active(home: Home, index: Index, *, with_progress: bool) -> None:
    changed: list[RunFolder] = []
    gone: list[str] = []
    done: list[str] = []
    for run_id in sorted(home.active_ids()):
        try:
            folder = home.run(run_id)
        except RunNotFound:
            if _is_old(os.path.join(home.active, run_id)):
                gone.append(run_id)  # a start that died before it made its folder
            continue
        known = index.mark_of(run_id)
        if known == source_mark(folder):
            done.append(run_id)
        elif with_progress or known is None or _has_ended(folder):
            changed.append(folder)
    rows = index.refresh(changed) if changed else []
    done += [row.id for row in rows if row.state in _ENDED]
    for run_id in gone:
        home.clear_active(run_id)
    for run_id in done:
        _clear_if_over(home, run_id)


_ENDED = {state.value for state in RunState if state.is_ended}


def _clear_if_over(home: Home, run_id: str) -> None:
    """Take a run off the active ones, unless somebody holds it: it may be resumed at this very moment."""
    folder = home.run(run_id)
    if not _is_over(folder):
        return
    lock = FileLock(folder.file("lock"))
    try:
        if lock.try_acquire() and _is_over(folder):
            home.clear_active(run_id)
    except OSError:
        return
    finally:
        lock.release()


def _has_ended(folder: RunFolder) -> bool:
    try:
        return folder.read_run().state.is_ended
    except StoreError:
        return False


def _is_over(folder: RunFolder) -> bool:
    try:
        return folder.read_run().is_over
    except StoreError:
        return False


def _is_old(path: str) -> bool:
    import time

    try:
        return time.time() - os.stat(path).st_mtime > 60.0
    except OSError:
        return False


def _follow_folders(home: Home, index: Index) -> bool:
    """Take in new folders; False if one is too young to tell, and has to be looked at again."""
    known, present = index.marks(), home.ids()
    index.remove(known.keys() - present)
    new = sorted(present - known.keys())
    return _read_in(home, index, new, with_young=False) == len(new)


def _read_in(home: Home, index: Index, ids: list[str], *, with_young: bool) -> int:
    """Read runs in; returns how many."""
    count = 0
    for start in range(0, len(ids), _BATCH):
        batch = [RunFolder(os.path.join(home.runs, i)) for i in ids[start : start + _BATCH]]
        # A young folder without a record may be a run that is just being made: active/ brings it in.
        wanted = (folder for folder in batch if with_young or _has_record(folder) or _is_old(folder.path))
        count += len(index.refresh(wanted))
    return count


def _has_record(folder: RunFolder) -> bool:
    return os.path.lexists(folder.file("state.json"))
