"""Records to JSON and back. Needed fields are checked; unknown ones are passed over."""

from __future__ import annotations

from backprop_tui.errors import StoreError
from backprop_tui.model.run import (
    Checkpoint,
    Failure,
    Gap,
    MemoryLimit,
    Notes,
    Owner,
    Process,
    Reason,
    Resources,
    Rise,
    Run,
    Seam,
    Slice,
)
from backprop_tui.model.spec import SettingValue, SliceSpec
from backprop_tui.model.states import RunState
from backprop_tui.store.fields import BadField, each, field, flag, maybe, number, text, texts, texts_by_name, whole
from backprop_tui.store.format import VERSION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    T = TypeVar("T")


def run_from(record: dict[str, Any], path: str) -> Run:
    """A run from its state.json.

    Raises:
        StoreError: a needed field is missing or of the wrong type, or the record is of a newer version.
    """
    return _checked(record, path, _run)


def spec_from(record: dict[str, Any], path: str) -> SliceSpec:
    """A slice's spec; raises StoreError as `run_from`."""
    return _checked(record, path, _spec)


def notes_from(record: dict[str, Any], path: str) -> Notes:
    """A run's notes; raises StoreError as `run_from`."""
    return _checked(record, path, _notes)


def checkpoint_from(record: dict[str, Any]) -> Checkpoint | None:
    """A checkpoint, None when the record is none."""
    try:
        return _checkpoint(record)
    except BadField:
        return None


def _checked(record: dict[str, Any], path: str, decode: Callable[[dict[str, Any]], T]) -> T:
    version = record.get("version")
    if isinstance(version, int) and version > VERSION:
        raise StoreError(
            f"{path} was written by a newer backprop (format {version}, this one reads {VERSION})",
            hint="update backprop",
        )
    try:
        return decode(record)
    except BadField as error:
        raise StoreError(f"{path} is damaged: {error}")


def _state(record: dict[str, Any]) -> RunState:
    word = text(record, "state")
    try:
        return RunState(word)
    except ValueError:
        raise BadField(f"state is {word!r:.60}")


def _run(record: dict[str, Any]) -> Run:
    last = field(record, "last", (dict,), {})
    return Run(
        id=text(record, "id"),
        state=_state(record),
        created=number(record, "created"),
        updated=number(record, "updated"),
        reason=maybe(record, "reason", _reason),
        owner=maybe(record, "owner", _owner),
        training=maybe(record, "training", _process),
        slices=each(record, "slices", _slice),
        step=whole(record, "step", None),
        last={name: number(last, name) for name in last},
        best_loss=number(record, "best_loss", None),
        best_score=number(record, "best_score", None),
        total_steps=whole(record, "total_steps", None),
        epoch=number(record, "epoch", None),
        epochs=number(record, "epochs", None),
        metric_sources=texts(record, "metric_sources"),
        reading=field(record, "reading", (dict,), {}),
        metric_lines=whole(record, "metric_lines", 0),
        output_bytes=whole(record, "output_bytes", 0),
        log_gap=maybe(record, "log_gap", _gap),
        metrics_bytes=whole(record, "metrics_bytes", 0),
        checkpoints=each(record, "checkpoints", _checkpoint),
        checkpoint_count=whole(record, "checkpoint_count", 0),
        resources=maybe(record, "resources", _resources) or Resources(),
        goes_on=flag(record, "goes_on", False),
        held=text(record, "held", ""),
        memory_limit=maybe(record, "memory_limit", _memory_limit),
        warnings=texts(record, "warnings"),
    )


def _reason(record: dict[str, Any]) -> Reason:
    return Reason(code=text(record, "code"), text=text(record, "text"), by=text(record, "by"))


def _memory_limit(record: dict[str, Any]) -> MemoryLimit:
    return MemoryLimit(bytes=whole(record, "bytes"), means=text(record, "means", ""), text=text(record, "text", ""))


def _gap(record: dict[str, Any]) -> Gap:
    return Gap(start=whole(record, "start"), end=whole(record, "end"))


def _process(record: dict[str, Any]) -> Process:
    return Process(pid=whole(record, "pid"), start=whole(record, "start"))


def _owner(record: dict[str, Any]) -> Owner:
    return Owner(
        host=text(record, "host"),
        boot_id=text(record, "boot_id"),
        process=_process(field(record, "process", (dict,))),
        token=text(record, "token"),
        slice=whole(record, "slice"),
        engine=text(record, "engine", "local"),
    )


