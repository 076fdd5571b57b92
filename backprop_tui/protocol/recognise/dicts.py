"""Dictionaries on a line, as Python or JSON writes them: `{'loss': '0.6984', 'epoch': 0.005}`."""

from __future__ import annotations

import re

from backprop_tui.protocol.later import later
from backprop_tui.protocol.names import (
    BATCH,
    EPOCH,
    EXTRA,
    MEASURE,
    STEP,
    TOTAL,
    canonical,
    eval_prefix,
    is_eval_name,
    kind_of,
    step_rank,
)
from backprop_tui.protocol.recognise.pairs import read_pairs
from backprop_tui.protocol.recognise.report import NUMBER, Counters, Report

MAX_ITEMS = 64
_ITEM = later(
    rf"""(?P<quote>['"])(?P<key>[^'"\\{{}}]{{1,64}}+)(?P=quote):\s?
    (?:
      (?P<number>{NUMBER})(?=\s*[,}}])
    | (?P<q>['"])(?P<text>{NUMBER})(?P=q)(?=\s*[,}}])
    | [\w.]{{1,32}}+\((?P<inner>{NUMBER})(?:,\s[^()]{{0,64}}+)?\)(?=\s*[,}}])
    | (?P<word>['"][A-Za-z_]{{1,16}}+['"])(?=\s*[,}}])
    )""",
    re.VERBOSE,
)
_HEAD_WORDS = 3
_SPLITS = frozenset(["mode", "split", "phase", "stage"])
_SETTINGS = ("config", "args", "param", "setting", "default", "kwargs", "options", "namespace", "(")


def read_dict(text: str) -> Report | None:
    """The dictionary that ends the line; None if there is none, or it holds no measure."""
    end = text.rstrip()
    if end[-1:] != "}":
        return None
    start = end.find("{")
    if start < 0 or start > 120 or "{" in end[start + 1 :] or "train_runtime" in end:
        return None  # code, or what a whole training came to
    counters = _head(end[:start].strip()) if start else Counters()
    if counters is None:
        return None
    items = _Items(counters)
    for at, found in enumerate(_ITEM.finditer(end, start)):
        if at == MAX_ITEMS:
            return None
        items.take(found)
    if not items.has_measure:
        return None
    return Report("dict", items.values, counters, items.split or _evaluation(items.values))


class _Items:
    """What the items of one dictionary come to."""

    def __init__(self, counters: Counters) -> None:
        self.counters = counters
        self.values: dict[str, float] = {}
        self.has_measure = False
        self.split = ""
        self._rank = 100 if counters.step is None else 0

    def take(self, found: re.Match[str]) -> None:
        name, text = found["key"], found["text"]
        if found["word"]:
            if name.lower() in _SPLITS:
                self.split = eval_prefix(found["word"])
            return
        printed = found["number"] or text or found["inner"]
        kind = kind_of(name)
        if kind == EPOCH:
            self._take_epoch(printed, is_text=text is not None)
        elif kind in (STEP, BATCH, TOTAL):
            self._take_counter(kind, name, float(printed))
        elif kind == MEASURE or (kind == EXTRA and not printed.lstrip("+-").isdigit()):
            self.has_measure = self.has_measure or kind == MEASURE
            self.values[canonical(name)] = float(printed)

    def _take_epoch(self, printed: str, *, is_text: bool) -> None:
        number = float(printed)
        if self.counters.epoch is None and 0 <= number < 1e15:
            # A number with a point is the share of the epochs that is done; so is one printed as text.
            self.counters.epoch = int(number) if printed.isdigit() and not is_text else number

    def _take_counter(self, kind: str, name: str, number: float) -> None:
        if not 0 <= number < 1e15 or number != int(number):
            return
        if kind == BATCH:
            self.counters.batch = int(number)
        elif kind == TOTAL:
            self.counters.steps = int(number)
        elif (rank := step_rank(name)) < self._rank:
            self.counters.step, self._rank = int(number), rank


def _head(text: str) -> Counters | None:
    """The counters of what stands before the dictionary: `epoch 3: {…}`; None if it is code or prose."""
    low = text.lower()
    if any(word in low for word in _SETTINGS):
        return None
    report = read_pairs(text, low)
    if report is not None and not report.values:
        return report.counters
    return Counters() if not text or (text[-1] in ":-|" and len(text.split()) <= _HEAD_WORDS) else None


def _evaluation(values: dict[str, float]) -> str:
    """Whether all of it was measured outside the training."""
    names = list(values)
    return eval_prefix(names[0]) if all(is_eval_name(name) for name in names) else ""
