"""Lines of names and numbers: `step=3 loss=0.5`, `Epoch [1/5], Loss: 0.5`, `iter 9: loss 2.3`, `[1][20/40] loss: 8`.

They count only where they are no prose, no code and no dump of settings.
"""

from __future__ import annotations

import re
from functools import lru_cache

from backprop_tui.protocol.later import later
from backprop_tui.protocol.names import (
    BATCH,
    EPOCH,
    MEASURE,
    NOISE,
    STEP,
    TOTAL,
    canonical,
    eval_prefix,
    is_eval_name,
    kind_of,
    says_its_data,
    step_rank,
    words_of,
)
from backprop_tui.protocol.recognise.prose import is_something_else, most_words
from backprop_tui.protocol.recognise.report import NUMBER, Counters, Report

MAX_PAIRS = 16
"""More are a dump of settings."""
_NAME = r"[A-Za-z_](?:[\w@%'’]|[./-](?=\w))*+(?:\(\w{1,12}+\))?"
PAIR = later(
    rf"""(?<![\w./@%"'\-<$\#\\`])(?<![\w\]]\()
    (?P<name>{_NAME}(?:[ ](?!(?:nan|NaN|NAN|inf|Inf|INF|Infinity)\b)(?:{_NAME}|\(\w{{1,12}}+\))){{0,3}}+)
    (?P<sep>[ \t]{{0,8}}[=:](?![=:])[ \t]{{0,16}}|[ \t]{{1,16}})
    (?:\[[ \t]{{0,8}})?
    (?P<num>\d{{1,3}}(?:,\d{{3}}){{1,5}}+(?![\d.])|{NUMBER})
    (?:[ ]{{0,12}}/[ ]{{0,12}}(?P<of>\d{{1,15}}+(?:,\d{{3}}(?!\d)){{0,5}}+))?
    (?P<unit>%|[A-Za-zµ/_][\w/%]{{0,12}}+)?
    (?P<mean>[ ]?\([ ]{{0,8}}{NUMBER}%?\))?
    (?P<bad>[^\s,;|)\]}}.:(]|[.:]\w|,\d)?""",
    re.VERBOSE,
)
_FRACTION = later(
    r"\[ {0,8}(\d{1,15}+) {0,8}/ {0,8}(\d{1,15}+)"
    r"|(?<![\d/.:\-])(\d{1,15}+) {0,8}/ {0,8}(\d{1,15}+) {1,4}(?:batches|steps|iters|iterations|it)\b"
    r"|(?<=\d:) {1,8}(\d{1,15}+) {1,8}/ {1,8}(\d{1,15}+)\b"
)
_LEADING = (
    (later(r"\[epoch=(\d{1,9}+)\]\[batch=(\d{1,12}+)/(\d{1,12}+)\]:?"), ("epoch", "batch", "batches")),
    (later(r"\[(\d{1,9}+)/(\d{1,9}+)\]\[(\d{1,12}+)/(\d{1,12}+)\]"), ("epoch", "epochs", "batch", "batches")),
    (later(r"\[(\d{1,9}+), {0,8}(\d{1,12}+)\]"), ("epoch", "batch")),
    (later(r"\[ {0,8}(\d{1,12}+) {0,8}/ {0,8}(\d{1,12}+)\]"), ("step", "steps")),
    (later(r"\[(\d{1,12}+)\]"), ("step",)),
    (
        later(r"[A-Z][a-z]{2,9}+: {0,4}(\d{1,9}+) {1,4}\[ {0,8}(\d{1,12}+) {0,8}/ {0,8}(\d{1,12}+)"),
        ("epoch", "batch", "batches"),
    ),
)
_LOSS_AFTER = later(
    rf"(?i:((?:[a-z]{{1,20}}+ )?(?:loss|cost)) (?:after|at) (epoch|iteration|step|iter) (\d{{1,12}}+)"
    rf" ?[:=] ?({NUMBER}))(?=[\s,.]|\Z)"
)
_COUNTERS = frozenset({STEP, EPOCH, BATCH, TOTAL})
_HEAD = 48
"""Characters in which a line says that it tells of an evaluation."""
_WORD = later(r"[A-Za-z]{2,}+")
_BARE_WORDS = frozenset([
    "loss", "train", "training", "val", "valid", "validation", "test", "eval", "evaluation", "avg", "average",
    "mean", "running", "total", "acc", "accuracy", "ppl", "lm", "mse", "mae", "nll", "cls", "box", "dfl", "obj",
    "bbox", "mask", "rpn", "recon", "kl", "reg", "gen", "disc", "generator", "discriminator", "d", "g", "lr", "@1",
    "@5", "top1", "top5", "dev", "f1",
])  # fmt: skip
_FILLERS = frozenset([
    "done", "finished", "completed", "complete", "the", "and", "with", "at", "in", "is", "after", "now", "took",
    "s", "results", "result",
])  # fmt: skip


def read_pairs(text: str, low: str) -> Report | None:
    """The counters and values of a line; None if it reads like something else."""
    if is_something_else(text, low):
        return None
    scan = _Scan(text)
    for found in PAIR.finditer(text, scan.start):
        if not scan.take(found):
            return None
    if not scan.values and " a" in low:
        scan.take_loss_after()
    counters = scan.counters
    if "/" in text and counters.batches is None and counters.steps is None:
        scan.take_fraction()
    if not scan.has_measure and counters.is_empty:
        return None
    spare = scan.words_left()
    if spare > (most_words(text) if scan.has_measure else 1):
        return None
    report = Report("pairs", {}, counters, scan.evaluation())
    report.spare_words = spare
    if scan.has_measure:
        # Where an evaluation goes on batch by batch, the means so far are its result.
        goes_on = report.evaluation and scan.means and counters.batches is not None
        report.values = scan.means if goes_on else scan.values
    return report


