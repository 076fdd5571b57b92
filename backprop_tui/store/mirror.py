"""experiments.json: what tools beside backprop read of its runs."""

from __future__ import annotations

import json
import math
import os
import time

from backprop_tui import files
from backprop_tui.errors import StoreError
from backprop_tui.model.states import RunState

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from backprop_tui.model.run import Notes, Run
    from backprop_tui.model.spec import SliceSpec
    from backprop_tui.store.home import Home

KEPT_PATHS = 100
KEPT_RUNS = 1000
LOCK_WAIT_S = 30.0

_STATUS = {
    RunState.STARTING: "running",
    RunState.RUNNING: "running",
    RunState.PAUSED: "running",
    RunState.STOPPING: "running",
    RunState.COMPLETED: "completed",
    RunState.FAILED: "failed",
    RunState.TIMEBOXED: "timeboxed",
    RunState.STOPPED: "stopped",
    RunState.DIVERGED: "failed",
    RunState.LOST: "stopped",
}


def update(
    home: Home,
    spec: SliceSpec,
    checkpoints: list[str],
    read: Callable[[], tuple[Run, Notes]],
    wait_s: float = LOCK_WAIT_S,
) -> str:
    """Bring one run's entry up to date; returns a warning, or "".

    Args:
        home: whose experiments.json.
        spec: of the run's newest slice.
        checkpoints: where its newest checkpoints are, oldest first.
        read: gives the run and its notes, asked under the lock: an older word must never take the place of a
            newer one. A queued run gets no entry.
        wait_s: how long to wait while others write.

    Raises:
        TimeoutError: others were writing all that time.
        OSError, StoreError: it cannot be written, or `read` fails.
    """
    with _locked(home, wait_s):
        run, notes = read()
        if run.state not in _STATUS:
            return ""
        entry = _entry(run, spec, notes, checkpoints[-KEPT_PATHS:])
        all_known = mark(home) in (None, known_mark(home))
        content, warning = _read(home)
        old = content.get(run.id)
        kept = {key: value for key, value in old.items() if key not in _KEYS} if isinstance(old, dict) else {}
        content[run.id] = {**entry, **kept}
        _drop_oldest(home, content)
        _write(home, content)
        if all_known:
            remember_mark(home, mark(home) or "")
    return warning


def remove(home: Home, ids: Iterable[str]) -> None:
    """Take runs out that were deleted."""
    gone = set(ids)
    if not os.path.exists(home.experiments):
        return
    with _locked(home, LOCK_WAIT_S):
        content, _warning = _read(home)
        left = {run_id: entry for run_id, entry in content.items() if run_id not in gone}
        if len(left) != len(content):
            _write(home, left)


def read(home: Home) -> dict[str, Any]:
    """Everything in the file, {} when there is none or it is broken (it is left as it is)."""
    try:
        content = json.loads(files.read_bytes(_target(home)))
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def mark(home: Home) -> str | None:
    """Differs after anybody wrote the file; None when there is none."""
    try:
        info = os.stat(home.experiments)
    except OSError:
        return None
    return f"{info.st_mtime_ns}.{info.st_ino}.{info.st_size}"


def known_mark(home: Home) -> str:
    """The mark at which every entry was known to have a record (or to be none of ours)."""
    try:
        return files.read_bytes(_lock_path(home), 4096).decode("ascii", "replace")
    except OSError:
        return ""


def remember_mark(home: Home, seen: str) -> None:
    """Everything in the file as of this mark is known. Kept in the lock's own file; torn, it only costs a look."""
    fd = os.open(_lock_path(home), os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        data = seen.encode("ascii")
        os.pwrite(fd, data, 0)
        os.ftruncate(fd, len(data))
    finally:
        os.close(fd)


def _lock_path(home: Home) -> str:
    return os.path.join(home.path, "experiments.lock")


_KEYS = frozenset(
    {
        "id",
        "name",
        "scriptPath",
        "status",
        "lastCheckpoint",
        "checkpoints",
        "lastStep",
        "lastLoss",
        "startTime",
        "endTime",
    }
)


def _entry(run: Run, spec: SliceSpec, notes: Notes, checkpoints: list[str]) -> dict[str, Any]:
    script = spec.command[0] if spec.is_command else os.path.join(spec.cwd, spec.command[0])
    entry: dict[str, Any] = {"id": run.id}
    if notes.name:
        entry["name"] = notes.name
    entry |= {"scriptPath": script, "status": _STATUS[run.state]}
    if checkpoints:
        good = run.good_checkpoint
        entry |= {"lastCheckpoint": good.path if good else checkpoints[-1], "checkpoints": checkpoints}
    if run.step is not None:
        entry["lastStep"] = run.step
    # Strict parsers refuse NaN: a loss that is no number is left out.
    if run.loss is not None and math.isfinite(run.loss):
        entry["lastLoss"] = run.loss
    entry["startTime"] = round(run.created * 1000)
    if run.state.is_ended and run.slice is not None and run.slice.ended is not None:
        entry["endTime"] = round(run.slice.ended * 1000)
    return entry


def _locked(home: Home, wait_s: float) -> files.FileLock:
    lock = files.FileLock(_lock_path(home))
    lock.acquire(wait_s)
    return lock


def _target(home: Home) -> str:
    return os.path.realpath(home.experiments)


def _read(home: Home) -> tuple[dict[str, Any], str]:
    path = _target(home)
    try:
        content = json.loads(files.read_bytes(path))
        if isinstance(content, dict):
            return content, ""
        problem = "it holds no JSON object"
    except FileNotFoundError:
        return {}, ""
    except OSError as error:
        raise StoreError(f"cannot read {path}: {error.strerror}")
    except (ValueError, RecursionError) as error:
        problem = str(error)
    aside = f"{path}.corrupt.{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}"
    unique, n = aside, 1
    while os.path.lexists(unique):
        unique, n = f"{aside}.{n}", n + 1
    os.rename(path, unique)
    return {}, f"experiments.json was damaged ({problem}); it was set aside as {os.path.basename(unique)}"


def _write(home: Home, content: dict[str, Any]) -> None:
    # A run a line: people can read it, and it takes the fast encoder, which indentation does not.
    lines = [files.to_json(run_id) + b": " + files.to_json(entry) for run_id, entry in content.items()]
    files.write_atomic(_target(home), b"{\n" + b",\n".join(lines) + b"\n}\n")


def _drop_oldest(home: Home, content: dict[str, Any]) -> None:
    if len(content) <= KEPT_RUNS:
        return
    ours = [run_id for run_id in content if home.has(run_id)]
    for run_id in ours[: max(0, len(ours) - KEPT_RUNS)]:
        del content[run_id]
