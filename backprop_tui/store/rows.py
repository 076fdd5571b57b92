"""What the history shows of a run, in one row."""

from __future__ import annotations

import os

from backprop_tui.errors import StoreError
from backprop_tui.frozen import Frozen
from backprop_tui.model.run import Notes
from backprop_tui.model.secrets import masked_args

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.store.folder import RunFolder

MAX_METRIC = 100
BROKEN = "broken"
"""The state of a row whose record cannot be read."""


class Row(Frozen):
    """A run in the history; times are epoch seconds, durations seconds."""

    id: str
    state: str
    created: float
    name: str = ""
    reason: str = ""
    started: float | None = None
    ended: float | None = None
    took_s: float = 0.0
    steps: int | None = None
    loss: float | None = None
    best_loss: float | None = None
    metric: str = ""
    """The metric that speaks for the run."""
    value: float | None = None
    """Its newest value: the loss, unless that metric is none."""
    checkpoints: int = 0
    script: str = ""
    args: str = ""
    tags: str = ""
    note: str = ""
    star: int = 0
    archived: int = 0
    host: str = ""
    slices: int = 0
    seen: int = 0
    """The newest slice whose bad end a person has seen."""
    framework: str = ""
    hay: str = ""
    """Everything that a search looks through, in lower case."""
    src: str = ""
    """A mark that differs after state.json or notes.json was written."""


def source_mark(folder: RunFolder) -> str:
    """Changes whenever the run's state or notes are replaced."""
    marks = []
    for name in ("state.json", "notes.json"):
        try:
            info = os.stat(folder.file(name))
            marks.append(f"{info.st_mtime_ns}.{info.st_ino}")
        except OSError:
            marks.append("-")
    return "/".join(marks)


def row_for(folder: RunFolder) -> Row:
    """The row of a run; one whose record is broken gets a row that says so."""
    mark = source_mark(folder)
    try:
        run = folder.read_run()
    except StoreError as error:
        return _broken(folder, str(error), mark)
    try:
        notes = folder.read_notes()
    except StoreError:
        notes = Notes()
    try:
        spec = folder.read_spec()
        script, args = spec.command[0], " ".join(masked_args(spec.command[1:]))
        framework = spec.framework
    except StoreError:
        script = args = framework = ""
    newest = run.slice
    name, tags = notes.name or "", " ".join(notes.tags)
    metric, value = run.main or ("", None)
    return Row(
        id=run.id,
        state=run.state.value,
        created=run.created,
        name=name,
        reason=run.why,
        started=newest.started if newest else None,
        ended=newest.ended if newest else None,
        took_s=sum(piece.used_s for piece in run.slices),
        steps=run.step,
        loss=run.loss,
        best_loss=run.best_loss,
        metric=metric[:MAX_METRIC],
        value=value,
        checkpoints=run.checkpoint_count,
        script=script,
        args=args[:1000],
        tags=tags,
        note=notes.note[:1000],
        star=int(notes.star),
        archived=int(notes.archived),
        host=run.owner.host if run.owner else "",
        slices=len(run.slices),
        seen=notes.seen,
        framework=framework,
        hay=f"{name} {run.id} {os.path.basename(script)} {tags} {run.state}".lower(),
        src=mark,
    )


def _broken(folder: RunFolder, why: str, mark: str) -> Row:
    try:
        created = os.stat(folder.path).st_mtime
    except OSError:
        created = 0.0
    return Row(id=folder.id, state=BROKEN, created=created, reason=why, hay=f"{folder.id} broken", src=mark)
