"""Records to JSON and back. Needed fields are checked; unknown ones are passed over."""

from __future__ import annotations

import math

from backprop_tui.errors import StoreError
from backprop_tui.model.run import Checkpoint, Failure, Gap, Notes, Owner, Process, Reason, Resources, Run, Seam, Slice
from backprop_tui.model.spec import SettingValue, SliceSpec
from backprop_tui.model.states import RunState
from backprop_tui.store.format import VERSION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    T = TypeVar("T")

_NOT_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


class _Bad(Exception):  # never leaves this file
    """A field that is not what it should be."""


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
    except _Bad:
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
    except _Bad as error:
        raise StoreError(f"{path} is damaged: {error}")


_MISSING = object()


def _field(record: dict[str, Any], key: str, kinds: tuple[type, ...], default: Any = _MISSING) -> Any:
    value = record.get(key, _MISSING)
    if value is _MISSING or (value is None and default is not _MISSING):
        if default is _MISSING:
            raise _Bad(f"{key} is missing")
        return default
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        raise _Bad(f"{key} is {value!r:.60}, not {' or '.join(kind.__name__ for kind in kinds)}")
    return value


def _text(record: dict[str, Any], key: str, default: Any = _MISSING) -> Any:
    return _field(record, key, (str,), default)


def _whole(record: dict[str, Any], key: str, default: Any = _MISSING) -> Any:
    return _field(record, key, (int,), default)


def _number(record: dict[str, Any], key: str, default: Any = _MISSING) -> Any:
    value = _field(record, key, (int, float, str), default)
    if isinstance(value, str):
        if value not in _NOT_FINITE:
            raise _Bad(f"{key} is {value!r:.60}, not a number")
        return _NOT_FINITE[value]
    if isinstance(value, int):
        try:
            return float(value)
        except OverflowError:
            raise _Bad(f"{key} is too large")
    return value


def _flag(record: dict[str, Any], key: str, default: Any) -> Any:
    return _field(record, key, (bool,), default)


def _texts(record: dict[str, Any], key: str) -> tuple[str, ...]:
    values = _field(record, key, (list,), [])
    if not all(isinstance(value, str) for value in values):
        raise _Bad(f"{key} holds something other than text")
    return tuple(values)


def _texts_by_name(record: dict[str, Any], key: str) -> dict[str, str]:
    values = _field(record, key, (dict,), {})
    if not all(isinstance(value, str) for value in values.values()):
        raise _Bad(f"{key} holds something other than text")
    return dict(values)


def _maybe(record: dict[str, Any], key: str, decode: Callable[[dict[str, Any]], T]) -> T | None:
    value = _field(record, key, (dict,), None)
    return None if value is None else decode(value)


def _each(record: dict[str, Any], key: str, decode: Callable[[dict[str, Any]], T]) -> tuple[T, ...]:
    values = _field(record, key, (list,), [])
    if not all(isinstance(value, dict) for value in values):
        raise _Bad(f"{key} holds something other than objects")
    return tuple(decode(value) for value in values)


def _state(record: dict[str, Any]) -> RunState:
    text = _text(record, "state")
    try:
        return RunState(text)
    except ValueError:
        raise _Bad(f"state is {text!r:.60}")


def _run(record: dict[str, Any]) -> Run:
    last = _field(record, "last", (dict,), {})
    return Run(
        id=_text(record, "id"),
        state=_state(record),
        created=_number(record, "created"),
        updated=_number(record, "updated"),
        reason=_maybe(record, "reason", _reason),
        owner=_maybe(record, "owner", _owner),
        training=_maybe(record, "training", _process),
        slices=_each(record, "slices", _slice),
        step=_whole(record, "step", None),
        last={name: _number(last, name) for name in last},
        best_loss=_number(record, "best_loss", None),
        best_score=_number(record, "best_score", None),
        total_steps=_whole(record, "total_steps", None),
        epoch=_number(record, "epoch", None),
        epochs=_number(record, "epochs", None),
        metric_sources=_texts(record, "metric_sources"),
        reading=_field(record, "reading", (dict,), {}),
        metric_lines=_whole(record, "metric_lines", 0),
        output_bytes=_whole(record, "output_bytes", 0),
        log_gap=_maybe(record, "log_gap", _gap),
        metrics_bytes=_whole(record, "metrics_bytes", 0),
        checkpoints=_each(record, "checkpoints", _checkpoint),
        checkpoint_count=_whole(record, "checkpoint_count", 0),
        resources=_maybe(record, "resources", _resources) or Resources(),
        warnings=_texts(record, "warnings"),
    )


def _reason(record: dict[str, Any]) -> Reason:
    return Reason(code=_text(record, "code"), text=_text(record, "text"), by=_text(record, "by"))


def _gap(record: dict[str, Any]) -> Gap:
    return Gap(start=_whole(record, "start"), end=_whole(record, "end"))


def _process(record: dict[str, Any]) -> Process:
    return Process(pid=_whole(record, "pid"), start=_whole(record, "start"))


