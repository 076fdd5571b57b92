"""Names, tags and notes of runs; archiving and deleting them."""

from __future__ import annotations

import os
import time

from backprop_tui.errors import RunActive, StoreError, UsageError
from backprop_tui.files import FileLock
from backprop_tui.protocol.text import clean
from backprop_tui.store import mirror
from backprop_tui.store.index import Index
from backprop_tui.store.problems import cannot_write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from backprop_tui.model.run import Notes
    from backprop_tui.store.home import Home

MAX_NAME = 200
MAX_NOTE = 4000
MAX_TAGS = 50


def clean_name(name: str) -> str:
    """A run's name, fit to be shown.

    Raises:
        UsageError: nothing of it is left, or it is too long.
    """
    cleaned = clean(name, 10_000).strip()
    if not cleaned:
        raise UsageError(f"{name!r} is no name", hint="give at least one character that can be seen")
    if len(cleaned) > MAX_NAME:
        raise UsageError(f"the name has {len(cleaned)} characters, {MAX_NAME} are allowed")
    if cleaned.startswith("@"):
        raise UsageError(f"{cleaned!r} is no name", hint="@ means the newest run; begin with another character")
    return cleaned


def clean_tags(tags: list[str]) -> tuple[str, ...]:
    """Tags, fit to be shown: commas and blanks separate them.

    Raises:
        UsageError: there are too many.
    """
    words = [word for tag in tags for word in clean(tag, 1000).replace(",", " ").split()]
    cleaned = tuple(dict.fromkeys(word[:64] for word in words))
    if len(cleaned) > MAX_TAGS:
        raise UsageError(f"{len(cleaned)} tags were given, {MAX_TAGS} are allowed")
    return cleaned


def rename(home: Home, run_id: str, name: str) -> Notes:
    """Give a run another name.

    Raises:
        UsageError: it is no name, or the id of another run.
    """
    cleaned = _free_name(home, run_id, name)
    return _annotate(home, run_id, lambda notes: notes.replace(name=cleaned))


def _free_name(home: Home, run_id: str, name: str) -> str:
    cleaned = clean_name(name)
    if cleaned != run_id and home.has(cleaned):
        raise UsageError(f"{cleaned} is the id of another run", hint="a name like that could never be used to find it")
    return cleaned


def retag(home: Home, run_id: str, *, add: list[str], drop: list[str]) -> Notes:
    """Add and drop tags.

    Raises:
        UsageError: it does not have one of those that are to be dropped.
    """
    dropped, added = clean_tags(drop), clean_tags(add)

    def tags(notes: Notes) -> Notes:
        if unknown := [tag for tag in dropped if tag not in notes.tags]:
            has = f"its tags: {' '.join(notes.tags)}" if notes.tags else "it has no tags"
            raise UsageError(f"run {run_id} has no tag {' '.join(unknown)}", hint=has)
        kept = [tag for tag in notes.tags if tag not in dropped]
        return notes.replace(tags=clean_tags([*kept, *added]))

    return _annotate(home, run_id, tags)


def set_note(home: Home, run_id: str, note: str) -> Notes:
    """Replace a run's note."""
    text = _clean_note(note)
    return _annotate(home, run_id, lambda notes: notes.replace(note=text))


def _clean_note(note: str) -> str:
    return "\n".join(clean(line, MAX_NOTE) for line in note.splitlines())[:MAX_NOTE]


def star(home: Home, run_id: str, *, star: bool = True) -> Notes:
    """Put a star on a run, or take it off."""
    return _annotate(home, run_id, lambda notes: notes.replace(star=star))


def see(home: Home, run_id: str) -> Notes:
    """A person has seen how the run's newest slice ended."""
    run = home.run(run_id).read_run()
    newest = run.slice.n if run.slice else 0
    return _annotate(home, run_id, lambda notes: notes.replace(seen=newest))


def edit(home: Home, run_id: str, *, name: str, tags: str, note: str) -> Notes:
    """Replace name, tags and note at once; an empty name takes it away.

    Raises:
        UsageError: as `rename` and `clean_tags`.
    """
    cleaned = _free_name(home, run_id, name) if name.strip() else None
    kept, text = clean_tags([tags]), _clean_note(note)
    return _annotate(home, run_id, lambda notes: notes.replace(name=cleaned, tags=kept, note=text))


def archive(home: Home, run_id: str, *, archived: bool = True) -> Notes:
    """Take a run out of the history's view, or bring it back; its record stays whole.

    What was to go on by itself, and has lost its supervisor, does not once it is out of view.
    """
    if archived:
        with _ended(home, run_id):
            _leave(home, run_id)
            return _annotate(home, run_id, lambda notes: notes.replace(archived=True))
    return _annotate(home, run_id, lambda notes: notes.replace(archived=False))


def _leave(home: Home, run_id: str) -> None:
    folder = home.run(run_id)
    try:
        if not folder.read_run().goes_on:
            return
        from backprop_tui.control.leaving import leave_held

        leave_held(home, folder, "it was archived")
    except StoreError:
        return  # a broken record can still be archived


def record_bytes(home: Home, run_id: str) -> int:
    """How much room a run's record takes."""
    return home.run(run_id).size()


def purge(home: Home, run_id: str) -> int:
    """Delete a run's record for good; returns how many bytes were freed. Checkpoints are left where they are.

    Raises:
        RunActive: it has not ended.
    """
    import shutil

    folder = home.run(run_id)
    with _ended(home, run_id):
        size = folder.size()
        # First: an entry without a record would be imported as somebody else's.
        mirror.remove(home, [run_id])
        # Under another name first: a half-deleted record must not look like a run.
        doomed = os.path.join(home.runs, f".deleted-{run_id}-{time.time_ns():x}")
        try:
            os.rename(folder.path, doomed)
        except OSError as error:
            raise cannot_write(folder.path, error)
        for name in os.listdir(home.runs):
            if name.startswith(".deleted-"):  # also what an earlier one could not finish
                shutil.rmtree(os.path.join(home.runs, name), ignore_errors=True)
    home.clear_active(run_id)
    index = Index(home)
    index.remove([run_id])
    index.close()
    return size


def _ended(home: Home, run_id: str) -> FileLock:
    lock = FileLock(home.run(run_id).file("lock"))
    if not lock.try_acquire():
        raise RunActive(f"run {run_id} is running", hint=f"stop it first: backprop stop {run_id}")
    return lock


def _annotate(home: Home, run_id: str, change: Callable[[Notes], Notes]) -> Notes:
    folder = home.run(run_id)
    lock = FileLock(folder.file("notes.lock"))
    try:
        lock.acquire(10.0)
        with lock:
            notes = change(folder.read_notes())
            folder.write_notes(notes)
            _publish(home, run_id)
            return notes
    except TimeoutError:
        raise StoreError(f"the notes of run {run_id} are being changed by another process")
    except OSError as error:
        raise cannot_write(folder.path, error)


def _publish(home: Home, run_id: str) -> None:
    folder = home.run(run_id)
    index = Index(home)
    index.refresh([folder])
    index.close()
    try:
        spec, paths = folder.read_spec(), folder.checkpoint_paths(mirror.KEPT_PATHS)
        mirror.update(home, spec, paths, lambda: (folder.read_run(), folder.read_notes()))
    except StoreError:
        return  # a broken record can still be named
