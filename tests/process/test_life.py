"""Whole lives of runs, with real processes."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

import pytest

from tests.box import Box, is_running, script


def test_completes_and_records(box: Box) -> None:
    run = box.json(
        "run", script("metrics.py"), "--name", "first", "--tag", "a,b", "--", "--steps", "25", "--interval", "0"
    )
    assert (run["state"], run["reason"]["code"]) == ("completed", "exit")
    assert (run["step"], run["metric_lines"], run["checkpoint_count"]) == (25, 25, 2)
    assert run["name"] == "first"
    assert run["tags"] == ["a", "b"]
    assert [line["step"] for line in box.lines(run["id"], "metrics.jsonl")] == list(range(1, 26))
    assert run["checkpoints"][-1]["good"] is True
    assert box.json("list")[0]["state"] == "completed"
    assert not list((box.home / "active").iterdir())
    entry = box.experiments()[run["id"]]
    assert entry["status"] == "completed"
    assert entry["scriptPath"] == script("metrics.py")
    assert (entry["lastStep"], entry["lastLoss"], entry["name"]) == (25, 0.04, "first")
    assert entry["checkpoints"] == [str(box.work / "ck" / f"step-{n}.json") for n in (10, 20)]
    assert entry["lastCheckpoint"] == entry["checkpoints"][-1]
    assert entry["startTime"] <= entry["endTime"]


def test_time_box_then_resume_goes_on(box: Box) -> None:
    first = box.json("run", script("metrics.py"), "-m", "1s")
    assert (first["state"], first["reason"]["by"]) == ("timeboxed", "timebox")
    assert first["slices"][0]["exit_code"] == 0
    at = first["step"]
    assert first["checkpoints"][-1] == {**first["checkpoints"][-1], "step": at, "good": True}
    second = box.json("resume", "@", "-m", "1s")
    assert second["id"] == first["id"]
    assert [piece["n"] for piece in second["slices"]] == [1, 2]
    assert second["slices"][1]["resumed_from"] == first["checkpoints"][-1]["path"]
    assert second["slices"][1]["first_step"] == at + 1
    steps = [line["step"] for line in box.lines(first["id"], "metrics.jsonl")]
    assert steps == list(range(1, second["step"] + 1))


@pytest.mark.parametrize(("code", "state", "exit_code"), [(0, "completed", 0), (3, "failed", 1)])
def test_exit_code_of_the_script(box: Box, code: int, state: str, exit_code: int) -> None:
    run = box.json("run", script("metrics.py"), "--", "--steps", "1", "--exit", str(code), code=exit_code)
    assert run["state"] == state
    assert run["slices"][0]["exit_code"] == code


def test_crash_by_signal_is_named(box: Box) -> None:
    run = box.json("run", "--", "sh", "-c", "kill -SEGV $$", code=1)
    assert run["state"] == "failed"
    assert "segmentation fault" in run["reason"]["text"]


def test_stubborn_tree_is_gone_entirely(box: Box) -> None:
    pids = box.work / "pids"
    run = box.json("run", script("stubborn.py"), "-m", "1s", "--grace", "0.5s", "--", str(pids))
    assert run["state"] == "timeboxed"
    assert run["slices"][0]["forced"] is True
    assert run["slices"][0]["survivors"] == 0
    numbers = {int(line) for line in pids.read_text().split()}
    assert len(numbers) == 4
    assert not [pid for pid in numbers if is_running(pid)]


def test_stop_is_graceful_and_a_second_one_kills(box: Box) -> None:
    process = box.start("run", script("metrics.py"), "--run-id", "r1", "-q", stdout=-3)
    box.wait_for_step("r1", 3)
    assert box.json("stop", "r1")[0]["state"] == "stopped"
    assert process.wait() == 5
    assert box.state("r1")["slices"][0]["exit_code"] == 0
    stubborn = box.start("run", script("stubborn.py"), "--run-id", "r2", "-q", "--", str(box.work / "p"), stdout=-3)
    box.wait_for_step("r2", 1)
    box.run("stop", "r2", "--force")
    assert stubborn.wait() == 5
    assert box.state("r2")["slices"][0]["forced"] is True


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_to_backprop_stops_gracefully(box: Box, number: signal.Signals) -> None:
    process = box.start("run", script("metrics.py"), "--run-id", "r1")
    box.wait_for_step("r1", 3)
    process.send_signal(number)
    _out, err = process.communicate()
    assert process.returncode == 5
    assert "SIGINT sent" in err
    state = box.state("r1")
    assert (state["state"], state["reason"]["by"]) == ("stopped", "person")
    assert state["checkpoints"][-1]["step"] == state["step"]


def test_hangup_changes_nothing(box: Box) -> None:
    process = box.start("run", script("metrics.py"), "--run-id", "r1", "--", "--steps", "60")
    box.wait_for_step("r1", 3)
    process.send_signal(signal.SIGHUP)
    process.communicate()
    assert process.returncode == 0
    assert box.state("r1")["step"] == 60


def test_closed_stdout_never_stops_the_run(box: Box) -> None:
    reader, writer = os.pipe()
    process = box.start("run", script("metrics.py"), "--run-id", "r1", "--", "--steps", "50", stdout=writer)
    os.close(writer)
    os.read(reader, 10)
    os.close(reader)
    process.communicate()
    assert process.returncode == 0
    assert box.state("r1")["step"] == 50


def test_stalled_stdout_delays_no_deadline(box: Box) -> None:
    reader, writer = os.pipe()  # nobody reads: full after 64 KiB
    command = "while :; do echo 0123456789012345678901234567890123456789012345678901234567890123456789; done"
    process = box.start("run", "--run-id", "r1", "-m", "1s", "--", "sh", "-c", command, stdout=writer)
    os.close(writer)
    box.wait_for("r1", "timeboxed")
    assert box.state("r1")["slices"][0]["used_s"] < 20
    os.close(reader)
    process.communicate()


def test_pause_stands_still_and_extend_moves_the_end(box: Box) -> None:
    run_id = box.run("run", "-d", script("metrics.py"), "-m", "100").stdout.strip()
    box.wait_for_step(run_id, 3)
    box.run("pause", run_id)
    box.wait_for(run_id, "paused")
    leader = box.state(run_id)["training"]["pid"]
    assert Path(f"/proc/{leader}/stat").read_text().rpartition(")")[2].split()[0] == "T"
    assert box.run("pause", run_id, code=2).stderr.strip().endswith("it is paused, not running")
    assert "1h42" in box.run("extend", run_id, "2").stdout
    box.run("continue", run_id)
    step = box.state(run_id)["step"]
    box.wait_for_step(run_id, step + 2)
    box.run("stop", run_id)
    assert box.state(run_id)["slices"][0]["exit_code"] == 0


def test_stop_waits_for_a_growing_checkpoint(box: Box) -> None:
    run = box.json("run", script("slow_checkpoint.py"), "-m", "1s", "--grace", "0.5s", "--", "2.5")
    assert run["state"] == "timeboxed"
    assert run["slices"][0]["exit_code"] == 0
    assert run["checkpoints"][-1]["path"].endswith("slow.bin")
    assert run["checkpoints"][-1]["good"] is True


def test_helpers_left_behind_are_ended(box: Box) -> None:
    pid_file = box.work / "pid"
    run = box.json("run", "--", "sh", "-c", f"setsid sleep 1000 & echo $! > {pid_file}")
    assert run["state"] == "completed"
    assert not is_running(int(pid_file.read_text()))


def test_born_with_default_signals_and_told_what_it_needs(box: Box) -> None:
    found_file = box.work / "found.json"
    previous = signal.signal(signal.SIGINT, signal.SIG_IGN)  # as under nohup or behind &
    try:
        box.run("run", script("env_dump.py"), "-m", "7", "--env", "A=1", "--", str(found_file), "--x", "-y")
    finally:
        signal.signal(signal.SIGINT, previous)
    found = json.loads(found_file.read_text())
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGQUIT):
        assert not found["sigign"] >> (number - 1) & 1
    assert found["sigblk"] == 0
    assert found["stdin"] == "/dev/null"
    assert found["sid"] == found["pid"] == found["pgid"]
    assert found["argv"][1:] == [str(found_file), "--x", "-y"]
    env = found["env"]
    assert env["BACKPROP_MAX_MINUTES"] == "7"
    assert env["BACKPROP_SLICE"] == "1"
    assert env["BACKPROP_CHECKPOINT_EVERY_SECONDS"] == "300"
    assert env["BACKPROP_FRAMEWORK"] == "unknown"
    assert (env["PYTHONUNBUFFERED"], env["COLUMNS"], env["A"]) == ("1", "300", "1")
    assert float(env["BACKPROP_DEADLINE"]) > 1e9
    assert env["BACKPROP_RUN_ID"] in os.listdir(box.home / "runs")


def test_unchanged_script_runs_and_a_declared_flag_is_given(box: Box) -> None:
    box.run("run", script("argparse_plain.py"), "--", "data", "--lr", "0.5")
    event = box.lines(box.json("list")[0]["id"], "events.jsonl")
    said = next(entry["fields"] for entry in event if entry["event"] == "script")
    assert said["argv"] == ["data", "--lr", "0.5"]
    good = box.work / "some.json"
    good.write_text("{}")
    run = box.json("run", script("argparse_resume.py"), "-r", str(good), "--run-id", "r9")
    said = next(e["fields"] for e in box.lines(run["id"], "events.jsonl") if e["event"] == "script")
    assert said == {"resume_from": str(good), "run_id": "r9"}


def test_projects_own_interpreter(box: Box) -> None:
    venv = box.work / ".venv" / "bin"
    venv.mkdir(parents=True)
    wrapper = venv / "python"
    wrapper.write_text(f'#!/bin/sh\nMARK=venv exec {sys.executable} "$@"\n')
    wrapper.chmod(0o755)
    (box.work / "train.py").write_text("import os; print(os.environ.get('MARK'))")
    assert box.run("run", "train.py").stdout == "venv\n"


def test_detached_run_outlives_its_starter(box: Box) -> None:
    started = box.run("run", "-d", script("metrics.py"), "-n", "bg", "--", "--steps", "40")
    run_id = started.stdout.strip()
    assert box.wait_for(run_id, "completed")["step"] == 40
    assert len(box.run("logs", "bg").stdout.splitlines()) == 44


def test_missing_program_is_a_failed_run_or_no_run(box: Box) -> None:
    assert "command not found: nope" in box.run("run", "--", "nope", code=2).stderr
    bad = box.work / "bad"
    bad.write_text("no program")
    bad.chmod(0o755)
    done = box.run("run", "--", "./bad", code=1)
    assert "first line such as #!/bin/sh" in done.stderr
    assert box.json("list")[0]["state"] == "failed"


def test_wait_until_gone(box: Box) -> None:
    process = box.start("run", script("metrics.py"), "--run-id", "r1", stdout=-3)
    box.wait_for_step("r1", 1)
    follower = box.start("logs", "-f", "r1")
    box.run("stop", "r1")
    out, _err = follower.communicate()
    assert json.loads(out.splitlines()[-1])["event"] == "checkpoint_saved"
    process.communicate()
    box.run("list")
    assert not (box.home / "active" / "r1").exists()
