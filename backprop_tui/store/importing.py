"""Takes over the runs of an experiments.json that another tool (or an older backprop) wrote."""

from __future__ import annotations

import json
import math
import os

from backprop_tui import files
from backprop_tui.errors import StoreError, UsageError
from backprop_tui.model.run import Checkpoint, Notes, Reason, Run, Slice
from backprop_tui.model.spec import SliceSpec
from backprop_tui.model.states import RunState
from backprop_tui.store import mirror
from backprop_tui.store.home import is_valid_id

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from backprop_tui.store.folder import RunFolder
    from backprop_tui.store.home import Home

_STATES = {
    "running": RunState.LOST,
    "completed": RunState.COMPLETED,
    "failed": RunState.FAILED,
    "timeboxed": RunState.TIMEBOXED,
    "stopped": RunState.STOPPED,
}
_LOST_TEXT = "it was running when its record was imported; nobody supervises it"


def import_foreign(home: Home) -> list[str]:
    """Make a record of each entry that has none; returns their ids, which are the entries' own where they can be.

    Cheap when experiments.json did not change since. Entries of another form are left as they are.
    """
    seen = mirror.mark(home)
    if seen is None or seen == mirror.known_mark(home):
        return []
    os.makedirs(home.runs, mode=0o700, exist_ok=True)
    os.makedirs(home.active, mode=0o700, exist_ok=True)
    imported = []
    with files.FileLock(os.path.join(home.path, "import.lock")):
        aliases = _aliases(home)
        for key, entry in mirror.read(home).items():
            if home.has(key) or key in aliases or not _is_ours_to_take(key, entry):
                continue
            folder = _take(home, key, entry)
            if folder is None:
                continue
            if folder.id != key:
                aliases[key] = folder.id
            imported.append(folder.id)
        if aliases:
            files.write_atomic(_alias_path(home), files.to_json(aliases))
        mirror.remember_mark(home, seen)
    return imported


def resolve_alias(home: Home, ref: str) -> str | None:
    """The run that was imported under an id that no folder can have."""
    return _aliases(home).get(ref)


def _aliases(home: Home) -> dict[str, str]:
    try:
        content = json.loads(files.read_bytes(_alias_path(home)))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _alias_path(home: Home) -> str:
    return os.path.join(home.path, "imported-ids.json")


def _is_ours_to_take(key: str, entry: Any) -> bool:
    return (
        isinstance(entry, dict)
        and bool(key)
        and isinstance(entry.get("scriptPath"), str)
        and entry["scriptPath"] != ""
        and entry.get("status") in _STATES
        and _ms(entry.get("startTime")) is not None
    )


def _take(home: Home, key: str, entry: dict[str, Any]) -> RunFolder | None:
    try:
        folder = home.new_run(key if is_valid_id(key) else "")
    except (UsageError, StoreError):
        return None
    run, spec, notes = _records(folder.id, key, entry)
    folder.write_spec(spec)
    folder.write_notes(notes)
    lines = b"".join(files.to_json(c.plain()) + b"\n" for c in _checkpoints(entry, run.created))
    if lines:
        files.write_atomic(folder.file("checkpoints.jsonl"), lines)
    files.write_atomic(folder.file("imported.json"), files.to_json({"key": key, "entry": entry}, indent=2))
    folder.write_run(run)
    return folder


def _records(run_id: str, key: str, entry: dict[str, Any]) -> tuple[Run, SliceSpec, Notes]:
    started = _ms(entry.get("startTime")) or 0.0
    ended = _ms(entry.get("endTime")) or started
    state = _STATES[entry["status"]]
    text = _LOST_TEXT if state is RunState.LOST else f"imported; its record said {entry['status']}"
    reason = Reason(code="imported", text=text, by="box")
    last_step, loss = _finite(entry.get("lastStep")), _finite(entry.get("lastLoss"))
    step = None if last_step is None else int(last_step)
    checkpoints = _checkpoints(entry, started)
    piece = Slice(
        n=1,
        state=state,
        started=started,
        box_s=0.0,
        ended=ended,
        reason=reason,
        used_s=max(0.0, ended - started),
        last_step=step,
        last_loss=loss,
    )
    run = Run(
        id=run_id,
        state=state,
        created=started,
        updated=ended,
        reason=reason,
        slices=(piece,),
        step=step,
        last={"loss": loss} if loss is not None else {},
        best_loss=loss,
        checkpoints=tuple(checkpoints[-20:]),
        checkpoint_count=len(checkpoints),
    )
    script = entry["scriptPath"]
    spec = SliceSpec(
        run_id=run_id,
        n=1,
        created=started,
        command=(script,),
        is_command=False,
        cwd=os.path.dirname(script) if os.path.isabs(script) else os.getcwd(),
        interpreter=None,
        interpreter_origin="",
        framework="unknown",
        declared_flags=(),
        settings={},
        env={},
        recorded_env={},
    )
    name = entry.get("name")
    notes = Notes(
        name=name[:200] if isinstance(name, str) and name.isprintable() else None,
        note="" if run_id == key else f"imported as {key!r:.200}",
        seen=1,  # how it ended is no news
    )
    return run, spec, notes


def _checkpoints(entry: dict[str, Any], t: float) -> list[Checkpoint]:
    listed = entry.get("checkpoints")
    found = [path for path in listed if isinstance(path, str) and path] if isinstance(listed, list) else []
    last = entry.get("lastCheckpoint")
    if isinstance(last, str) and last:
        found = [path for path in found if path != last] + [last]
    folder = os.path.dirname(entry["scriptPath"])
    # The order of the list is the order of saving: the times have to say so too.
    return [
        Checkpoint(path=os.path.join(folder, path), step=None, t=t + n / 1000, slice=1) for n, path in enumerate(found)
    ]


def _ms(value: Any) -> float | None:
    number = _finite(value)
    return None if number is None or abs(number) > 1e14 else number / 1000


def _finite(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None
