"""The step at which a checkpoint was saved, where nobody says it."""

from __future__ import annotations

import os
import re

from backprop_tui.artifacts.content import open_file
from backprop_tui.artifacts.names import Name, read_file_name, read_folder_name

_NEAR = 0.1
_HEAD = 8192
"""Bytes of trainer_state.json before its history begins."""


def step_of(path: str, name: Name, kind: str, run_step: int | None) -> int | None:
    """From the name, else from the trainer's own state, else the run's when it was last written, `run_step`.

    A number of which the name does not say what it counts is the step if the run stood about there: what is printed
    is read a moment after a file was written, and steps may be printed more rarely than they are done.
    """
    if name.step is not None:
        return name.step
    if kind in ("xgboost", "lightgbm") and name.number is not None:
        return name.number
    if kind == "hf-trainer" and (step := _global_step(path)) is not None:
        return step
    if name.number is not None and run_step is not None and abs(name.number - run_step) <= _NEAR * run_step + 1:
        return name.number
    return run_step


def step_told_by(path: str, kind: str) -> int | None:
    """The step of a checkpoint of which nothing is known but where it lies and its kind."""
    base = os.path.basename(path.rstrip("/"))
    name = read_folder_name(base) if os.path.isdir(path) else read_file_name(base)
    return step_of(path, name or Name(name=base, level="sure"), kind, None)


def _global_step(folder: str) -> int | None:
    try:
        with open_file(os.path.join(folder, "trainer_state.json")) as file:
            head = file.read(_HEAD)
    except OSError:
        return None
    found = re.search(rb'"global_step":\s*(\d{1,18})\b', head)
    return None if found is None else int(found[1])
