"""Reads lines that are not our own JSON: hands each to the recognisers that may know it.

What follows a bar on the same line is read as a line of its own, and so are the parts that several ranks wrote onto
one line. Tracebacks are passed over whole. Cheap tests sort out most lines before any pattern is tried.
"""

from __future__ import annotations

from backprop_tui.protocol.later import later
from backprop_tui.protocol.names import eval_prefix
from backprop_tui.protocol.placing import Placing
from backprop_tui.protocol.recognise.bars import find_bar, looks_like_bar
from backprop_tui.protocol.recognise.columns import Columns
from backprop_tui.protocol.recognise.dicts import read_dict
from backprop_tui.protocol.recognise.keras import looks_like_keras, read_keras
from backprop_tui.protocol.recognise.pairs import read_pairs
from backprop_tui.protocol.recognise.phrases import read_phrase
from backprop_tui.protocol.recognise.rounds import looks_like_round, read_round
from backprop_tui.protocol.recognise.tables import Table, is_border
from backprop_tui.protocol.trim import MAX_LINE, unprefixed, without_escapes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

    from backprop_tui.model.events import CheckpointReport
    from backprop_tui.protocol.recognise.report import Report
    from backprop_tui.protocol.telling import Telling

_MEASURES = (
    "loss", "acc", "ppl", "perplex", "rew", "auc", "mse", "mae", "f1", "nll", "iou", "dice", "bleu", "rouge", "wer",
    "cer", "psnr", "ssim", "fid", "map", "cost", "return", "top1", "top5", "elbo", "bpb", "bpc", "ndcg", "mrr",
    "r2", "lpips", "likelihood",
)  # fmt: skip
"""A line without any of these, in small letters, tells no measure."""
_MAX_HEADER = 80
_RANK_MARK = later(r"\[(?:rank|RANK|Rank|default)[ _]?(\d{1,5})\]")
_TRACEBACK = "Traceback (most recent"
_TRACEBACK_LINES = 3000
_SILENT_LINES = 40
"""After so many lines of other ranks there will be none of rank 0."""


