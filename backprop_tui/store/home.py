"""The folder in which all records lie."""

from __future__ import annotations

import errno
import os

from backprop_tui import files
from backprop_tui.errors import RunNotFound, StoreError, UsageError
from backprop_tui.store.folder import RunFolder
from backprop_tui.store.problems import cannot_write

_FIRST = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
_MORE = _FIRST | frozenset("._-")
MAX_ID = 64
_LETTERS = "abcdefghjkmnpqrstvwxyz"
_ALPHABET = _LETTERS + "23456789"


def is_valid_id(text: str) -> bool:
    """Whether a text may be a run's id: it becomes a folder's name."""
    return 0 < len(text) <= MAX_ID and text[0] in _FIRST and _MORE.issuperset(text)


def random_id() -> str:
    """Six characters that are easy to read aloud; the first is a letter."""
    first, *rest = os.urandom(6)
    return _LETTERS[first % len(_LETTERS)] + "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in rest)


class Home:
    """All runs of one home: runs/<id>/ the records, active/<id> a mark for each that has not ended."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.runs = os.path.join(path, "runs")
        self.active = os.path.join(path, "active")
        self.experiments = os.path.join(path, "experiments.json")

    def ensure(self) -> None:
        """Make the folders.

        Raises:
            StoreError: they cannot be made, or belong to somebody else.
        """
        try:
            files.make_private_dir(self.path)
            for folder in (self.runs, self.active):
                files.make_private_dir(folder)
            if os.stat(self.path).st_uid != os.geteuid():
                raise StoreError(
                    f"{self.path} belongs to another user", hint="set BACKPROP_HOME to a folder of your own"
                )
            if not os.access(self.runs, os.W_OK):
                raise PermissionError(errno.EACCES, "Permission denied")
        except OSError as error:
            raise cannot_write(self.path, error)

    def new_run(self, run_id: str) -> RunFolder:
        """Make the folder of a new run; "" takes a random id.

        The mark in active/ comes first: a folder without one would never be looked at again, while a mark
        without a folder is recognised and cleared.

        Raises:
            UsageError: the id is no id, or exists.
            StoreError: the folder cannot be made.
        """
        if run_id and not is_valid_id(run_id):
            raise UsageError(
                f"{run_id!r} cannot be a run id",
                hint="use 1 to 64 letters, digits, dots, dashes and underscores, beginning with a letter or digit",
            )
        while True:
            folder = RunFolder(os.path.join(self.runs, run_id or random_id()))
            if run_id and os.path.lexists(folder.path):
                raise exists_already(run_id)
            try:
                self.mark_active(folder.id)
                os.mkdir(folder.path, 0o700)
            except FileExistsError:
                if run_id:
                    raise exists_already(run_id)
                continue
            except OSError as error:
                raise cannot_write(self.path, error)
            return folder

    def run(self, run_id: str) -> RunFolder:
        """The folder of a run.

        Raises:
            RunNotFound: there is none of that id.
        """
        folder = self.folder(run_id)
        if not is_valid_id(run_id) or not os.path.isdir(folder.path):
            raise RunNotFound(f"no run {run_id!r}", hint="see all runs with: backprop list")
        return folder

    def folder(self, run_id: str) -> RunFolder:
        """Where a run is or was: for who follows one that may be deleted at any moment."""
        return RunFolder(os.path.join(self.runs, run_id))

    def has(self, run_id: str) -> bool:
        return is_valid_id(run_id) and os.path.isdir(os.path.join(self.runs, run_id))

    def ids(self) -> set[str]:
        """Every run's id; what is no run's folder is passed over."""
        return _names(self.runs, folders=True)

    def active_ids(self) -> set[str]:
        """The runs that have not ended, or have ended and were not indexed yet."""
        return _names(self.active, folders=False)

    def mark_active(self, run_id: str) -> None:
        try:
            os.close(os.open(os.path.join(self.active, run_id), os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))
        except OSError as error:
            raise cannot_write(self.path, error)

    def clear_active(self, run_id: str) -> None:
        try:
            os.unlink(os.path.join(self.active, run_id))
        except OSError:
            pass


def exists_already(run_id: str) -> UsageError:
    """The answer to a --run-id that is taken."""
    return UsageError(
        f"run {run_id} exists already",
        hint=f"go on with it: backprop resume {run_id}; or choose another --run-id",
    )


def _names(folder: str, *, folders: bool) -> set[str]:
    try:
        entries = os.scandir(folder)
    except FileNotFoundError:
        return set()
    except OSError as error:
        raise StoreError(f"cannot list {folder}: {error.strerror}")
    with entries:
        return {
            entry.name
            for entry in entries
            if is_valid_id(entry.name) and (not folders or entry.is_dir(follow_symlinks=False))
        }