@lru_cache(maxsize=512)
def _is_bare(name: str) -> bool:
    """Whether the name may stand before its number with a blank between: `val loss 2.3`."""
    return _BARE_WORDS.issuperset(words_of(name))


class _Scan:
    """What the pairs of one line come to."""

    __slots__ = (
        "_count",
        "_first_value",
        "_rank",
        "_spans",
        "counters",
        "has_measure",
        "means",
        "start",
        "text",
        "values",
    )

    def __init__(self, text: str) -> None:
        self.text = text
        self.counters = Counters()
        self.start = self._leading() if "[" in text[:32] else 0
        self.values: dict[str, float] = {}
        self.means: dict[str, float] = {}
        self.has_measure = False
        self._spans: list[tuple[int, int]] = []
        self._first_value = len(text)
        self._rank = 100
        self._count = 0

    def _leading(self) -> int:
        """Counters that stand in brackets at the line's beginning; where they end."""
        for form, names in _LEADING:
            found = form.match(self.text)
            if found is not None:
                for name, value in zip(names, found.groups(), strict=True):
                    setattr(self.counters, name, int(value))
                return found.end()
        return 0

    def take(self, found: re.Match[str]) -> bool:
        """Take up one pair; False if the line is a dump."""
        name, sep, number, of, unit, mean, bad = found.groups()
        kind = kind_of(name.partition("(")[0] if "(" in name else name)
        if kind in _COUNTERS:
            self._spans.append(found.span())
            if not bad and not unit:
                self._take_counter(kind, name, float(digits(number)), int(digits(of)) if of else None)
            return True
        if "=" in sep or ":" in sep:
            self._count += 1
            if self._count > MAX_PAIRS:
                return False
        elif not _is_bare(name):
            return True
        self._spans.append(found.span())
        if bad or kind == NOISE or (unit and unit != "%") or (name.isupper() and sep == "="):
            return True  # capitals before a bare sign: a variable of the environment
        if of:
            # Accuracy: 9848/10000 (98%)
            if kind == MEASURE and mean and "%" in mean:
                self._take_value(kind, name, mean.strip(" ()%"), None, found.start())
        else:
            self._take_value(kind, name, digits(number), mean, found.start())
        return True

    def _take_counter(self, kind: str, name: str, number: float, of: int | None) -> None:
        counters = self.counters
        if not 0 <= number < 1e15 or (kind != EPOCH and number != int(number)):
            return
        if kind == EPOCH:
            if counters.epoch is None:
                counters.epoch = int(number) if number == int(number) else number
                counters.epochs = counters.epochs if of is None else of
        elif kind == BATCH:
            if counters.batch is None:
                counters.batch, counters.batches = int(number), of
        elif kind == TOTAL:
            counters.steps = counters.steps or int(number)
        elif (rank := step_rank(name)) < self._rank:
            self._rank, counters.step = rank, int(number)
            counters.steps = counters.steps if of is None else of

    def _take_value(self, kind: str, name: str, number: str, mean: str | None, at: int) -> None:
        if kind != MEASURE and number.lstrip("+-").isdigit():
            return
        shown = canonical(_without_fillers(name) if " " in name else name)
        if not shown or shown in self.values:
            return
        if not self.values:
            self._first_value = at
        self.has_measure = self.has_measure or kind == MEASURE
        self.values[shown] = float(number)
        if mean:
            self.means[shown] = float(mean.strip(" ()%"))

    def take_loss_after(self) -> None:
        """`Cost after iteration 100: 0.69`."""
        found = _LOSS_AFTER.search(self.text)
        if found is None:
            return
        name = canonical(found[1].replace("Cost", "Loss").replace("cost", "loss"))
        self.values[name] = float(found[4])
        self.has_measure = True
        self._first_value = found.start()
        if found[2].lower() == "epoch":
            self.counters.epoch = int(found[3])
        else:
            self.counters.step = int(found[3])
        self._spans.append(found.span())

    def take_fraction(self) -> None:
        """A count in the epoch that has no name: `[ 20/40 (50%)]`, `200/ 2983 batches`."""
        found = _FRACTION.search(self.text, self.start)
        if found is not None:
            n, of = (int(one) for one in found.groups() if one)
            self.counters.batch, self.counters.batches = n, of
            self._spans.append(found.span())

    def words_left(self) -> int:
        """How many words belong to nothing that was read."""
        text, left, at = self.text, 0, self.start
        for start, end in sorted(self._spans):
            if start - at > 1:
                left += len(_WORD.findall(text, at, start))
            at = max(at, end)
        return left + len(_WORD.findall(text, at)) if len(text) - at > 1 else left

    def evaluation(self) -> str:
        """What stands in front of the first value says whether this is an evaluation."""
        head = eval_prefix(self.text[: min(self._first_value, _HEAD)])
        if head or self._first_value > 0 or not self.values:
            return head
        first = next(iter(self.values))
        if is_eval_name(first) and not any(
            name == "loss" or (says_its_data(name) and not is_eval_name(name)) for name in self.values
        ):
            return eval_prefix(first)
        return ""


def digits(number: str) -> str:
    """The number without the commas that part its thousands."""
    return number.replace(",", "") if "," in number else number


def _without_fillers(name: str) -> str:
    words = name.split(" ")
    while len(words) > 1 and words[0].lower() in _FILLERS:
        del words[0]
    return " ".join(words)
