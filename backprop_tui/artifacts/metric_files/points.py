"""Brings what several files say under one set of names, each point once."""

from __future__ import annotations

import os

from backprop_tui.model.events import Metric
from backprop_tui.model.metric_names import is_bookkeeping, is_training_loss
from backprop_tui.text import short

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TypeAlias

    Row: TypeAlias = tuple[int | float, dict[str, float]]
    """A step and the values there, by the names that the file has for them."""

MAX_NAMES = 256
MAX_NAME = 64
MAX_STEP = 10**15
_HELD_OUT = {
    "validation": "val",
    "valid": "val",
    "val": "val",
    "dev": "val",
    "eval": "eval",
    "evaluation": "eval",
    "test": "test",
}
"""Folders beside the one of the training, and what stands before the names of what is in them."""


class Points:
    """The metrics of a slice as they are taken from files."""

    def __init__(self, beyond: int | float | None = None) -> None:
        """Steps up to `beyond` are known already."""
        self._beyond = -MAX_STEP - 1 if beyond is None else beyond
        self._names: dict[tuple[str, str], str] = {}
        """By folder and name in the file; "" for what is left out."""
        self._owners: dict[str, tuple[str, str]] = {}
        self._last: dict[str, int | float] = {}
        """The newest step of each metric: a point comes once, whoever writes it again."""

    def take(self, folder: str, rows: Iterable[Row]) -> list[Row]:
        """What of these rows of a file in `folder` is new, under the names that it is to have."""
        taken: list[Row] = []
        for step, values in rows:
            if not -MAX_STEP <= step <= MAX_STEP:
                continue
            new = {}
            for raw, value in values.items():
                name = self._name(folder, raw)
                if name and step > self._last.get(name, self._beyond):
                    new[name] = value
                    self._last[name] = step
            if new:
                taken.append((step, new))
        return taken

    def _name(self, folder: str, raw: str) -> str:
        key = (folder, raw)
        name = self._names.get(key)
        if name is None and len(self._names) < 4 * MAX_NAMES:
            name = self._names[key] = self._named(key)
        return name or ""

    def _named(self, key: tuple[str, str]) -> str:
        folder, raw = key
        if not raw.strip() or is_bookkeeping(raw) or len(self._owners) >= MAX_NAMES:
            return ""
        last = os.path.basename(folder)
        plain = raw.removeprefix("epoch_")
        before = _HELD_OUT.get(last.lower())
        if before is not None and not plain.lower().startswith((*_HELD_OUT, *_HELD_OUT.values())):
            plain = f"{before}_{plain}"
        elif is_training_loss(raw):
            owner = self._owners.get("loss")
            plain = "loss" if owner is None else raw if owner[0] == folder else f"{last}/{raw}"
        for wanted in (plain, raw, f"{last}/{raw}"):
            name = short(wanted, MAX_NAME).strip()
            if name and self._owners.setdefault(name, key) == key:
                return name
        return ""


def merged(rows: list[Row]) -> list[Metric]:
    """One metric a step, in the order of steps."""
    found: list[Metric] = []
    for step, values in sorted(rows, key=lambda row: row[0]):
        if found and found[-1].step == step:
            found[-1].values.update(values)
        else:
            found.append(Metric(step, values))
    return found
