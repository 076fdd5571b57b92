"""Many at once on one store."""

from __future__ import annotations

import json
from typing import Any

from tests.box import Box, script
from tests.stand_ins.waiting import wait_until


def test_sixty_four_at_once(box: Box) -> None:
    words = ("run", script("metrics.py"), "-q", "--max-parallel", "64", "--", "--steps", "20", "--output")
    processes = [
        box.start(words[0], "--run-id", f"r{n}", *words[1:], f"ck{n}", stdout=-3, stderr=-1) for n in range(64)
    ]
    failures = [process.stderr.read() for process in processes if process.wait() and process.stderr]
    assert not failures, failures[0]
    experiments = box.experiments()
    for n in range(64):
        state = box.state(f"r{n}")
        assert (state["state"], state["step"], state["metric_lines"]) == ("completed", 20, 20)
        entry = experiments[f"r{n}"]
        assert (entry["status"], entry["lastStep"], entry["lastLoss"]) == ("completed", 20, 0.05)
        assert len(entry["checkpoints"]) == 2
    rows = box.json("list", "-n", "100")
    assert len(rows) == 64
    assert {row["state"] for row in rows} == {"completed"}
    assert not list((box.home / "active").iterdir())


def test_never_more_than_two_at_once(box: Box) -> None:
    command = (script("metrics.py"), "--", "--steps", "5", "--output")
    processes = [
        box.start(
            "run",
            "--run-id",
            f"q{n}",
            "-q",
            "--max-parallel",
            "2",
            "--wait",
            *command[:1],
            *command[1:],
            f"c{n}",
            stdout=-3,
        )
        for n in range(10)
    ]
    assert [process.wait() for process in processes] == [0] * 10
    spans = [_span(box, f"q{n}") for n in range(10)]
    for moment, _end in spans:
        assert sum(start <= moment < end for start, end in spans) <= 2


def _span(box: Box, run_id: str) -> tuple[float, float]:
    events = box.lines(run_id, "events.jsonl")
    states = {event["state"]: event["t"] for event in events if event["event"] == "state"}
    return states["running"], states["completed"]


def test_no_slot_is_a_refusal_and_a_place_in_the_queue(box: Box) -> None:
    first = box.start("run", script("metrics.py"), "--json", "-q")
    wait_until(lambda: len(box.json("status")["runs"]) == 1)
    run_id = box.json("status")["runs"][0]["id"]
    done = box.run("run", script("metrics.py"), "-p", "1", code=3)
    assert f"1 run in progress, 1 allowed ({run_id})" in done.stderr
    assert "--wait" in done.stderr
    waiting = box.start("run", script("metrics.py"), "--run-id", "second", "-p", "1", "--wait", stdout=-3)
    box.wait_for("second", "queued")
    assert "waits: " in box.state("second")["reason"]["text"]
    assert "second" not in box.experiments()
    box.run("stop", run_id)
    assert first.wait(60) == 5
    box.wait_for_step("second", 1)
    box.run("stop", "second")
    waiting.wait()


def test_wait_runs_out_or_is_left(box: Box) -> None:
    box.start("run", script("metrics.py"), "--run-id", "first", "-q", stdout=-3)
    box.wait_for_step("first", 1)
    done = box.run("run", "--run-id", "second", "-p", "1", "--wait", "0.5s", "--", "true", code=3)
    assert "not started within 0.5 s: 1 run in progress, 1 allowed (first)" in done.stderr
    assert "--wait" not in done.stderr
    assert box.state("second")["state"] == "stopped"
    third = box.start("run", "--run-id", "third", "-p", "1", "--wait", "--", "true")
    box.wait_for("third", "queued")
    third.send_signal(2)
    assert third.wait() == 130
    fourth = box.start("run", "--run-id", "fourth", "-p", "1", "--wait", "--", "true")
    box.wait_for("fourth", "queued")
    box.run("stop", "fourth")
    assert fourth.wait() == 5
    box.run("run", "-d", "--run-id", "fifth", "-p", "1", "--wait", "--", "true")
    assert box.state("fifth")["state"] == "queued"
    box.run("stop", "first")
    box.wait_for("fifth", "completed")


