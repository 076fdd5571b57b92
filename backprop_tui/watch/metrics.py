"""What the names of metrics say: which way is better, which belong into one chart, what they are called."""

from __future__ import annotations

import re

from backprop_tui.frozen import Frozen
from backprop_tui.model.naming import TOTALS, is_plain_loss, main_metric, short_name
from backprop_tui.model.naming import is_score as is_higher_better

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from backprop_tui.model.run import Run

__all__ = ["TOTALS", "Family", "families", "is_higher_better", "label", "main_first", "total_steps"]

_SETS = frozenset(["train", "training", "val", "valid", "validation", "eval", "evaluation", "test", "dev"])


class Family(Frozen):
    """Metrics that are the same thing measured on different data, such as loss and val_loss."""

    title: str
    """In capitals."""
    names: tuple[str, ...]
    labels: tuple[str, ...]
    """What tells each from the others; "" where there is only one."""


def main_first(names: Iterable[str]) -> list[str]:
    """Metrics with the one that speaks for the run in front, else in their order; totals are none."""
    known = [name for name in names if name not in TOTALS]
    main = main_metric(known)
    return known if main is None else [main, *(name for name in known if name != main)]


def label(name: str) -> str:
    """What a metric is called where there is little room; "loss" for the loss of the training."""
    short = short_name(name)
    return "loss" if is_plain_loss(short) else short


def families(names: Iterable[str]) -> list[Family]:
    """All metrics by what they measure, in the order of their first appearance."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for name in names:
        base, data = _split(name)
        groups.setdefault(base, []).append((name, data))
    return [_family(base, members) for base, members in groups.items()]


def _family(base: str, members: list[tuple[str, str]]) -> Family:
    names = tuple(name for name, _data in members)
    if len(members) == 1:
        return Family(title=_title(names[0]), names=names, labels=("",))
    # A plain name is the training's, unless another one says that it is.
    plain = base if any(data in ("train", "training") for _name, data in members) else "train"
    return Family(title=_title(base), names=names, labels=tuple(data or plain for _name, data in members))


def _title(name: str) -> str:
    return re.sub(r"[_/.\s]+", " ", name).strip().upper() or name.upper()


def _split(name: str) -> tuple[str, str]:
    """What is measured, and on which data ("" where the name does not say)."""
    parts = [part for part in re.split(r"[_/.\-\s]+", name) if part]
    for at in (0, -1):
        if len(parts) > 1 and parts[at].lower() in _SETS:
            rest = parts[1:] if at == 0 else parts[:-1]
            return "_".join(rest).lower(), parts[at].lower()
    return "_".join(parts).lower() or name, ""


def total_steps(run: Run) -> int | None:
    """How many steps there are in all, by the counters that were printed or else by a metric; None where nothing says
    so. A number that the training is beyond of says nothing."""
    named = next((run.last[name] for name in TOTALS if name in run.last), None)
    for found in (run.total_steps, named):
        if found is not None and max(1, run.step or 0) <= found < 1e15:
            return int(found)
    return None
