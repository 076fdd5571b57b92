"""What a comparison of runs needs: their curves, and what differs between what they were asked."""

from __future__ import annotations

import threading

from backprop_tui.errors import BackpropError
from backprop_tui.frozen import Frozen
from backprop_tui.model.secrets import masked_args
from backprop_tui.watch.curves import CurveReader
from backprop_tui.watch.metrics import main_first
from backprop_tui.watch.record import Record, read_record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from backprop_tui.model.spec import SliceSpec
    from backprop_tui.store.home import Home
    from backprop_tui.watch.curves import Curve

MOST = 6
_QUIET = frozenset({"python", "stopSignal", "graceSeconds", "buffered", "maxLogMB"})
_QUIET_TABLES = ("metrics.", "checkpoints.", "resume.")


class Compared(Frozen):
    """One of the runs."""

    record: Record
    curves: dict[str, Curve]
    parameters: dict[str, str]
    """What it was asked, by name."""

    @property
    def name(self) -> str:
        return self.record.notes.name or self.record.run.id

    @property
    def speed(self) -> float | None:
        """Steps a second over all its slices, pauses left out; None where it says nothing of steps or time."""
        steps = took = 0.0
        for piece in self.record.run.slices:
            used = piece.used_s or (piece.ended or self.record.t) - piece.started
            if piece.first_step is not None and piece.last_step is not None and used > 0:
                steps, took = steps + piece.last_step - piece.first_step, took + used
        return steps / took if steps > 0 and took > 0 else None

    def value_at(self, metric: str, step: float) -> float | None:
        """The metric where the run was at a step: the newest value up to it."""
        curve = self.curves.get(metric)
        return None if curve is None else curve.value_at(step)


class Comparison:
    """Some runs, looked at again and again: only what is new is read."""

    def __init__(self, home: Home, ids: Sequence[str]) -> None:
        self._home = home
        self._readers = {run_id: CurveReader(home, run_id) for run_id in ids[:MOST]}
        self._lock = threading.Lock()

    def read(self) -> list[Compared]:
        """The runs as they are now; those that cannot be read are left out. From any thread."""
        with self._lock:
            return [found for run_id in self._readers if (found := self._read(run_id)) is not None]

    def _read(self, run_id: str) -> Compared | None:
        try:
            record = read_record(self._home, run_id)
        except (BackpropError, OSError):
            return None
        reader = self._readers[run_id]
        while reader.read(record.run.slices):
            pass
        parameters = parameters_of(record.spec) if record.spec is not None else {}
        newest = record.run.slice
        parameters["GPU"] = ",".join(newest.gpus) if newest and newest.gpus else "none"
        curves = {name: curve.copy() for name, curve in reader.curves.items()}
        return Compared(record=record, curves=curves, parameters=parameters)


def common_metrics(runs: Sequence[Compared]) -> list[str]:
    """The metrics that all have: what speaks for them in front, the others in the order of the first run."""
    if not runs:
        return []
    return main_first(name for name in runs[0].curves if all(name in run.curves for run in runs))


def last_common_step(runs: Sequence[Compared], metric: str) -> float | None:
    """The last step that all have of a metric."""
    ends = [run.curves[metric].furthest for run in runs if metric in run.curves]
    return min(ends) if len(ends) == len(runs) and ends else None


class Differences(Frozen):
    """Parameters by name, with each run's value; "" where a run has none of the name."""

    differing: list[tuple[str, list[str]]]
    same: list[tuple[str, list[str]]]


def differences(runs: Sequence[Compared]) -> Differences:
    """What differs between the runs, and what does not."""
    names = list(dict.fromkeys(name for run in runs for name in run.parameters))
    rows = [(name, [run.parameters.get(name, "") for run in runs]) for name in names]
    return Differences(
        differing=[row for row in rows if len(set(row[1])) > 1], same=[row for row in rows if len(set(row[1])) <= 1]
    )


def parameters_of(spec: SliceSpec) -> dict[str, str]:
    """Arguments, settings and versions of a slice as names and values."""
    found = {"script": spec.command[0]}
    found |= arguments(masked_args(spec.command[1:]))
    if commit := spec.git.get("commit"):
        found["git"] = commit[:7]
    found |= {key: _shown(setting.value) for key, setting in spec.settings.items() if not _is_quiet(key)}
    return found


def _is_quiet(key: str) -> bool:
    """Settings that change nothing of what is learned."""
    return key in _QUIET or key.startswith(_QUIET_TABLES)


def _shown(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def arguments(words: Sequence[str]) -> dict[str, str]:
    """--lr 2e-4 and --lr=2e-4 alike; words without a name are numbered."""
    found: dict[str, str] = {}
    name, place = "", 0
    for word in words:
        if word.startswith("-") and not _is_number(word):
            key, equals, value = word.partition("=")
            found[key] = value if equals else "yes"
            name = "" if equals else key
        elif name:
            found[name], name = word, ""
        else:
            place += 1
            found[f"argument {place}"] = word
    return found


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
