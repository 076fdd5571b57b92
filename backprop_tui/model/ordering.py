"""The order of a run's checkpoints."""

from __future__ import annotations

import os
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from backprop_tui.model.run import Checkpoint

_MAX_DIGITS = 18
_SAME_MOMENT_S = 2.0
"""Times this close do not tell which of two files came first: some filesystems keep no finer ones."""


def in_order(checkpoints: Iterable[Checkpoint]) -> list[Checkpoint]:
    """Oldest first, by when they were saved.

    The time of one that was seen on disk is the filesystem's, and may be coarse: among those of one slice that differ
    only in the numbers of their names, the numbers decide, unless the times show that these count nothing.
    """
    ordered = sorted(checkpoints, key=lambda c: c.t)
    families: dict[tuple[object, ...], list[int]] = {}
    for place, checkpoint in enumerate(ordered):
        if checkpoint.found == "folder":
            folder, name = os.path.split(checkpoint.path)
            families.setdefault((checkpoint.slice, folder, numbers_in(name)[0]), []).append(place)
    for places in families.values():
        members = _by_number([ordered[place] for place in places])
        for place, member in zip(places, members, strict=True):
            ordered[place] = member
    return ordered


def _by_number(family: list[Checkpoint]) -> list[Checkpoint]:
    """A family, given by time, in the order of its numbers; by time alone where they do not rise with it.

    Slots that are written in turn, and a loss in the name, are no counters.
    """
    numbers = [numbers_in(os.path.basename(c.path))[1] for c in family]
    earlier, highest = 0, numbers[0]
    for checkpoint, number in zip(family, numbers, strict=True):
        while checkpoint.t - family[earlier].t > _SAME_MOMENT_S:
            highest = max(highest, numbers[earlier])
            earlier += 1
        if earlier and number < highest:
            return sorted(family, key=lambda c: (c.t, numbers_in(os.path.basename(c.path))[1]))
    return [c for _, c in sorted(zip(numbers, family, strict=True), key=lambda pair: pair[0])]


def numbers_in(name: str) -> tuple[str, tuple[int, ...]]:
    """A name without its numbers, and these: checkpoints of one family differ in nothing else."""
    numbers = tuple(int(digits[:_MAX_DIGITS]) for digits in re.findall("[0-9]+", name))
    return re.sub("[0-9]+", "#", name), numbers
