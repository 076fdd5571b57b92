"""Which files are metric files: by their name; what reads them looks at their content."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from backprop_tui.artifacts.metric_files.budget import Budget
    from backprop_tui.artifacts.metric_files.points import Row

    class Reader(Protocol):
        """Reads one file on and on."""

        path: str
        is_alien: bool
        """The file is something else than its name says."""

        @property
        def has_more(self) -> bool: ...
        def read(self, budget: Budget) -> list[Row]: ...


TENSORBOARD, CSV, JSON_LINES, TRAINER_STATE = "tensorboard", "csv", "json_lines", "trainer_state"
_EVENTS = "tfevents"
_NO_EVENTS = ".profile-empty"
_TRAINER_STATE = "trainer_state.json"
_TABLES = frozenset(
    [
        "metrics.csv",
        "results.csv",
        "progress.csv",
        "summary.csv",
        "history.csv",
        "log.csv",
        "logs.csv",
        "training.csv",
        "training.log",
        "training_log.csv",
        "train_log.csv",
    ]
)
_JSON_LINES = frozenset(
    ["scalars.json", "metrics.json", "metrics.jsonl", "log.jsonl", "logs.jsonl", "train_log.jsonl", "trainer_log.jsonl"]
)
_VIS_DATA, _SCALARS = "vis_data", "scalars.json"
"""MMEngine keeps two files of the same lines in this folder."""
_RUN_RECORD = "spec-1.json"
"""Lies beside backprop's own metrics."""


class Place:
    """A metric file by its name."""

    __slots__ = ("folder", "key", "kind")

    def __init__(self, kind: str, key: str, folder: str) -> None:
        self.kind = kind
        self.key = key
        """The same for files of which only one is to be followed."""
        self.folder = folder
        """The training's folder that it belongs to."""


def is_metric_name(name: str) -> bool:
    """The quick question for every file of a walk."""
    lower = name.lower()
    return _EVENTS in name or lower in _TABLES or lower in _JSON_LINES or name == _TRAINER_STATE


def place_of(path: str) -> Place | None:
    """What a file of this name is; None for anything else than metrics."""
    folder, name = os.path.split(path)
    if _EVENTS in name:
        return None if name.endswith(_NO_EVENTS) else Place(TENSORBOARD, path, folder)
    if name == _TRAINER_STATE:
        outer = _output_folder(folder)
        return Place(TRAINER_STATE, os.path.join(outer, name), outer)
    lower = name.lower()
    if lower in _TABLES:
        return Place(CSV, path, folder)
    if os.path.basename(folder) == _VIS_DATA and lower.endswith(".json"):
        is_copy = name != _SCALARS and os.path.exists(os.path.join(folder, _SCALARS))
        return None if is_copy else Place(JSON_LINES, folder, folder)
    if lower in _JSON_LINES and not os.path.exists(os.path.join(folder, _RUN_RECORD)):
        return Place(JSON_LINES, path, folder)
    return None


def _output_folder(folder: str) -> str:
    """The folder in which the checkpoints of a Hugging Face training lie."""
    return os.path.dirname(folder) if os.path.basename(folder).startswith("checkpoint-") else folder


class Followed:
    """A metric file that is followed."""

    def __init__(self, place: Place, reader: Reader, *, is_old: bool) -> None:
        self.kind, self.folder, self.reader = place.kind, place.folder, reader
        self.is_old = is_old
        """It was there before the training began, and did not change since."""
        self.mark: tuple[str, int, int] | None = None
        """Path, size and mtime of what was read last."""
        self.order = _order(reader.path)


def _order(path: str) -> tuple[str, str]:
    """Files of events begin with the one that was begun first: its name says when."""
    stamp = os.path.basename(path).partition(_EVENTS + ".")[2].partition(".")[0]
    return (stamp if stamp.isdecimal() else "", path)


def follow(place: Place, path: str, old_bytes: int, since: float, by_batch: set[str], *, is_old: bool) -> Followed:
    """Begin to follow a file.

    Args:
        place: what it is.
        path: where it is.
        old_bytes: how much of it was there before the training began.
        since: when that was, epoch seconds.
        by_batch: shared by all event files, see `EventFile`.
        is_old: it did not change since then.
    """
    reader: Reader
    # Each kind is loaded when there is a file of it.
    if place.kind == TENSORBOARD:
        from backprop_tui.artifacts.metric_files.tensorboard import EventFile

        reader = EventFile(path, since, by_batch)
    elif place.kind == CSV:
        from backprop_tui.artifacts.metric_files.table import Table

        reader = Table(path, old_bytes)
    elif place.kind == JSON_LINES:
        from backprop_tui.artifacts.metric_files.json_lines import JsonLines

        reader = JsonLines(path, old_bytes)
    else:
        from backprop_tui.artifacts.metric_files.trainer_state import TrainerState

        reader = TrainerState(path)
    return Followed(place, reader, is_old=is_old)
