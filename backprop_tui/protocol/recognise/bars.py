"""Progress bars: tqdm's and those that look like it, rich's, fastai's."""

from __future__ import annotations

from functools import lru_cache
from itertools import islice

from backprop_tui.protocol.later import later
from backprop_tui.protocol.names import EXTRA, MEASURE, canonical, kind_of
from backprop_tui.protocol.recognise.pairs import MAX_PAIRS, PAIR, digits

MAX_PARTS = 40
"""Commas that are looked at in what stands in a bar's brackets."""
_TQDM = later(
    r"(?:\d{1,3}+%\|[^|]{0,400}+\|| ?\|[^|]{0,400}+\|(?= *\d+/\?))"
    r" *+(?P<n>\d{1,15}+)/(?P<of>\d{1,15}+|\?) *+"
    r"\[(?P<inside>(?:[^\[\]]|\[[^\[\]]*+\])*+)\]"
)
_COUNT_ONLY = later(r"(?P<n>\d{1,15}+)it \[(?P<inside>(?:[^\[\]]|\[[^\[\]]*+\])*+)\]")
_RICH = later(
    r"(?:(?<![━╸╺])[━╸╺]{1,400}+ {1,400}+|(?<! ) {20,400}+)(?P<n>\d{1,15}+)/(?P<of>\d{1,15}+)"
    r" \d{1,3}:\d\d:\d\d • [\d:-]{1,12}+ (?:[\d.]{1,12}+it/s)?"
)
_FASTAI = later(r"\|[█-]{4,200}+\| \d{1,3}\.\d\d% \[(?P<n>\d{1,15}+)/(?P<of>\d{1,15}+) [\d:]{1,12}+<[^\]]{0,80}+\]")
_RATE = later(r"(?:\d|\?) {0,3}([A-Za-z]{1,16}+)/s|s/([A-Za-z]{1,16}+)")
_EPOCH = later(r"(?i:\bepochs?|\bep)[ :=#\[(]{0,4}(\d{1,9}+)(?:\.\d+)?(?: ?(?:/|of) ?(\d{1,9}+))?")
_COUNTS_EPOCHS = later(r"(?i:(?:training )?epochs?(?: loop)?)\W*\Z")

_DENIED = (
    "valid", "eval", "test", "sanity", "predict", "infer", "load", "preproc", "postproc", "writ", "map", "download",
    "generat", "token", "filter", "sav", "extract", "fetch", "scan", "cach", "upload", "unpack", "read", "process",
    "prepar", "convert", "build", "comput", "collect", "quantiz", "encod", "decod", "search", "sampl", "resolv",
    "check", "creat", "pack", "group", "sort", "shuffl", "split", "index", "copy", "compil", "captur", "render",
    "plot", "import", "export", "push", "pull", "verif", "transcrib", "translat", "flatten", "casting", "files",
    "shards", "examples", "layers", "frames",
)  # fmt: skip
"""Beginnings of words in the descriptions of bars that are no training's."""
_DENIED_WORDS = frozenset({"val", "dev", "inference", "tuning", "pip", "batches:", "image", "images"})
_TRAINING_WORDS = ("train", "epoch", "step", "iter", "batch", "fit", "tun", "learn", "optim", "update")
"""A bar without metrics counts steps only if its description, if it has one, says one of these."""
_UNITS = frozenset(
    {"it", "batch", "batches", "step", "steps", "iter", "epoch", "epochs", "update", "updates", "episode"}
)


class Bar:
    """What one drawing of a bar says."""

    __slots__ = ("counts_epochs", "epoch", "epochs", "has_measure", "key", "n", "of", "values")

    def __init__(self, n: int, of: int | None, key: str, values: dict[str, float]) -> None:
        self.n = n
        self.of = of
        self.key = key
        """The same for all drawings of one bar, whatever numbers its description shows."""
        self.values = values
        self.has_measure = any(kind_of(name) == MEASURE for name in values)
        self.epoch: int | None = None
        self.epochs: int | None = None
        self.counts_epochs = False


def looks_like_bar(line: str) -> bool:
    """A cheap test: lines that fail it hold no bar."""
    return "%|" in line or "it [" in line or " • " in line or "% [" in line or ("/?" in line and "|" in line)


