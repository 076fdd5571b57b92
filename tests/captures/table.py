"""The captures, what a person reading each would write down, and how much of it the reader finds.

A file `expected/<capture>.tsv` holds a line for every value: step, name, value as printed; and `checkpoint`, path for
every sentence that tells of one. One item is one value at one step.

What a person is taken to write down: steps on the run's one axis; of a bar the newest values at each count, where
they are not those that it showed before; of an evaluation that goes on batch by batch its final means; the training
loss as `loss`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from backprop_tui.model.events import CheckpointReport, Metric
from backprop_tui.protocol.lines import LineSplitter
from backprop_tui.protocol.reading import Reading

HERE = Path(__file__).parent
CAPTURES = sorted(
    path for place in (HERE, HERE / "frameworks") for path in place.iterdir() if path.suffix in (".out", ".err", ".log")
)
ORDINARY = sorted((HERE / "ordinary").glob("*.txt"))
CHUNK = 64
RESUMED_AT = {
    "accelerate_loop": 450,
    "ddp_loop": 550,
    "hf_trainer": 550,
    "imagenet_style": 150,
    "keras_fit": 3696,
    "lightning_tqdm": 1300,
    "one_file": 500,
    "sb3_ppo": 38000,
    "tqdm_loop": 500,
    "xgb_train": 300,
}
"""The step of the checkpoint from which `<name>.resumed.log` goes on."""

Item = tuple[object, ...]


def lines_of(path: Path) -> list[str]:
    """The lines as the supervisor cuts them."""
    splitter = LineSplitter()
    return [*splitter.feed(path.read_bytes()), *splitter.flush()]


def reader_of(path: Path) -> Reading:
    """A new reader for the capture; that of a resumed one knows what the one before it left."""
    name, _, rest = path.name.partition(".")
    if not rest.startswith("resumed"):
        return Reading()
    before = Reading()
    before.feed(lines_of(path.with_name(f"{name}.log")))
    before.rest()
    return Reading(context=json.loads(json.dumps(before.context)), resumed_at=RESUMED_AT[name])


def read(lines: Sequence[str], reading: Reading | None = None, chunk: int = CHUNK) -> list[object]:
    """All that the reader finds in the lines."""
    reading = reading or Reading()
    found: list[object] = []
    for start in range(0, len(lines), chunk):
        found += reading.feed(list(lines[start : start + chunk]))
    return found + list(reading.rest())


def items(found: Sequence[object]) -> list[Item]:
    """What was found, one item for each value and each checkpoint."""
    flat: list[Item] = []
    for one in found:
        if isinstance(one, Metric):
            flat += [(one.step, name, _same_nan(value)) for name, value in one.values.items()]
        elif isinstance(one, CheckpointReport):
            flat.append(("checkpoint", one.path))
    return flat


def expected(path: Path) -> list[Item]:
    """What is to be found in a capture."""
    flat: list[Item] = []
    for line in (HERE / "expected" / f"{path.name}.tsv").read_text().splitlines():
        first, *rest = line.split("\t")
        if first == "checkpoint":
            flat.append((first, rest[0]))
        else:
            flat.append((int(first), rest[0], _same_nan(float(rest[1]))))
    return flat


def _same_nan(value: float) -> object:
    return "nan" if value != value else value


class Score:
    """How much was found of what there is, and how much of what was found is true."""

    def __init__(self) -> None:
        self.hits = self.found = self.there = 0
        self.wrong: dict[str, list[Item]] = {}
        self.missed: dict[str, list[Item]] = {}

    def add(self, name: str, found: Sequence[Item], there: Sequence[Item]) -> None:
        got, want = Counter(found), Counter(there)
        self.hits += (got & want).total()
        self.found += got.total()
        self.there += want.total()
        if wrong := list((got - want).elements()):
            self.wrong[name] = wrong
        if missed := list((want - got).elements()):
            self.missed[name] = missed

    @property
    def precision(self) -> float:
        return self.hits / self.found if self.found else 1.0

    @property
    def recall(self) -> float:
        return self.hits / self.there if self.there else 1.0

    def summary(self) -> str:
        misses = "; ".join(f"{name}: {len(missed)} missed" for name, missed in self.missed.items()) or "none missed"
        return (
            f"{len(CAPTURES)} captures, {self.there} items: precision {self.precision:.4f}, "
            f"recall {self.recall:.4f} ({misses})"
        )


def score() -> Score:
    """Over all captures."""
    whole = Score()
    for path in CAPTURES:
        whole.add(path.name, items(read(lines_of(path), reader_of(path))), expected(path))
    return whole