def test_import_of_another_tools_records(box: Box) -> None:
    old: dict[str, Any] = {
        "old-run": {
            "id": "old-run",
            "name": "baseline",
            "scriptPath": script("metrics.py"),
            "status": "timeboxed",
            "lastCheckpoint": str(box.work / "old.json"),
            "checkpoints": [str(box.work / "older.json"), str(box.work / "old.json")],
            "lastStep": 7,
            "lastLoss": 0.5,
            "startTime": 1_700_000_000_000,
            "endTime": 1_700_000_600_000,
            "theirs": {"kept": True},
        },
        "going": {"id": "going", "scriptPath": "/x/y.py", "status": "running", "startTime": 1_700_000_000_000},
        "un/fit": {"id": "un/fit", "scriptPath": "/x/z.py", "status": "completed", "startTime": 1_700_000_100_000},
        "not ours": ["anything"],
    }
    (box.work / "old.json").write_text('{"step": 7}')
    box.home.mkdir(parents=True)
    (box.home / "experiments.json").write_text(json.dumps(old))
    rows = {row["id"]: row for row in box.json("list")}
    assert rows["old-run"]["state"] == "timeboxed"
    assert rows["going"]["state"] == "lost"
    assert len(rows) == 3
    assert box.json("status", "un/fit")["state"] == "completed"
    assert box.json("status", "baseline")["loss"] == 0.5
    run = box.json("resume", "old-run", "--", "--steps", "9")
    assert (run["step"], run["slices"][1]["first_step"]) == (9, 8)
    box.run("run", "--run-id", "new", "--", "true")
    after = box.experiments()
    assert after["not ours"] == ["anything"]
    assert after["un/fit"] == old["un/fit"]
    assert after["old-run"]["theirs"] == {"kept": True}
    assert after["old-run"]["status"] == "completed"
    assert set(after) == {*old, "new"}


def test_broken_experiments_file_is_set_aside(box: Box) -> None:
    box.home.mkdir(parents=True)
    (box.home / "experiments.json").write_text('{"a": ')
    run = box.json("run", "--run-id", "r", "--", "true")
    assert any("set aside" in warning for warning in run["warnings"])
    (aside,) = box.home.glob("experiments.json.corrupt.*")
    assert aside.read_text() == '{"a": '
    assert set(box.experiments()) == {"r"}


def test_broken_record_hides_no_other(box: Box) -> None:
    for run_id in ("a1", "b2"):
        box.run("run", "--run-id", run_id, "--", "true")
    (box.home / "runs" / "a1" / "state.json").write_text('{"id": ')
    box.run("doctor", "--reindex", code=1)
    rows = {row["id"]: row["state"] for row in box.json("list")}
    assert rows == {"a1": "broken", "b2": "completed"}
    assert "damaged" in box.run("show", "a1", code=2).stderr


def test_index_can_be_deleted(box: Box) -> None:
    box.run("run", "--run-id", "a1", "--", "true")
    box.run("list")
    cache = box.home.parent / ".cache" / "backprop"
    (index,) = cache.glob("index-*.sqlite3")
    index.write_bytes(b"no database" * 100)
    assert [row["id"] for row in box.json("list")] == ["a1"]


def test_archive_restore_and_purge(box: Box) -> None:
    box.run("run", script("metrics.py"), "--run-id", "a1", "-q", "--", "--steps", "10")
    assert "--yes" in box.run("rm", "a1", code=2).stderr
    box.run("rm", "a1", "-y")
    assert box.json("list") == []
    assert [row["id"] for row in box.json("list", "--archived")] == ["a1"]
    box.run("rm", "a1", "--restore")
    assert [row["id"] for row in box.json("list")] == ["a1"]
    box.run("rm", "a1", "--purge", "-y")
    assert not (box.home / "runs" / "a1").exists()
    assert box.experiments() == {}
    assert (box.work / "ck" / "step-10.json").exists()
    wait_until(lambda: box.json("list") == [])