def find_bar(line: str) -> tuple[Bar | None, str, bool]:
    """The bar on a line, what follows it there, and whether there was a bar at all.

    A bar that is not a training's is None: it is drawn by a download, a preparation, an evaluation.
    """
    found = _TQDM.search(line)
    if found is not None:
        of = found["of"]
        drawn = (line[: found.start()], int(found["n"]), None if of == "?" else int(of), found["inside"])
        return _made(*drawn), line[found.end() :], True
    found = _COUNT_ONLY.search(line)
    if found is not None:
        return _made(line[: found.start()], int(found["n"]), None, found["inside"]), line[found.end() :], True
    found = _FASTAI.search(line)
    if found is not None:
        return _made(line[: found.start()], int(found["n"]), int(found["of"]), ""), line[found.end() :], True
    found = _RICH.search(line)
    if found is not None:
        bar = _made(line[: found.start()], int(found["n"]), int(found["of"]), ", , " + line[found.end() :])
        if bar is not None and bar.epoch is not None:  # it counts epochs from 0, and so does its last one
            bar.epoch, bar.epochs = bar.epoch + 1, None if bar.epochs is None else bar.epochs + 1
        return bar, "", True
    return None, line, False


class _Described:
    """What a bar's description says."""

    __slots__ = ("counts_epochs", "epoch", "epochs", "head", "may_hold_pairs")

    def __init__(self, described: str) -> None:
        epoch = _EPOCH.search(described)
        self.head = _head(described)
        self.epoch = int(epoch[1]) if epoch is not None else None
        self.epochs = int(epoch[2]) if epoch is not None and epoch[2] else None
        self.counts_epochs = epoch is None and _COUNTS_EPOCHS.match(self.head) is not None
        self.may_hold_pairs = "=" in described or "oss" in described


def _made(described: str, n: int, of: int | None, inside: str) -> Bar | None:
    """The bar with what its description and its end say; None if it is not a training's."""
    said = _description(described)
    if said is None:
        return None
    values = _postfix(inside)
    if said.may_hold_pairs:
        values = {**_pairs_in(described), **values}
    bar = Bar(n, of, f"{said.head} {of}", values)
    if not bar.has_measure:
        rate = _RATE.search(inside)
        if rate is not None and (rate[1] or rate[2]).lower() not in _UNITS:
            return None
        if said.head and not any(word in said.head for word in _TRAINING_WORDS):
            return None
    bar.epoch, bar.epochs, bar.counts_epochs = said.epoch, said.epochs, said.counts_epochs
    return bar


@lru_cache(maxsize=64)
def _description(described: str) -> _Described | None:
    """What stands in front of a bar; None if it says that the bar is no training's."""
    return None if _is_denied(described) else _Described(described)


def _is_denied(described: str) -> bool:
    for word in described.lower().split():
        bare = word.strip("[]():,.|")
        if bare.startswith(_DENIED) or bare in _DENIED_WORDS:
            return True
    return False


def _head(described: str) -> str:
    """The description up to its first number."""
    for at, letter in enumerate(described):
        if letter.isdigit() or letter in "=|[":
            return described[:at].strip(" :(").lower()[:40]
    return described.strip(" :(").lower()[:40]


def _postfix(inside: str) -> dict[str, float]:
    """`, loss=12.1, lr=0.001` at the end of what stands in a bar's brackets."""
    values: dict[str, float] = {}
    for part in inside.split(", ", MAX_PARTS)[2:]:
        name, sign, number = part.partition("=")
        if not sign:
            name, sign, number = part.partition(": ")
        try:
            value = float(number)
        except ValueError:
            values.update(_pairs_in(part))
            continue
        if kind_of(name.partition("(")[0]) in (MEASURE, EXTRA):
            values[canonical(name)] = value
        if len(values) >= MAX_PAIRS:
            break
    return values


def _pairs_in(text: str) -> dict[str, float]:
    values: dict[str, float] = {}
    for found in islice(PAIR.finditer(text), MAX_PAIRS):
        if not found["bad"] and not found["of"] and found["unit"] in (None, "%") and kind_of(found["name"]) == MEASURE:
            values[canonical(found["name"])] = float(digits(found["num"]))
    return values
