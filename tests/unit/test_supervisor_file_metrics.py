"""Which metric files are a training's own, and which points of them are known already."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from backprop_tui.artifacts.seen import Seen
from backprop_tui.model.run import Run, Slice
from backprop_tui.model.spec import SliceSpec
from backprop_tui.model.states import RunState
from backprop_tui.supervisor.file_metrics import FileMetrics, files_of

EVENTS = "events.out.tfevents.1795544791.box.{pid}.0"
NOBODY = 2**22 + 1
"""No process has this number."""


class Gathered:
    """Takes what is read."""

    wants_files, has_files = True, False

    def __init__(self) -> None:
        self.steps: list[Any] = []

    def take_files(self, metrics: list[Any], kinds: tuple[str, ...]) -> None:
        self.steps += [metric.step for metric in metrics]


def a_run(*slices: Slice, sources: tuple[str, ...] = ()) -> Run:
    return Run(id="r", state=RunState.RUNNING, created=0, updated=0, slices=slices, metric_sources=sources)


def a_slice(n: int, last_step: int | None = None) -> Slice:
    return Slice(n=n, state=RunState.RUNNING, started=0.0, box_s=600, last_step=last_step)


def a_spec(resume_step: int | None = None) -> SliceSpec:
    return SliceSpec(
        run_id="r", n=1, created=0, command=("x",), is_command=True, cwd="/", interpreter=None, interpreter_origin="",
        framework="unknown", declared_flags=(), settings={}, env={}, recorded_env={}, resume_step=resume_step,
    )  # fmt: skip


def looked(path: Path, *, pids: tuple[int, ...] = (), opened: tuple[str, ...] = (), is_ours: bool = True) -> list[Any]:
    gathered: Any = Gathered()
    metrics = FileMetrics(gathered, files_of(a_run(a_slice(1)), a_spec()), lambda _path: is_ours)
    metrics.learn(pids, opened)
    info = path.stat()
    metrics.look([Seen(path=str(path), size=info.st_size, mtime_ns=info.st_mtime_ns)], 10.0)
    steps: list[Any] = gathered.steps
    return steps


def test_an_event_file_belongs_to_the_process_in_its_name(tmp_path: Path) -> None:
    whole = (Path(__file__).parent.parent / "captures" / "files" / "lightning-tensorboard" / "version_0").iterdir()
    data = next(whole).read_bytes()
    path = tmp_path / EVENTS.format(pid=os.getpid())
    path.write_bytes(data)
    assert looked(path, pids=(os.getpid(),), is_ours=False)
    assert looked(path), "nobody writes it now"
    with path.open("ab"):
        assert looked(path, pids=(os.getpid(),))
        assert not looked(path), "a process that is none of the training's writes it"
    ended = tmp_path / EVENTS.format(pid=NOBODY)
    ended.write_bytes(data)
    assert looked(ended)
    assert not looked(ended, is_ours=False)


def test_a_table_that_the_training_holds_open_is_its_own(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    path.write_text("step,loss\n1,2.0\n")
    assert looked(path, opened=(str(path),), is_ours=False) == [1]
    assert looked(path, is_ours=False) == []


@pytest.mark.parametrize(
    ("run", "resume_step", "steps"),
    [
        (a_run(a_slice(1)), None, [1, 2, 3, 4]),
        # Its supervisor was killed: what it took is known.
        (a_run(a_slice(1, 2), sources=("csv",)), None, [3, 4]),
        (a_run(a_slice(1, 2), sources=("bar",)), None, [1, 2, 3, 4]),
        # It goes on behind its checkpoint.
        (a_run(a_slice(1, 3), a_slice(2), sources=("csv",)), 2, [3, 4]),
        (a_run(a_slice(1, 3), a_slice(2), sources=("csv",)), None, [1, 2, 3, 4]),
        # The checkpoint's number counts something else than these steps.
        (a_run(a_slice(1, 3), a_slice(2), sources=("csv",)), 500, [1, 2, 3, 4]),
    ],
)
def test_what_is_known_already(tmp_path: Path, run: Run, resume_step: int | None, steps: list[int]) -> None:
    path = tmp_path / "metrics.csv"
    path.write_text("step,loss\n" + "".join(f"{step},2.0\n" for step in (1, 2, 3, 4)))
    info = path.stat()
    seen = Seen(path=str(path), size=info.st_size, mtime_ns=info.st_mtime_ns)
    assert [metric.step for metric in files_of(run, a_spec(resume_step)).take([seen], 10.0)] == steps