def _slice(record: dict[str, Any]) -> Slice:
    return Slice(
        n=whole(record, "n"),
        state=_state(record),
        started=number(record, "started"),
        box_s=number(record, "box_s"),
        by_itself=flag(record, "by_itself", False),
        ended=number(record, "ended", None),
        reason=maybe(record, "reason", _reason),
        used_s=number(record, "used_s", 0.0),
        paused_s=number(record, "paused_s", 0.0),
        exit_code=whole(record, "exit_code", None),
        exit_signal=whole(record, "exit_signal", None),
        resumed_from=text(record, "resumed_from", None),
        first_step=whole(record, "first_step", None),
        last_step=whole(record, "last_step", None),
        last_loss=number(record, "last_loss", None),
        best=number(record, "best", None),
        metric_lines=whole(record, "metric_lines", 0),
        log_start=whole(record, "log_start", 0),
        log_end=whole(record, "log_end", None),
        metrics_start=whole(record, "metrics_start", 0),
        gpus=texts(record, "gpus"),
        forced=flag(record, "forced", False),
        survivors=whole(record, "survivors", 0),
        seam=maybe(record, "seam", _seam),
        failure=maybe(record, "failure", _failure),
        rise=maybe(record, "rise", _rise),
        peak_rss_bytes=whole(record, "peak_rss_bytes", 0),
        peak_gpu_bytes=whole(record, "peak_gpu_bytes", None),
    )


def _rise(record: dict[str, Any]) -> Rise:
    return Rise(step=whole(record, "step", None), t=number(record, "t"))


def _failure(record: dict[str, Any]) -> Failure:
    return Failure(kind=text(record, "kind", ""), sentence=text(record, "sentence", ""), todo=text(record, "todo", ""))


def _seam(record: dict[str, Any]) -> Seam:
    return Seam(
        step=whole(record, "step"),
        redone=whole(record, "redone", 0),
        before=number(record, "before", None),
        after=number(record, "after", None),
        noise=number(record, "noise", None),
        verdict=text(record, "verdict"),
        text=text(record, "text"),
    )


def _checkpoint(record: dict[str, Any]) -> Checkpoint:
    return Checkpoint(
        path=text(record, "path"),
        step=whole(record, "step", None),
        t=number(record, "t"),
        slice=whole(record, "slice"),
        kind=text(record, "kind", "unknown"),
        size=whole(record, "size", None),
        good=flag(record, "good", None),
        why=text(record, "why", ""),
        found=text(record, "found", "event"),
        copy_of=text(record, "copy_of", ""),
    )


def _resources(record: dict[str, Any]) -> Resources:
    return Resources(
        rss_bytes=whole(record, "rss_bytes", 0),
        peak_rss_bytes=whole(record, "peak_rss_bytes", 0),
        cpu_cores=number(record, "cpu_cores", 0.0),
        processes=whole(record, "processes", 0),
        gpu_used_bytes=whole(record, "gpu_used_bytes", None),
        gpu_tree_bytes=whole(record, "gpu_tree_bytes", None),
    )


def _notes(record: dict[str, Any]) -> Notes:
    return Notes(
        name=text(record, "name", None),
        tags=texts(record, "tags"),
        note=text(record, "note", ""),
        star=flag(record, "star", False),
        archived=flag(record, "archived", False),
        seen=whole(record, "seen", 0),
    )


def _setting(record: dict[str, Any]) -> SettingValue:
    value = record.get("value")
    return SettingValue(value=tuple(value) if isinstance(value, list) else value, origin=text(record, "origin"))


def _spec(record: dict[str, Any]) -> SliceSpec:
    settings = field(record, "settings", (dict,), {})
    command = texts(record, "command")
    if not command:
        raise BadField("command is empty")
    return SliceSpec(
        run_id=text(record, "run_id"),
        n=whole(record, "n"),
        created=number(record, "created"),
        command=command,
        is_command=flag(record, "is_command", False),
        cwd=text(record, "cwd"),
        interpreter=text(record, "interpreter", None),
        interpreter_origin=text(record, "interpreter_origin", ""),
        framework=text(record, "framework", "unknown"),
        declared_flags=texts(record, "declared_flags"),
        whole_number_flags=texts(record, "whole_number_flags"),
        settings={key: _setting(field(settings, key, (dict,))) for key in settings},
        env=texts_by_name(record, "env"),
        recorded_env=texts_by_name(record, "recorded_env"),
        resume_from=text(record, "resume_from", None),
        resume_step=whole(record, "resume_step", None),
        resume_args=texts(record, "resume_args"),
        resume_how=text(record, "resume_how", ""),
        resume_template=text(record, "resume_template", ""),
        box_minutes=number(record, "box_minutes", None),
        fresh=flag(record, "fresh", False),
        name=text(record, "name", None),
        tags=texts(record, "tags"),
        git=texts_by_name(record, "git"),
        backprop=text(record, "backprop", ""),
    )
