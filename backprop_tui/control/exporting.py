"""Writes a run's metrics where other programs read them."""

from __future__ import annotations

import csv
import os
from bisect import bisect_right

from backprop_tui.errors import StoreError, UsageError
from backprop_tui.model.lineage import WHOLE, stretches
from backprop_tui.store.metriclines import decoded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from backprop_tui.model.lineage import Stretch
    from backprop_tui.store.home import Home


def export_csv(home: Home, run_ids: list[str], folder: str) -> str:
    """Write every metric line of some runs into one new file in `folder`; returns its path.

    Columns: run, step, t (epoch seconds), slice, superseded (yes where a later slice did the step again), then each
    metric in the order of first appearance.

    Raises:
        UsageError: they have no metrics, or the file cannot be written.
    """
    names: dict[str, None] = {}
    for run_id in run_ids:
        for entry, _offset in _entries(home, run_id):
            names.update(dict.fromkeys(key for key in entry if key not in ("step", "t")))
    if not names:
        raise UsageError("there are no metrics to export", hint="a run has some once its script prints a loss")
    path, file = _new_file(folder, f"{run_ids[0]}-metrics" if len(run_ids) == 1 else "backprop-metrics")
    try:
        with file:
            rows = csv.writer(file)
            rows.writerow(["run", "step", "t", "slice", "superseded", *names])
            for run_id in run_ids:
                parts = _parts(home, run_id)
                for entry, offset in _entries(home, run_id):
                    part = parts[max(0, bisect_right(parts, offset, key=lambda part: part.start) - 1)]
                    values = [entry.get(name, "") for name in names]
                    step = entry.get("step", "")
                    known = [run_id, step, entry.get("t", ""), part.n, "yes" if _is_from(part.until, step) else "no"]
                    rows.writerow([*known, *values])
    except OSError as error:
        raise _cannot_write(path, error)
    return path


def _new_file(folder: str, stem: str) -> tuple[str, Any]:
    for n in range(1, 1000):
        path = os.path.join(folder, f"{stem}{'' if n == 1 else f'-{n}'}.csv")
        try:
            return path, open(path, "x", newline="", encoding="utf-8")
        except FileExistsError:
            continue
        except OSError as error:
            raise _cannot_write(path, error)
    raise UsageError(f"{folder} holds too many exports of it already", hint="delete some")


def _cannot_write(path: str, error: OSError) -> UsageError:
    return UsageError(f"cannot write {path}: {error.strerror or error}", hint="start backprop in a folder of your own")


def _parts(home: Home, run_id: str) -> list[Stretch]:
    """The run's slices; one of all lines where its record cannot be read."""
    try:
        return stretches(home.run(run_id).read_run().slices) or [WHOLE]
    except StoreError:
        return [WHOLE]


def _is_from(until: float, step: object) -> bool:
    return isinstance(step, (int, float)) and step >= until


def _entries(home: Home, run_id: str) -> Iterator[tuple[dict[str, Any], int]]:
    """Each entry, and the offset of its line."""
    path = home.run(run_id).file("metrics.jsonl")
    if not os.path.exists(path):
        return
    with open(path, "rb") as file:
        end = 0
        for line in file:
            offset, end = end, end + len(line)
            entry = decoded(line)  # None for a torn line
            if entry is not None:
                yield entry, offset