class Plain:
    """The reader of one slice's plain lines."""

    def __init__(self, telling: Telling, placing: Placing, without: Collection[str]) -> None:
        self.is_muted = False
        """The script tells its metrics as JSON: only checkpoints are read here."""
        self._telling = telling
        self._placing = placing
        self._without = frozenset(without)
        self._table = Table()
        self._columns = Columns()
        self._above = ""
        self._traceback = 0
        """Lines that may still belong to the traceback at hand."""
        self._rank: int | None = None
        """Whose lines are read."""
        self._silent_lines = 0
        self._begun: CheckpointReport | None = None
        self._skips_next = False

    def line(self, line: str) -> None:
        """Take up one line."""
        if len(line) > MAX_LINE:
            return
        if self._telling.is_waiting:
            self._telling.grow_older()
        if "\x1b" in line:
            line = without_escapes(line)
        if not self.is_muted and self._is_row(line):
            return
        if looks_like_bar(line):
            bar, line, was_bar = find_bar(line)
            if bar is not None and not self.is_muted and "bar" not in self._without:
                self._placing.bar(bar)
            if was_bar and not line.strip():
                return
        marks = list(_RANK_MARK.finditer(line)) if line.find("[", 1) > 0 else ()
        if len(marks) < 2:
            self._message(line)
            return
        for one, following in zip(marks, [*marks[1:], None], strict=True):
            self._message(line[one.start() : following.start() if following else len(line)])

    def rest(self, open_line: str) -> None:
        """Nothing more comes for now; a bar's newest drawing may be a line whose end has not come."""
        if self._telling.is_waiting and not self.is_muted and "bar" not in self._without and looks_like_bar(open_line):
            bar, _rest, _was_bar = find_bar(without_escapes(open_line))
            if bar is not None:
                self._placing.bar(bar)
        self._end_begun()
        self._telling.flush()

    def _message(self, line: str) -> None:
        at = line.find(_TRACEBACK)
        if at > 0 and line[at - 1] not in " :]":  # it broke into a line
            self._message(line[:at])
            line, at = line[at:], 0
        if (at >= 0 or self._traceback) and self._is_in_traceback(line, begins=at >= 0):
            return
        if self._table.is_open and line[:1] == "|" and self._table.row(line):
            return
        text, rank = unprefixed(line)
        text = text.strip()
        if rank is not None and not self._follows(rank):
            return
        low = text.lower()
        if self._begun is not None and not ("sav" in low and self._begun.path in text):
            self._end_begun()
        if self._skips_next:
            self._skips_next = False
            return
        if "phrase" not in self._without and self._is_phrase(text, low):
            return
        if text and not self.is_muted:
            self._read(line, text, low)
        self._above = line

    def _follows(self, rank: int) -> bool:
        """Whether this rank's lines are read: rank 0's, or another's where rank 0 is silent."""
        if rank == 0:
            self._rank = 0
        elif self._rank is None:
            self._silent_lines += 1
            if self._silent_lines > _SILENT_LINES:
                self._rank = rank
        return rank == self._rank

    def _is_in_traceback(self, line: str, *, begins: bool) -> bool:
        if begins:
            self._traceback = _TRACEBACK_LINES
            return True
        self._traceback -= 1
        mark = _RANK_MARK.match(line)
        text = line[mark.end() :].lstrip(":")[1:] if mark else line
        if text[:1] not in (" ", "\t", ""):
            self._traceback = 0  # the exception itself
        return True

    def _is_phrase(self, text: str, low: str) -> bool:
        found = read_phrase(text, low)
        if found is None:
            return False
        report, is_begun = found
        begun, self._begun = self._begun, None
        if begun is not None and begun.path != report.path:
            self._telling.found.append(begun)
        self._telling.end_holding()
        if is_begun:
            self._begun = report  # the next line may say that it is done
        else:
            self._telling.found.append(report)
        return True

    def _end_begun(self) -> None:
        if self._begun is not None:
            self._telling.found.append(self._begun)
            self._begun = None

    def _is_row(self, line: str) -> bool:
        """Whether the line is a row of a table with a header, or the header over a detector's scores."""
        if self._columns.is_active and (report := self._columns.row(line)) is not None:
            self._placing.row(report)
            return True
        return "mAP50" in line and self._columns.scores(line)

    def _read(self, line: str, text: str, low: str) -> None:
        """A message that may tell metrics: which recogniser knows it?"""
        without = self._without
        if text[0] == "-" and self._is_ruled(line):
            return
        if looks_like_keras(text, low) and (keras := read_keras(text)) is not None:
            if "keras" not in without:
                self._placing.keras(keras)
            return
        if "est iteration is" in low or "best iteration:" in low:
            self._skips_next = True  # a round that was told before
            return
        if "columns" not in without and "loss" in low and self._columns.header(text):
            return
        report: Report | None = None
        if looks_like_round(text) and (report := read_round(text)) is not None:
            name = "rounds"
        elif text[-1] == ":" or not _tells_measure(low):
            self._read_header(text, low)
            return
        elif "{" in text:
            name, report = "dict", read_dict(text)
        else:
            name, report = "pairs", read_pairs(text, low)
        if report is not None and name not in without:
            self._placing.report(report, line)

    def _is_ruled(self, line: str) -> bool:
        """Borders of tables, rulers under headers."""
        if is_border(line.strip()):
            report = self._table.border()
            if report is not None and "table" not in self._without:
                self._placing.report(report, line)
            return True
        return "columns" not in self._without and self._columns.ruler(line.rstrip(), self._above)

    def _read_header(self, text: str, low: str) -> None:
        """A line without values may say where those of the next lines belong."""
        self._placing.grow_older()
        if len(text) > _MAX_HEADER:
            return
        if "epoch" in low and ("=" not in text or text[0] == "["):
            report = read_pairs(text, low)
            if report is not None and not report.values:
                self._placing.header(report)
        elif text[-1] == ":" and (prefix := eval_prefix(text)):
            self._placing.evaluation_header(prefix)


def _tells_measure(low: str) -> bool:
    return any(measure in low for measure in _MEASURES)
