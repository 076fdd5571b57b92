"""Tables of a header and rows: under a ruler (`---  -----`), or headed by an epoch and a loss."""

from __future__ import annotations

from backprop_tui.protocol.fields import name_of
from backprop_tui.protocol.later import later
from backprop_tui.protocol.names import BATCH, EPOCH, EXTRA, MEASURE, STEP, kind_of
from backprop_tui.protocol.recognise.report import Counters, Report

MAX_COLUMNS = 40
_RULER = later(r"\s{0,8}-{2,80}+(?: {1,4}-{1,80}+){1,40}\s*+\Z")
_CELL = later(r"-+")
_NO_HEADER = later(r"[:=,.()|]")
_FIRST = {"epoch", "e", "ep", "step", "iter", "iteration", "round", "#"}
_BAR = later(r"\d{1,3}%(?:\|[^|]{0,400}\|| [━╸─╺]{1,200}) (\d{1,12}+)/(\d{1,12}+)\b")
_INTEGER = later(r"(\d{1,12}+)(?:/(\d{1,12}+))?\Z")
_FOR_LINES = 400
"""Lines after which a header without rows is forgotten."""


class Columns:
    """The header in force, and what its rows say."""

    def __init__(self) -> None:
        self._names: list[str] = []
        self._kinds: list[str] = []
        self._starts: list[int] = []
        """Where the columns begin; empty where blanks part them."""
        self._left = 0
        self._scores: list[str] = []
        """Names of the scores that the next row tells of all classes."""

    @property
    def is_active(self) -> bool:
        return bool(self._names or self._scores)

    def header(self, text: str) -> bool:
        """Take the line for a header, if it reads like one."""
        if _NO_HEADER.search(text) is not None:
            return False
        names = text.split()
        if not 3 <= len(names) <= MAX_COLUMNS or names[0].lower() not in _FIRST:
            return False
        if not all(name[0].isalpha() or name == "#" for name in names):
            return False
        if not any("loss" in name.lower() and kind_of(name) == MEASURE for name in names):
            return False
        self._begin(names, [])
        return True

    def ruler(self, text: str, above: str) -> bool:
        """Take the line for the ruler under the header `above`, if the two fit."""
        if not _RULER.match(text):
            return False
        starts = [found.start() for found in _CELL.finditer(text)]
        ends = [*starts[1:], max(len(above), starts[-1])]
        names = [above[start:end].strip() for start, end in zip(starts, ends, strict=True)]
        kinds = [_kind(name) for name in names]
        if not all(names) or MEASURE not in kinds or not {EPOCH, STEP} & set(kinds):
            return False
        self._begin(names, starts)
        return True

    def scores(self, text: str) -> bool:
        """Take the line for the header over a detector's scores: `Class  Images  Instances  Box(P  R  mAP50)`."""
        names = text.partition("):")[0].split()
        if len(names) < 5 or names[0] != "Class" or len(names) > MAX_COLUMNS:
            return False
        self._scores = [name.rpartition("(")[2].rstrip(")") for name in names]
        return True

    def row(self, text: str) -> Report | None:
        """What the line says as a row; None if it is none."""
        if self._scores and text.lstrip().startswith("all "):
            return self._score_row(text.split())
        if not self._names:
            return None
        self._left -= 1
        if self._left < 0:
            self.drop()
            return None
        cells = self._cut(text) if self._starts else text.split()
        width = len(self._names)
        tail = None
        if len(cells) > width:
            tail = _BAR.search(text)
            if tail is None:
                return None
        elif len(cells) < width:
            return None
        report = self._read(cells[:width])
        if report is not None:
            self._left = _FOR_LINES
            if tail is not None:
                report.counters.batch, report.counters.batches = int(tail[1]), int(tail[2])
        return report

    def _score_row(self, cells: list[str]) -> Report | None:
        names, self._scores = self._scores, []
        if len(cells) != len(names):
            return None
        try:
            values = {name: float(cell) for name, cell in zip(names[3:], cells[3:], strict=True)}
        except ValueError:
            return None
        return Report("columns", values, evaluation="val_")

    def drop(self) -> None:
        self._names = []

    def _begin(self, names: list[str], starts: list[int]) -> None:
        self._names = names
        self._kinds = [_kind(name) for name in names]
        self._starts = starts
        self._left = _FOR_LINES

    def _cut(self, text: str) -> list[str]:
        ends = [*self._starts[1:], len(text)]
        return [text[start:end].strip() for start, end in zip(self._starts, ends, strict=True)]

    def _read(self, cells: list[str]) -> Report | None:
        counters = Counters()
        values: dict[str, float] = {}
        for name, kind, cell in zip(self._names, self._kinds, cells, strict=True):
            if kind in (EPOCH, STEP, BATCH):
                found = _INTEGER.match(cell)
                if found is None:
                    return None
                _count(counters, kind, int(found[1]), int(found[2]) if found[2] else None)
            elif kind in (MEASURE, EXTRA) and (kind == MEASURE or "." in cell):
                try:
                    values[name_of(name)] = float(cell)
                except ValueError:
                    if kind == MEASURE and cell.lower() not in ("", "-", "none", "n/a", "#na#"):
                        return None
        return Report("columns", values, counters) if values and not counters.is_empty else None


def _kind(name: str) -> str:
    return {"e": EPOCH, "#": STEP}.get(name.lower()) or kind_of(name)


def _count(counters: Counters, kind: str, number: int, of: int | None) -> None:
    if kind == EPOCH:
        counters.epoch, counters.epochs = number, of
    elif kind == STEP:
        counters.step, counters.steps = number, of
    else:
        counters.batch, counters.batches = number, of