def _owner(record: dict[str, Any]) -> Owner:
    return Owner(
        host=_text(record, "host"),
        boot_id=_text(record, "boot_id"),
        process=_process(_field(record, "process", (dict,))),
        token=_text(record, "token"),
        slice=_whole(record, "slice"),
        engine=_text(record, "engine", "local"),
    )


def _slice(record: dict[str, Any]) -> Slice:
    return Slice(
        n=_whole(record, "n"),
        state=_state(record),
        started=_number(record, "started"),
        box_s=_number(record, "box_s"),
        ended=_number(record, "ended", None),
        reason=_maybe(record, "reason", _reason),
        used_s=_number(record, "used_s", 0.0),
        paused_s=_number(record, "paused_s", 0.0),
        exit_code=_whole(record, "exit_code", None),
        exit_signal=_whole(record, "exit_signal", None),
        resumed_from=_text(record, "resumed_from", None),
        first_step=_whole(record, "first_step", None),
        last_step=_whole(record, "last_step", None),
        last_loss=_number(record, "last_loss", None),
        metric_lines=_whole(record, "metric_lines", 0),
        log_start=_whole(record, "log_start", 0),
        log_end=_whole(record, "log_end", None),
        metrics_start=_whole(record, "metrics_start", 0),
        gpus=_texts(record, "gpus"),
        forced=_flag(record, "forced", False),
        survivors=_whole(record, "survivors", 0),
        seam=_maybe(record, "seam", _seam),
        failure=_maybe(record, "failure", _failure),
    )


def _failure(record: dict[str, Any]) -> Failure:
    return Failure(
        kind=_text(record, "kind", ""), sentence=_text(record, "sentence", ""), todo=_text(record, "todo", "")
    )


def _seam(record: dict[str, Any]) -> Seam:
    return Seam(
        step=_whole(record, "step"),
        redone=_whole(record, "redone", 0),
        before=_number(record, "before", None),
        after=_number(record, "after", None),
        noise=_number(record, "noise", None),
        verdict=_text(record, "verdict"),
        text=_text(record, "text"),
    )


def _checkpoint(record: dict[str, Any]) -> Checkpoint:
    return Checkpoint(
        path=_text(record, "path"),
        step=_whole(record, "step", None),
        t=_number(record, "t"),
        slice=_whole(record, "slice"),
        kind=_text(record, "kind", "unknown"),
        size=_whole(record, "size", None),
        good=_flag(record, "good", None),
        why=_text(record, "why", ""),
        found=_text(record, "found", "event"),
        copy_of=_text(record, "copy_of", ""),
    )


def _resources(record: dict[str, Any]) -> Resources:
    return Resources(
        rss_bytes=_whole(record, "rss_bytes", 0),
        peak_rss_bytes=_whole(record, "peak_rss_bytes", 0),
        cpu_cores=_number(record, "cpu_cores", 0.0),
        processes=_whole(record, "processes", 0),
        gpu_used_bytes=_whole(record, "gpu_used_bytes", None),
    )


def _notes(record: dict[str, Any]) -> Notes:
    return Notes(
        name=_text(record, "name", None),
        tags=_texts(record, "tags"),
        note=_text(record, "note", ""),
        star=_flag(record, "star", False),
        archived=_flag(record, "archived", False),
        seen=_whole(record, "seen", 0),
    )


def _setting(record: dict[str, Any]) -> SettingValue:
    value = record.get("value")
    return SettingValue(value=tuple(value) if isinstance(value, list) else value, origin=_text(record, "origin"))


def _spec(record: dict[str, Any]) -> SliceSpec:
    settings = _field(record, "settings", (dict,), {})
    command = _texts(record, "command")
    if not command:
        raise _Bad("command is empty")
    return SliceSpec(
        run_id=_text(record, "run_id"),
        n=_whole(record, "n"),
        created=_number(record, "created"),
        command=command,
        is_command=_flag(record, "is_command", False),
        cwd=_text(record, "cwd"),
        interpreter=_text(record, "interpreter", None),
        interpreter_origin=_text(record, "interpreter_origin", ""),
        framework=_text(record, "framework", "unknown"),
        declared_flags=_texts(record, "declared_flags"),
        whole_number_flags=_texts(record, "whole_number_flags"),
        settings={key: _setting(_field(settings, key, (dict,))) for key in settings},
        env=_texts_by_name(record, "env"),
        recorded_env=_texts_by_name(record, "recorded_env"),
        resume_from=_text(record, "resume_from", None),
        resume_step=_whole(record, "resume_step", None),
        resume_args=_texts(record, "resume_args"),
        resume_how=_text(record, "resume_how", ""),
        resume_template=_text(record, "resume_template", ""),
        fresh=_flag(record, "fresh", False),
        name=_text(record, "name", None),
        tags=_texts(record, "tags"),
        git=_texts_by_name(record, "git"),
        backprop=_text(record, "backprop", ""),
    )
