"""Records: written, cut short, read again; the index; experiments.json."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backprop_tui import files
from backprop_tui.errors import BackpropError, StoreError, UsageError
from backprop_tui.files import Appender, FileLock
from backprop_tui.model.run import Checkpoint, Notes, Owner, Process, Reason, Run, Slice
from backprop_tui.model.spec import SettingValue, SliceSpec
from backprop_tui.model.states import RunState
from backprop_tui.store import importing, mirror, requests
from backprop_tui.store.home import Home, is_valid_id, random_id
from backprop_tui.store.index import Index
from backprop_tui.store.rows import row_for
from backprop_tui.store.sync import reindex, sync
from backprop_tui.watch.record import RecordReader
from tests.box import ROOT


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(str(tmp_path / "home"))
    made.ensure()
    return made


def a_run(run_id: str, state: RunState = RunState.COMPLETED, **more: Any) -> Run:
    piece = Slice(n=1, state=state, started=1.0, box_s=600.0, ended=2.0, last_loss=math.nan, gpus=("0",))
    fields: dict[str, Any] = {
        "reason": Reason(code="exit", text="ended", by="script"),
        "owner": Owner(host="h", boot_id="b", process=Process(pid=1, start=2), token="t", slice=1),
        "training": Process(pid=3, start=4),
        "slices": (piece,),
        "step": 7,
        "last": {"loss": math.inf, "lr": 0.1},
        "best_loss": 0.25,
        "checkpoints": (Checkpoint(path="/a", step=1, t=1.5, slice=1, good=False, why="cut"),),
        "checkpoint_count": 1,
        "warnings": ("w",),
    }
    return Run(id=run_id, state=state, created=1.0, updated=2.0, **(fields | more))


def a_spec(run_id: str, n: int = 1) -> SliceSpec:
    return SliceSpec(
        run_id=run_id,
        n=n,
        created=1.0,
        command=("train.py", "--lr", "1"),
        is_command=False,
        cwd="/w",
        interpreter="/p",
        interpreter_origin="PATH",
        framework="pytorch",
        declared_flags=("--run-id",),
        settings={"maxRunMinutes": SettingValue(value=10, origin="default")},
        env={"A": "1"},
        recorded_env={},
    )


def test_records_come_back_as_they_were(home: Home) -> None:
    folder = home.new_run("r1")
    run, spec, notes = a_run("r1"), a_spec("r1"), Notes(name="n", tags=("a",), star=True)
    folder.write_run(run)
    folder.write_spec(spec)
    folder.write_notes(notes)
    assert repr(folder.read_run()) == repr(run)  # a NaN equals nothing
    assert folder.read_spec() == spec
    assert folder.read_notes() == notes
    with pytest.raises(StoreError, match="exists already"):
        folder.write_spec(spec)


@pytest.mark.parametrize("name", ["state.json", "notes.json", "spec-1.json"])
def test_a_record_cut_anywhere_is_damaged_never_wrong(home: Home, name: str) -> None:
    folder = home.new_run("r1")
    folder.write_run(a_run("r1"))
    folder.write_spec(a_spec("r1"))
    folder.write_notes(Notes(name="n"))
    path = Path(folder.file(name))
    whole = path.read_bytes()
    read = {"state.json": folder.read_run, "notes.json": folder.read_notes, "spec-1.json": folder.read_spec}[name]
    for end in range(len(whole)):
        path.write_bytes(whole[:end])
        with pytest.raises(StoreError):
            read()


def test_newer_records_are_refused_politely(home: Home) -> None:
    folder = home.new_run("r1")
    Path(folder.file("state.json")).write_text('{"version": 2}')
    with pytest.raises(StoreError, match="newer backprop"):
        folder.read_run()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(
    st.dictionaries(st.sampled_from(["id", "state", "created", "updated", "slices", "last", "version"]), json_values)
)
def test_any_json_is_a_run_or_damaged(record: dict[str, Any]) -> None:
    from backprop_tui.store.codec import run_from

    try:
        run_from(record, "state.json")
    except StoreError:
        pass


def test_torn_line_is_closed_off(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_bytes(b'{"step": 1}\n{"st')
    lines = Appender(str(path))
    lines.append(b'{"step": 2}\n')
    lines.close()
    assert path.read_bytes() == b'{"step": 1}\n{"st\n{"step": 2}\n'


def test_tail_of_json_lines(home: Home) -> None:
    folder = home.new_run("r1")
    Path(folder.file("events.jsonl")).write_bytes(b'x\n{"n": 1}\n[]\n{"n": 2}\n{"n": 3}\n{"n"')
    assert [event["n"] for event in folder.events(2)] == [2, 3]


@pytest.mark.parametrize(
    ("text", "valid"),
    [("a", True), ("A-1._x", True), ("a" * 64, True), ("a" * 65, False), ("", False), (".a", False), ("-a", False),
     ("a/b", False), ("..", False), ("a\n", False), ("ä", False), ("a b", False)],
)  # fmt: skip
def test_ids(text: str, valid: bool) -> None:
    assert is_valid_id(text) is valid


def test_random_ids_are_short_and_begin_with_a_letter() -> None:
    ids = {random_id() for _ in range(1000)}
    assert len(ids) > 990
    assert all(len(i) == 6 and i[0].isalpha() and is_valid_id(i) for i in ids)


def test_an_id_is_taken_once(home: Home) -> None:
    home.new_run("r1")
    with pytest.raises(UsageError, match="exists already"):
        home.new_run("r1")


def test_lock_excludes_and_is_freed(tmp_path: Path) -> None:
    path = str(tmp_path / "lock")
    first, second = FileLock(path), FileLock(path)
    assert first.try_acquire()
    assert not second.try_acquire()
    first.release()
    assert second.try_acquire()
    os.unlink(path)
    third = FileLock(path)
    assert third.try_acquire()
    second.release()
    third.release()


def test_index_pages_filters_and_resolves(home: Home, tmp_path: Path) -> None:
    index = Index(home, str(tmp_path / "i.sqlite3"))
    for n in range(30):
        folder = home.new_run(f"run{n:02d}")
        folder.write_run(a_run(folder.id).replace(created=float(n)))
        folder.write_spec(a_spec(folder.id))
        folder.write_notes(Notes(name="same" if n % 2 else None))
        index.upsert([row_for(folder)])
    first = index.page(limit=10)
    assert [row.id for row in first] == [f"run{n}" for n in range(29, 19, -1)]
    second = index.page(limit=10, before=(first[-1].created, first[-1].id))
    assert second[0].id == "run19"
    assert [row.id for row in index.page(limit=3, text="SAME run2")] == ["run29", "run27", "run25"]
    assert index.page(limit=1, state="failed") == []
    assert index.page(limit=1)[0].loss == math.inf
    assert index.resolve("same") == ["run29"]
    assert index.resolve("run07") == ["run07"]
    assert len(index.resolve("run0")) == 10
    assert (index.resolve("@"), index.resolve("@2"), index.resolve("@99"), index.resolve("x")) == (
        ["run29"],
        ["run28"],
        [],
        [],
    )
    index.close()


def test_sync_follows_folders(home: Home, tmp_path: Path) -> None:
    index = Index(home, str(tmp_path / "i.sqlite3"))
    folder = home.new_run("r1")
    folder.write_run(a_run("r1", RunState.RUNNING))
    sync(home, index)
    assert index.page(limit=1)[0].state == "running"
    assert home.active_ids() == {"r1"}
    folder.write_run(a_run("r1"))
    sync(home, index)
    assert index.page(limit=1)[0].state == "completed"
    assert home.active_ids() == set()
    folder.write_run(a_run("r1", RunState.FAILED))
    sync(home, index)
    assert reindex(home, index) == (1, 0)
    assert index.page(limit=1)[0].state == "failed"
    os.rename(folder.path, tmp_path / "away")
    sync(home, index)
    assert index.count() == 0
    index.close()


def test_sync_without_progress_takes_up_beginnings_and_ends(home: Home, tmp_path: Path) -> None:
    index = Index(home, str(tmp_path / "i.sqlite3"))
    folder = home.new_run("r1")
    steps = []
    for state, step in ((RunState.RUNNING, 1), (RunState.RUNNING, 2), (RunState.COMPLETED, 3)):
        folder.write_run(a_run("r1", state, step=step))
        sync(home, index, with_progress=False)
        steps.append((index.page(limit=1)[0].state, index.page(limit=1)[0].steps))
    assert steps == [("running", 1), ("running", 1), ("completed", 3)]
    assert home.active_ids() == set()
    index.close()


def test_a_record_that_has_not_changed_is_not_read_again(home: Home) -> None:
    folder = home.new_run("r1")
    folder.write_spec(a_spec("r1"))
    folder.write_run(a_run("r1", RunState.RUNNING))
    reader = RecordReader(home, "r1")
    first, again = reader.read(), reader.read()
    assert again.run is first.run
    assert again.t > first.t
    folder.write_run(a_run("r1", RunState.RUNNING, step=8))
    later = reader.read()
    assert later.run.step == 8
    assert later.spec is first.spec
    folder.write_spec(a_spec("r1", 2))
    folder.write_run(a_run("r1", RunState.RUNNING, step=9))
    newest = reader.read().spec
    assert newest is not None
    assert newest.n == 2


def test_mirror_keeps_what_others_wrote(home: Home) -> None:
    Path(home.experiments).write_text('{"theirs": [1], "r1": {"mine": 1, "status": "old"}}')
    home.new_run("r1")
    mirror.update(home, a_spec("r1"), [f"/c{n}" for n in range(150)], lambda: (a_run("r1", RunState.DIVERGED), Notes()))
    content = json.loads(Path(home.experiments).read_text())
    assert content["theirs"] == [1]
    assert content["r1"]["mine"] == 1
    assert content["r1"]["status"] == "failed"
    assert "lastLoss" not in content["r1"]
    assert len(content["r1"]["checkpoints"]) == 100
    assert content["r1"]["startTime"] == 1000


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("starting", "running"),
        ("paused", "running"),
        ("stopping", "running"),
        ("lost", "stopped"),
        ("timeboxed", "timeboxed"),
    ],
)
def test_mirror_statuses(home: Home, state: str, status: str) -> None:
    mirror.update(home, a_spec("r1"), [], lambda: (a_run("r1", RunState(state)), Notes()))
    assert json.loads(Path(home.experiments).read_text())["r1"]["status"] == status
    mirror.update(home, a_spec("q1"), [], lambda: (a_run("q1", RunState.QUEUED), Notes()))
    assert "q1" not in json.loads(Path(home.experiments).read_text())


def test_mirror_keeps_the_newest_thousand(home: Home) -> None:
    old = {f"r{n}": {"id": f"r{n}"} for n in range(1000)} | {"theirs": {}}
    for n in range(1000):
        (Path(home.runs) / f"r{n}").mkdir()
    Path(home.experiments).write_text(json.dumps(old))
    home.new_run("new")
    mirror.update(home, a_spec("new"), [], lambda: (a_run("new"), Notes()))
    content = json.loads(Path(home.experiments).read_text())
    assert len(content) == 1001
    assert "r0" not in content
    assert "theirs" in content


@given(st.dictionaries(st.text(max_size=8), json_values, max_size=5))
def test_any_experiments_file_is_imported_or_left(tmp_path_factory: pytest.TempPathFactory, content: Any) -> None:
    made = Home(str(tmp_path_factory.mktemp("h") / "home"))
    made.ensure()
    Path(made.experiments).write_text(json.dumps(content))
    importing.import_foreign(made)
    assert importing.import_foreign(made) == []


def test_writers_at_once_lose_nothing(home: Home, tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from tests.unit.test_store import a_run, a_spec\n"
        "from backprop_tui.model.run import Notes\n"
        "from backprop_tui.store import mirror\n"
        "from backprop_tui.store.home import Home\n"
        "from backprop_tui.store.index import Index\n"
        "from backprop_tui.store.rows import row_for\n"
        "home, index = Home(sys.argv[1]), Index(Home(sys.argv[1]), sys.argv[2])\n"
        "for n in range(5):\n"
        "    folder = home.new_run(f'w{sys.argv[3]}-{n}')\n"
        "    folder.write_run(a_run(folder.id)); folder.write_spec(a_spec(folder.id))\n"
        "    index.upsert([row_for(folder)])\n"
        "    mirror.update(home, a_spec(folder.id), [], lambda: (a_run(folder.id), Notes()))\n"
    )
    path = str(tmp_path / "i.sqlite3")
    argv = [sys.executable, "-c", code, home.path, path]
    processes = [subprocess.Popen([*argv, str(n)], cwd=ROOT) for n in range(8)]
    assert [process.wait() for process in processes] == [0] * 8
    index = Index(home, path)
    assert index.count() == 40
    index.close()
    assert len(json.loads(Path(home.experiments).read_text())) == 40


def test_requests_hostile_and_in_order(home: Home, tmp_path: Path) -> None:
    folder = home.new_run("r1")
    assert requests.pending(folder) == []
    control = Path(folder.file("control"))
    first = requests.post(folder, "stop", args={"force": True}, who="me", slice_n=1)
    second = requests.post(folder, "pause", args={}, who="me", slice_n=1)
    os.mkfifo(control / "zz1.json")
    (control / "zz2.json").symlink_to("/etc/passwd")
    (control / "zz3.json").write_bytes(b"x" * 100_000)
    (control / "zz4.json").write_bytes(b'{"verb": 1, "slice": 1}')
    (control / ".half.json").write_bytes(b"{")
    found = requests.pending(folder)
    assert [request.id for request in found[:2]] == [first, second]
    assert (found[0].verb, found[0].args) == ("stop", {"force": True})
    assert [bool(request.problem) for request in found] == [False, False, True, True, True, True]


def test_files_write_strict_json(tmp_path: Path) -> None:
    text = files.to_json({"a": [math.nan, math.inf, -math.inf, 1.5]})
    assert text == b'{"a":["NaN","Infinity","-Infinity",1.5]}'
    files.write_atomic(str(tmp_path / "a"), text, durable=True)
    assert os.listdir(tmp_path) == ["a"]
    with pytest.raises(OSError, match="longer"):
        files.read_bytes(str(tmp_path / "a"), 3)


def test_home_of_another_user_is_refused(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 4242)
    with pytest.raises(BackpropError, match="belongs to another user"):
        home.ensure()
