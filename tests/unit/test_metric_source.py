"""Where a slice's metrics come from: output or files, decided once, never both."""

from __future__ import annotations

from typing import Any

import pytest

from backprop_tui.model.events import CheckpointReport, Metric, Progress
from backprop_tui.supervisor.metric_source import MAX_HELD, PREFERRED_WAIT_S, WAIT_S, MetricSource

Step = tuple[float, str, list[Any]]
SAVED = CheckpointReport(path="a.pt")


def points(*steps: int) -> list[Any]:
    return [Metric(step, {"loss": float(step)}) for step in steps]


def played(source: MetricSource, moments: list[Step]) -> list[Any]:
    """What counts in the end; a moment is (time, "out" | "file" | "last", items)."""
    counted: list[Any] = []
    for now, kind, items in moments:
        if kind == "out":
            counted += source.of_output(items, now)
        else:
            counted += source.of_files(items, now, is_last=kind == "last")
            counted += source.late()
    return counted


@pytest.mark.parametrize(
    ("before", "moments", "chosen", "steps"),
    [
        # What is printed counts at once, and files never after it.
        ((), [(1, "out", points(1)), (2, "file", points(1, 2)), (9, "file", points(3)), (9, "out", points(2))], "output", [1, 2]),
        # Files count once they have had points for a while and nothing was printed.
        ((), [(1, "file", points(1)), (1 + WAIT_S / 2, "file", points(2)), (1 + WAIT_S, "file", [])], "files", [1, 2]),
        ((), [(1, "file", points(1)), (1 + WAIT_S / 2, "file", [])], "", []),
        # A line at the end does not double the curve.
        ((), [(1, "file", points(1, 2)), (9, "file", points(3)), (10, "out", points(3)), (11, "last", points(4))],
         "files", [1, 2, 3, 4]),
        # Nor does one outweigh what lies in a file already.
        ((), [(1, "file", points(1, 2, 3)), (2, "out", points(3)), (3, "file", points(4))], "files", [1, 2, 3, 4]),
        # A slice that was short.
        ((), [(1, "last", points(1, 2))], "files", [1, 2]),
        ((), [(1, "out", points(1)), (1, "last", [])], "output", [1]),
        # The slice before was read from files: they count at once, and what is printed waits for them.
        (("tensorboard",), [(1, "file", points(1))], "files", [1]),
        (("csv",), [(1, "out", points(1)), (2, "file", points(1, 2)), (3, "out", points(2))], "files", [1, 2]),
        (("csv",), [(1, "out", points(1)), (2, "out", points(2)), (1 + PREFERRED_WAIT_S, "file", [])], "output", [1, 2]),
        (("csv",), [(1, "out", points(1)), (2, "last", [])], "output", [1]),
        # The slice before was read from its output.
        (("dict", "bar"), [(1, "file", points(1)), (2, "out", points(1))], "output", [1]),
    ],
)  # fmt: skip
def test_one_source_counts(before: tuple[str, ...], moments: list[Step], chosen: str, steps: list[int]) -> None:
    source = MetricSource(before=before)
    counted = played(source, moments)
    assert source.chosen == chosen
    assert [item.step for item in counted] == steps


def test_files_are_left_alone_where_a_person_says_so() -> None:
    source = MetricSource(follows_files=False, before=("csv",))
    assert played(source, [(1, "file", points(1)), (99, "file", points(2)), (100, "out", points(1))]) == points(1)


@pytest.mark.parametrize("before", [(), ("tensorboard",)])
def test_all_else_that_is_printed_is_kept(before: tuple[str, ...]) -> None:
    source = MetricSource(before=before)
    counted = played(
        source, [(1, "out", [SAVED, *points(1)]), (2, "file", points(1)), (9, "file", points(2)), (10, "out", [SAVED])]
    )
    assert counted.count(SAVED) == 2


def test_printed_in_its_order() -> None:
    found = [*points(1), SAVED, *points(2)]
    assert MetricSource().of_output(found, 1.0) is found


@pytest.mark.parametrize(
    ("bar", "step", "is_same"),
    [(120, 100, True), (120, 120, True), (119, 120, True), (120, 3, False), (120, 50, False), (2, 2, False), (None, 50, False)],
)  # fmt: skip
def test_counters_beside_files(bar: int | None, step: int, is_same: bool) -> None:
    """A bar goes on counting only where it counts what the files count."""
    source = MetricSource(before=("tensorboard",))
    if bar is not None:
        source.of_output([Progress(step=bar, total=1000)], 0.0)
    source.of_files(points(step), 1.0)
    kept = source.of_output([Progress(step=bar, total=1000, epoch=1.0)], 2.0)
    assert kept == [Progress(step=bar, total=1000, epoch=1.0) if is_same else Progress(epoch=1.0)]
    assert bool(source.of_output([Progress(step=5)], 3.0)) == is_same


def test_as_much_as_may_wait_decides_for_the_output() -> None:
    source = MetricSource(before=("csv",))
    steps = range(MAX_HELD + MAX_HELD // 2)
    counted = source.of_output(points(*steps[: MAX_HELD - 1]), 1.0)
    assert (counted, source.holds_printed) == ([], True)
    counted = source.of_output(points(*steps[MAX_HELD - 1 :]), 2.0)
    assert counted == points(*steps)
    assert (source.chosen, source.holds_printed) == ("output", False)
