"""Where a slice's metrics come from: what it prints, or the files that it writes; never both. Pure."""

from __future__ import annotations

from backprop_tui.model.events import Metric, Progress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from backprop_tui.protocol.parse import Found

OUTPUT, FILES = "output", "files"
FILE_KINDS = frozenset({"tensorboard", "csv", "json_lines", "trainer_state"})
"""What a run's record calls metric files."""
WAIT_S = 5.0
"""Files that have points count once nothing was printed for so long."""
PREFERRED_WAIT_S = 60.0
"""As long as this what is printed waits for the files that the slice before was read from."""
MAX_HELD = 20_000
"""Metrics that wait for the decision; with so many printed, it is made."""


class MetricSource:
    """Decides once for a slice. What is printed counts if it tells metrics; files count if it does not."""

    def __init__(self, *, follows_files: bool = True, before: Sequence[str] = ()) -> None:
        """`before` is what gave the metrics of the slice before, as the record names it."""
        self.chosen = "" if follows_files else OUTPUT
        self._prefers_files = not FILE_KINDS.isdisjoint(before)
        self._printed: list[Metric] = []
        self._filed: list[Metric] = []
        """What waits for the decision."""
        self._since: float | None = None
        """When the first of it came."""
        self._bar: int | float | None = None
        self.has_one_axis = False
        """The counters that are printed and the steps in the files are the same."""

    @property
    def holds_printed(self) -> bool:
        """Whether something that was printed waits, and may still count."""
        return not self.chosen and bool(self._printed)

    def of_output(self, found: list[Found], now: float, *, is_last: bool = False) -> list[Found]:
        """What counts of what was printed; `now` is monotonic seconds."""
        metrics = [item for item in found if type(item) is Metric]
        if self.chosen == OUTPUT:
            return found
        if self.chosen == FILES:
            return [kept for item in found if type(item) is not Metric and (kept := self._counted(item)) is not None]
        self._note_bar(found)
        if not metrics:
            return found
        others = [item for item in found if type(item) is not Metric]
        self._hold(self._printed, metrics, now, limit=MAX_HELD + len(metrics))  # none is lost by the decision
        self._decide(now, is_last=is_last)
        # In its order, where there is nothing to wait for.
        if self.chosen == OUTPUT and len(self._printed) == len(metrics):
            self._printed = []
            return found
        return [*others, *self._released(self._printed, OUTPUT)]

    def of_files(self, metrics: list[Metric], now: float, *, is_last: bool = False) -> list[Metric]:
        """What counts of what was read in files."""
        if self.chosen == OUTPUT:
            return []
        self._hold(self._filed, metrics, now)
        self._decide(now, is_last=is_last)
        metrics = self._released(self._filed, FILES)
        if metrics and not self.has_one_axis:
            self.has_one_axis = _is_same(metrics[-1].step, self._bar)
        return metrics

    def late(self) -> list[Metric]:
        """What was printed and has waited in vain for files."""
        return self._released(self._printed, OUTPUT)

    def _decide(self, now: float, *, is_last: bool) -> None:
        if self.chosen or self._since is None or not (self._printed or self._filed):
            return
        waited = is_last or now - self._since >= (PREFERRED_WAIT_S if self._prefers_files else WAIT_S)
        waited = waited or len(self._printed) >= MAX_HELD
        if self._prefers_files:
            self.chosen = FILES if self._filed else OUTPUT if waited else ""
        elif self._printed:
            # A line that sums up at the end does not outweigh the curve that lies in a file.
            self.chosen = OUTPUT if len(self._printed) >= len(self._filed) else FILES
        elif waited:
            self.chosen = FILES

    def _hold(self, held: list[Metric], metrics: list[Metric], now: float, *, limit: int = MAX_HELD) -> None:
        if metrics and self._since is None:
            self._since = now
        held += metrics[: limit - len(held)]

    def _released(self, held: list[Metric], source: str) -> list[Metric]:
        if self.chosen != source:
            return []
        released = list(held)
        held.clear()
        return released

    def _note_bar(self, found: list[Found]) -> None:
        for item in found:
            if isinstance(item, Progress) and item.step is not None:
                self._bar = item.step

    def _counted(self, item: Found) -> Found | None:
        """Counters that are printed beside the files: steps only where both count the same."""
        if not isinstance(item, Progress):
            return item
        if item.step is not None:
            self._bar = item.step
        if self.has_one_axis:
            return item
        return item.replace(step=None, total=None) if item.epoch is not None or item.epochs is not None else None


def _is_same(step: int | float, bar: int | float | None) -> bool:
    """Whether the newest step in a file can be where a bar stands: files lag behind, and may count epochs instead."""
    return bar is not None and step > 2 and bar / 2 <= step <= bar + 1
