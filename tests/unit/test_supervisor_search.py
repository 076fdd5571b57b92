"""What a slice leaves on the disk, seen through its supervisor: histories of looks with a manual clock."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from backprop_tui.engines.base import Exit
from backprop_tui.model.events import CheckpointReport, Metric
from backprop_tui.model.run import Checkpoint, Run, Slice
from backprop_tui.model.spec import SettingValue
from backprop_tui.model.states import RunState
from backprop_tui.store.folder import RunFolder
from backprop_tui.store.home import Home
from backprop_tui.store.index import Index
from backprop_tui.supervisor import search as module
from backprop_tui.supervisor.claims import Claims
from backprop_tui.supervisor.outputs import Outputs
from backprop_tui.supervisor.steps import StepTimes
from tests.unit.made_checkpoints import state_dict, torch_zip
from tests.unit.test_supervisor_loop import GRACEFUL, Stage


class Case:
    """A slice that has run for a while in a folder of its own."""

    def __init__(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, command: tuple[str, ...] = ("x",)) -> None:
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        self.work = tmp_path / "work"
        self.work.mkdir()
        self.stage = Stage(tmp_path, GRACEFUL)
        self.clock = self.stage.clock
        start = time.time() - 1000
        # Near the filesystem's own time.
        monkeypatch.setattr(self.clock, "epoch", lambda: start + self.clock.now)
        self.recorder = self.stage.recorder
        self.recorder.amend_slice(started=self.clock.epoch() - 500)
        self.home = Home(str(tmp_path / "home"))
        self.written = 0
        self.opened: list[str] = []
        monkeypatch.setattr(module, "written_by", lambda _pids: self.written)
        monkeypatch.setattr(module, "open_for_writing", lambda _pids: self.opened)
        self.spec = self.stage.spec.replace(cwd=str(self.work), command=command)
        self.outputs = self.made()

    def made(self, **settings: Any) -> Outputs:
        spec = self.spec.replace(settings={key: SettingValue(value=v, origin="flag") for key, v in settings.items()})
        return Outputs(spec, self.recorder, self.clock, home=self.home, pids=lambda: (1,))

    def save(self, name: str, tensors: int = 2, *, mine: bool = True, whole: bool = True) -> Path:
        path = self.work / name
        path.parent.mkdir(parents=True, exist_ok=True)
        torch_zip(path, state_dict(tensors), [str(n) for n in range(tensors if whole else 1)])
        os.utime(path, (self.clock.epoch(), self.clock.epoch()))
        self.written += path.stat().st_size * mine
        return path

    def looks(self, count: int = 2) -> None:
        for _ in range(count):
            self.clock.now += 2
            self.outputs.look()

    @property
    def found(self) -> list[tuple[str, int | None, bool | None, str]]:
        return [(os.path.relpath(c.path, self.work), c.step, c.good, c.found) for c in self.recorder.run.checkpoints]


@pytest.fixture
def case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Case:
    return Case(tmp_path, monkeypatch)


def test_a_found_checkpoint_is_recorded_with_its_verdict(case: Case) -> None:
    case.recorder.take([Metric(7, {"loss": 1.0})])
    path = case.save("out/ckpt.pt")
    case.looks()
    assert case.found == [("out/ckpt.pt", 7, True, "folder")]
    saved = case.recorder.run.checkpoints[0]
    assert (saved.kind, saved.size, saved.slice) == ("torch", path.stat().st_size, 1)
    assert saved.t == pytest.approx(path.stat().st_mtime, abs=0.001)
    assert case.recorder.run.checkpoint_count == 1
    assert [c.path for c in case.stage.folder.checkpoints()] == [str(path)]
    case.looks(3)
    assert case.recorder.run.checkpoint_count == 1
    case.save("out/ckpt.pt", 3)
    case.looks()
    assert (case.recorder.run.checkpoint_count, len(case.found)) == (1, 1)


def test_another_programs_files_are_not_taken(case: Case) -> None:
    for n in range(5):
        case.save("theirs/ckpt.pt", 2 + n, mine=False)
        case.looks()
    assert case.found == []
    case.save("mine/ckpt.pt", 30)
    case.looks()
    assert case.found == [("mine/ckpt.pt", None, True, "folder")]


def test_a_folder_in_which_the_training_holds_a_file_open_is_its_own(case: Case, tmp_path: Path) -> None:
    far = tmp_path / "far" / "run1"
    far.mkdir(parents=True)
    case.opened = [str(far / "events.out.tfevents.1"), "/tmp/x", str(case.work / ".git" / "y"), str(case.work / "z")]
    case.looks(1)
    case.save("../far/run1/ckpt.pt", mine=False)
    case.looks()
    assert case.found == [("../far/run1/ckpt.pt", None, True, "folder")]
    search = case.outputs._search
    assert search is not None
    assert search._places.tops == {str(case.work), str(far)}


def test_a_named_folder_needs_no_proof(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case(tmp_path, monkeypatch, command=("train.py", "--output_dir", "../o", "--data_dir=data"))
    case.save("../o/ckpt.pt", mine=False)
    case.save("data/ckpt.pt")
    case.looks()
    assert case.found == [("../o/ckpt.pt", None, True, "folder")]


def test_a_folder_that_another_run_has_named_is_not_ours(case: Case) -> None:
    case.home.ensure()
    other = case.home.new_run("other")
    other.write_spec(case.spec.replace(run_id="other", command=("train.py", "--out", "b")))
    case.save("b/ckpt.pt")
    case.save("a/ckpt.pt")
    case.looks()
    assert case.found == [("a/ckpt.pt", None, True, "folder")]


def test_claims_follow_the_runs_that_are_active(case: Case) -> None:
    case.home.ensure()
    claims = Claims(case.home, "r1", case.clock.epoch())
    assert not claims.hold(str(case.work / "b" / "x"))
    for run_id, command in (("other", ("t.py", "--out", "b")), ("broken", None)):
        folder = case.home.new_run(run_id)
        if command:
            folder.write_spec(case.spec.replace(run_id=run_id, command=command))
        os.utime(case.home.active, ns=(5, 5))
    assert claims.hold(str(case.work / "b" / "x"))
    assert not claims.hold(str(case.work / "bb" / "x"))
    case.home.clear_active("other")
    assert claims.hold(str(case.work / "b" / "x")), "what it wrote last is still its own"


def neighbour(case: Case, run_id: str, *words: str, state: str = "running", ended: float | None = None) -> RunFolder:
    """Another run in the same working directory, which began before this slice."""
    case.home.ensure()
    folder = case.home.new_run(run_id)
    folder.write_spec(case.spec.replace(run_id=run_id, command=("train.py", *words)))
    piece = Slice(n=1, state=RunState(state), started=case.clock.epoch() - 600, ended=ended, box_s=60)
    run = Run(id=run_id, state=piece.state, created=piece.started, updated=piece.started, slices=(piece,))
    folder.write_run(run)
    return folder


def end_unseen(case: Case, folder: RunFolder) -> None:
    """As it is when a run has ended: the index knows of it, and its mark has gone."""
    index = Index(case.home)
    index.refresh([folder])
    index.close()
    case.home.clear_active(folder.id)


def lettered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *words: str) -> Case:
    """A script that saves to the folder that it is told."""
    case = Case(tmp_path, monkeypatch, command=("train.py", *words))
    (case.work / "train.py").write_text("save(f'{out}/step_{n}.pt'); save(f'mine/step_{n}.pt')")
    return case


@pytest.mark.parametrize(
    ("theirs", "ours"), [(("--out", "iA"), ("--out", "iB")), (("iA",), ("iB",)), (("--out", "iA"), ()), ((), ("iB",))]
)
def test_a_neighbour_that_ended_before_the_first_look_keeps_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, theirs: tuple[str, ...], ours: tuple[str, ...]
) -> None:
    case = lettered(tmp_path, monkeypatch, *ours)
    other = neighbour(case, "a", *theirs, state="timeboxed", ended=case.clock.epoch() + 1)
    end_unseen(case, other)
    case.save("iA/step_60.pt")
    case.looks(6)
    assert case.found == []
    case.save("iB/step_7.pt" if ours else "mine/step_7.pt")
    case.looks()
    assert [c.step for c in case.recorder.run.checkpoints] == [7]


def test_what_another_run_has_on_record_is_not_ours(case: Case) -> None:
    other = neighbour(case, "a")
    path = case.save("checkpoints/step_60.pt")
    saved = {"path": str(path), "step": 60, "t": case.clock.epoch(), "slice": 1, "good": True}
    Path(other.file("checkpoints.jsonl")).write_text(json.dumps(saved) + "\n")
    case.looks(4)
    assert case.found == []
    case.save("checkpoints/step_60.pt")
    case.looks()
    assert case.found == [("checkpoints/step_60.pt", 60, True, "folder")], "it was written over since"


@pytest.mark.parametrize(("state", "ended"), [("queued", None), ("timeboxed", -501.0)])
def test_one_that_waits_or_ended_before_is_no_neighbour(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: str, ended: float | None
) -> None:
    case = lettered(tmp_path, monkeypatch)
    neighbour(case, "a", state=state, ended=None if ended is None else case.clock.epoch() + ended)
    case.save("anew/step_60.pt")
    case.looks()
    assert case.found == [("anew/step_60.pt", 60, True, "folder")]


def test_in_company_only_a_known_folder_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case = lettered(tmp_path, monkeypatch)
    other = neighbour(case, "a", state="queued")
    case.save("anew/step_60.pt")
    case.looks()
    other.write_run(other.read_run().replace(state=RunState.RUNNING, slices=(made_running(other),)))
    case.save("other/step_61.pt")
    case.looks(4)
    case.save("anew/step_62.pt")
    case.save("checkpoints/step_63.pt")
    case.looks()
    assert [c.step for c in case.recorder.run.checkpoints] == [60, 62, 63]


def made_running(folder: RunFolder) -> Slice:
    return folder.read_run().slices[0].replace(state=RunState.RUNNING)


def test_watched_patterns_come_from_the_settings(case: Case) -> None:
    case.outputs = case.made(**{"checkpoints.watch": ("w/*.state",)})
    case.save("w/a.state", mine=False)
    case.looks()
    assert case.found == [("w/a.state", None, True, "folder")]


def test_what_the_script_reports_is_not_doubled(case: Case) -> None:
    path = case.save("out/ckpt.pt")
    case.recorder.take([CheckpointReport(path="work/out/ckpt.pt", step=5)])
    case.recorder.judge()
    case.looks(4)
    case.outputs.look_once_more(is_cut=True)
    assert case.found == [("out/ckpt.pt", 5, True, "event")]
    assert case.recorder.run.checkpoint_count == 1
    assert path.exists()


def test_a_report_of_one_that_was_seen_before_says_more_of_it(case: Case) -> None:
    case.save("out/ckpt.pt")
    case.looks()
    case.recorder.take([CheckpointReport(path="work/out/ckpt.pt", step=5)])
    assert case.found == [("out/ckpt.pt", 5, True, "event")]
    assert case.recorder.run.checkpoint_count == 1
    case.save("out/ckpt.pt", 3)
    case.recorder.take([CheckpointReport(path="work/out/ckpt.pt", step=6)])
    assert case.recorder.run.checkpoint_count == 1


def test_a_path_in_the_output_is_followed_until_it_is_whole(case: Case) -> None:
    case.recorder.take([CheckpointReport(path="work/out/odd-name", step=5, found="phrase")])
    assert case.found == []
    case.looks()
    case.save("out/odd-name", whole=False)
    case.looks(4)
    assert case.found == []
    case.save("out/odd-name")
    case.looks()
    assert case.found == [("out/odd-name", 5, True, "phrase")]
    assert case.recorder.run.checkpoint_count == 1


def test_one_cut_by_the_end_is_recorded_as_bad(case: Case) -> None:
    case.save("out/step_5.pt")
    case.looks()
    case.save("out/step_6.pt", whole=False)
    case.clock.now += 1
    case.outputs.look_once_more(is_cut=True)
    assert case.found == [("out/step_5.pt", 5, True, "folder"), ("out/step_6.pt", 6, False, "folder")]
    assert "1 of its 2 tensors" in case.recorder.run.checkpoints[-1].why


def test_what_was_written_long_after_the_end_is_not_the_runs(case: Case) -> None:
    case.save("out/step_5.pt")
    case.clock.now += 100
    ended = case.clock.epoch()
    os.utime(case.work / "out" / "step_5.pt", (ended - 20, ended - 20))
    case.clock.now += 100
    case.save("out/step_6.pt")
    case.outputs.look_once_more(is_cut=True, ended=ended)
    assert case.found == [("out/step_5.pt", 5, True, "folder")]


def test_the_best_is_taken_only_where_there_is_nothing_else(case: Case) -> None:
    case.save("best.pt")
    case.looks()
    case.save("last.pt", 3)
    case.looks()
    case.save("best.pt", 4)
    case.looks()
    assert case.found == [("best.pt", None, True, "folder"), ("last.pt", None, True, "folder")]


def test_a_checkpoint_that_is_being_written_is_waited_for_even_if_it_is_the_first(case: Case) -> None:
    path = case.work / "out" / "ckpt.pt"
    path.parent.mkdir()
    path.write_bytes(b"PK\x03\x04 growing")
    now = case.clock.epoch()
    os.utime(path, (now, now))
    case.outputs.glance()
    assert case.recorder.book.is_writing(now)
    assert case.recorder.book.paths == (str(path),)


def test_growing_files_of_other_kinds_are_not_waited_for(case: Case) -> None:
    now = case.clock.epoch()
    for name in ("log.txt", "metrics.json", "events.out.tfevents.1", "metrics.csv"):
        (case.work / name).write_text("{")
        os.utime(case.work / name, (now, now))
    case.outputs.glance()
    assert not case.recorder.book.is_writing(now)


def test_a_slice_that_has_just_begun_is_not_looked_at(case: Case) -> None:
    case.recorder.amend_slice(started=case.clock.epoch() - 0.5)
    case.outputs.glance()
    case.outputs.look_once_more(is_cut=True)
    assert case.outputs._search is None


def test_a_look_that_took_long_is_followed_by_a_rest(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    case.looks(1)
    search = case.outputs._search
    assert search is not None
    times = []

    def look(_pids: object) -> None:
        times.append(case.clock.now)
        case.clock.now += 0.1

    monkeypatch.setattr(search, "look", look)
    case.looks(20)
    assert len(times) == 4
    assert times[1] - times[0] >= 10


def test_the_first_checkpoint_is_known_within_a_second_of_output(case: Case) -> None:
    case.looks(1)
    case.save("out/step_5.pt")
    for _ in range(3):
        case.clock.now += 0.5
        case.outputs.look_soon()
    assert case.found == [("out/step_5.pt", 5, True, "folder")]
    case.save("out/step_6.pt")
    for _ in range(3):
        case.clock.now += 0.5
        case.outputs.look_soon()
    assert len(case.found) == 1, "the usual looks find those that follow"
    case.looks()
    assert len(case.found) == 2


def test_looks_before_their_time_keep_a_distance(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    case.looks(1)
    search = case.outputs._search
    assert search is not None
    times: list[float] = []
    monkeypatch.setattr(search, "look", lambda _pids: times.append(case.clock.now))
    for _ in range(50):
        case.clock.now += 0.1
        case.outputs.look_soon()
    assert 8 <= len(times) <= 10


def test_the_loop_looks_when_something_is_printed(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    case.stage.supervision._p.outputs = case.outputs
    case.looks(1)
    case.save("out/step_5.pt")
    monkeypatch.setattr(case.stage.supervision, "_tree_due", float("inf"))
    for _ in range(2):
        case.stage.turn(0.6)
    assert case.found == []
    for _ in range(2):
        case.stage.engine.output += b"step 6\n"
        case.stage.turn(0.6)
    assert case.found == [("out/step_5.pt", 5, True, "folder")]


def test_what_is_loaded_for_the_first_look_delays_no_later_one(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = case.outputs._begun

    def load() -> object:
        case.clock.now += case.outputs._search is None
        return begun()

    monkeypatch.setattr(case.outputs, "_begun", load)
    case.save("out/step_5.pt")
    case.looks(2)
    assert case.found == [("out/step_5.pt", 5, True, "folder")]


def test_where_an_earlier_slice_saved_is_looked_at_again(case: Case, tmp_path: Path) -> None:
    earlier = Checkpoint(path=str(tmp_path / "far" / "net.pt"), step=3, t=1, slice=1, good=True, found="folder")
    case.recorder.amend(checkpoints=(earlier,))
    case.save("../far/net.pt", mine=False)
    case.looks()
    assert case.found == [("../far/net.pt", None, True, "folder")]


def test_a_found_checkpoint_is_there_when_the_slice_has_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case(tmp_path, monkeypatch)
    case.stage.supervision._p.outputs = case.outputs
    case.stage.turn(599)
    case.save("out/step_9.pt")
    case.stage.turn(2)
    assert "SIGINT" in case.stage.tree.sent
    case.stage.engine.exit = Exit(signal=signal.SIGINT)
    run = case.stage.end()
    assert [(c.step, c.good) for c in run.checkpoints] == [(9, True)]
    assert case.stage.folder.read_run().checkpoints == run.checkpoints


def test_the_step_at_a_time() -> None:
    steps = StepTimes()
    assert steps.at(5) is None
    for second in range(3000):
        steps.note(second, second // 2)
        steps.note(second, second // 2)
    assert (steps.at(2999), steps.at(2990.0), steps.at(2990.95)) == (1499, 1495, 1495)
    assert steps.at(1) is None, "what is long ago is forgotten"
    assert len(steps._known) <= 1024
    steps.note(4000, None)
    assert steps.at(5000) == 1499
