"""Rounds of boosting, tabs between: `[3] train-logloss:0.355`, `[2] train's auc: 0.94`, `3: learn: 0.68 test: 0.69`."""

from __future__ import annotations

from backprop_tui.protocol.fields import name_of
from backprop_tui.protocol.later import later
from backprop_tui.protocol.recognise.report import NUMBER, Counters, Report

MAX_VALUES = 64
_ROUND = later(r"(?:\[(\d{1,9}+)\]|(\d{1,9}+):)[\t ]{1,4}+")
_VALUE = later(
    rf"(?P<name>[A-Za-z][^\t:]{{0,80}}+): ?(?P<num>{NUMBER})(?: ?\+ ?{NUMBER})?(?P<end>[^\t]{{0,80}}+)(?:\t|\Z)"
)
_CATBOOST = frozenset({"learn", "test"})


def looks_like_round(text: str) -> bool:
    """A cheap test: lines that fail it are no rounds."""
    return "\t" in text and (text[0] == "[" or text[0].isdigit())


def read_round(text: str) -> Report | None:
    """One round's values; None if the line is something else."""
    found = _ROUND.match(text)
    if found is None or "\t" not in text:
        return None
    counters = Counters(step=int(found[1] or found[2]))
    counters.restarts = True
    values: dict[str, float] = {}
    at = found.end()
    while at < len(text) and len(values) < MAX_VALUES:
        pair = _VALUE.match(text, at)
        if pair is None:
            return None
        name = pair["name"]
        if found[1] is not None:
            if pair["end"].strip() or not ("-" in name or "'s " in name):
                return None
            values[name_of(name)] = float(pair["num"])
        elif name in _CATBOOST:
            values[name] = float(pair["num"])
        at = pair.end()
    return Report("rounds", values, counters) if values else None
