"""Writes a run's metrics where other programs read them."""

from __future__ import annotations

import csv
import json
import os

from backprop_tui.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from backprop_tui.store.home import Home


def export_csv(home: Home, run_ids: list[str], folder: str) -> str:
    """Write every metric line of some runs into one new file in `folder`; returns its path.

    Columns: run, step, t (epoch seconds), then each metric in the order of first appearance.

    Raises:
        UsageError: they have no metrics, or the file cannot be written.
    """
    names: dict[str, None] = {}
    for run_id in run_ids:
        for entry in _entries(home, run_id):
            names.update(dict.fromkeys(key for key in entry if key not in ("step", "t")))
    if not names:
        raise UsageError("there are no metrics to export", hint="a run has some once its script prints a loss")
    path, file = _new_file(folder, f"{run_ids[0]}-metrics" if len(run_ids) == 1 else "backprop-metrics")
    try:
        with file:
            rows = csv.writer(file)
            rows.writerow(["run", "step", "t", *names])
            for run_id in run_ids:
                for entry in _entries(home, run_id):
                    values = [entry.get(name, "") for name in names]
                    rows.writerow([run_id, entry.get("step", ""), entry.get("t", ""), *values])
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


def _entries(home: Home, run_id: str) -> Iterator[dict[str, Any]]:
    path = home.run(run_id).file("metrics.jsonl")
    if not os.path.exists(path):
        return
    with open(path, "rb") as file:
        for line in file:
            try:
                entry = json.loads(line)
            except (ValueError, RecursionError):
                continue  # a torn line
            if isinstance(entry, dict):
                yield entry
