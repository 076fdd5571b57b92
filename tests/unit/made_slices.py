"""Runs of several slices, written to metrics.jsonl by hand."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from backprop_tui.model.run import Run, Slice
from backprop_tui.model.states import RunState
from backprop_tui.store.folder import RunFolder
from backprop_tui.store.home import Home

Value = Callable[[int, int], float | str]
"""Of a slice, by its number, and a step; text for what is not finite."""


def number_of_slice(n: int, step: int) -> float:
    return float(n)


class History:
    """A run whose slices took these steps, one line each."""

    def __init__(self, folder: Path, *slices: range, value: Value = number_of_slice, name: str = "loss") -> None:
        self.value, self.name = value, name
        self.home = Home(str(folder / "home"))
        self.home.ensure()
        self.run_folder: RunFolder = self.home.new_run("r")
        self.path = Path(self.run_folder.file("metrics.jsonl"))
        self.path.touch()
        self.slices: list[Slice] = []
        for steps in slices:
            self.add(steps)

    def add(self, steps: range, *, is_recorded: bool = True) -> None:
        """One more slice; the record may not know yet which steps it took."""
        n, start = len(self.slices) + 1, self.path.stat().st_size
        with self.path.open("a") as file:
            for step in steps:
                file.write(
                    json.dumps({"t": 1000.0 * n + step / 100, "step": step, self.name: self.value(n, step)}) + "\n"
                )
        first, last = (steps[0], steps[-1]) if steps and is_recorded else (None, None)
        self.slices.append(
            Slice(n=n, state=RunState.TIMEBOXED, started=1000.0 * n, ended=1000.0 * n + 900, box_s=900,
                  metrics_start=start, first_step=first, last_step=last, metric_lines=len(steps))
        )  # fmt: skip

    @property
    def run(self) -> Run:
        """As its record has it."""
        newest = self.slices[-1]
        return Run(
            id="r", state=RunState.TIMEBOXED, created=0, updated=0, slices=tuple(self.slices), step=newest.last_step,
            last={self.name: 1.0},
        )  # fmt: skip

    def write_record(self) -> None:
        """state.json"""
        self.run_folder.write_run(self.run)
