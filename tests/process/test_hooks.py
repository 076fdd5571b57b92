"""Commands of the user's: told what happens, held to their time, never a part of the training."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from backprop_tui.probes.tree import processes_with_variable, read_table
from backprop_tui.supervisor import hooks
from tests.box import Box, is_running, script
from tests.stand_ins.waiting import wait_until

RECORDS = 'env | grep ^BACKPROP > "told-$BACKPROP_HOOK"; cp "$BACKPROP_HOOK_RECORD" "record-$BACKPROP_HOOK"'


def told(box: Box, kind: str) -> dict[str, str]:
    lines = (box.work / f"told-{kind}").read_text().splitlines()
    return dict(line.partition("=")[::2] for line in lines)


def test_what_each_is_told(box: Box) -> None:
    words = [f"--on-{name}={RECORDS}" for name in ("start", "checkpoint", "pause", "end")]
    box.start("run", *words, "--name", "my run", "--run-id", "r1", script("metrics.py"))
    box.wait_for_step("r1", 25)
    box.run("pause", "r1")
    wait_until((box.work / "record-pause").exists)
    box.run("continue", "r1")
    wait_until((box.work / "record-continue").exists)
    box.goes_on("r1")
    box.run("stop", "r1")
    run = box.wait_for("r1", "stopped")
    wait_until((box.work / "record-end").exists)
    for kind in ("start", "checkpoint", "pause", "continue", "end"):
        found = told(box, kind)
        assert found["BACKPROP_HOOK"] == kind
        assert found["BACKPROP_HOOK_RUN_ID"] == "r1"
        assert found["BACKPROP_HOOK_NAME"] == "my run"
        assert found["BACKPROP_HOOK_SLICE"] == "1"
        assert found["BACKPROP_HOOK_FOLDER"] == str(box.home / "runs" / "r1")
        assert not {name for name in found if not name.startswith("BACKPROP_HOOK")} & {
            "BACKPROP_RUN_ID",
            "BACKPROP_SLICE_TOKEN",
            "BACKPROP_DEADLINE",
        }
        assert json.loads((box.work / f"record-{kind}").read_text())["state"] == found["BACKPROP_HOOK_STATE"]
    assert told(box, "start")["BACKPROP_HOOK_STATE"] == "running"
    assert told(box, "pause")["BACKPROP_HOOK_STATE"] == "paused"
    assert told(box, "pause")["BACKPROP_HOOK_REASON"].startswith("paused by ")
    assert Path(told(box, "checkpoint")["BACKPROP_HOOK_CHECKPOINT"]).exists()
    end = told(box, "end")
    assert end["BACKPROP_HOOK_STATE"] == "stopped"
    assert end["BACKPROP_HOOK_REASON"] == run["reason"]["text"]
    assert end["BACKPROP_HOOK_STEP"] == str(run["step"])
    assert float(end["BACKPROP_HOOK_LOSS"]) > 0
    assert end["BACKPROP_HOOK_CHECKPOINT"] == run["checkpoints"][-1]["path"]
    wait_until(lambda: "hook" in {event["event"] for event in box.lines("r1", "events.jsonl")})


def test_one_that_fails_is_said_and_what_it_printed_kept(box: Box) -> None:
    done = box.run(
        "run", "--on-start", "echo out; echo err >&2; exit 3", "--on-end", "no-such-command", "--on-checkpoint",
        "kill -TERM $$", "--run-id", "r1", script("metrics.py"), "--", "--steps", "40",
    )  # fmt: skip
    run = box.state("r1")
    assert run["state"] == "completed"
    said = "\n".join(run["warnings"])
    log = box.home / "runs" / "r1" / "hooks.log"
    assert f"the hook on start failed with exit code 3; see {log}" in said
    assert "the hook on end failed with exit code 127" in said
    assert "the hook on checkpoint was ended by SIGTERM" in said
    assert "the hook on start failed with exit code 3" in done.stderr
    text = log.read_text()
    assert "out\nerr\n" in text
    assert "no-such-command" in text
    assert "out" not in done.stdout


def test_one_that_takes_too_long_is_killed_with_all_it_started_and_holds_up_nothing(box: Box) -> None:
    """The time box ends in time while two of them hang; the limit of a hook is the real one."""
    hangs = "trap '' TERM INT; sleep 1000 & echo $$ >> pids; echo $! >> pids; wait; sleep 1000"
    process = box.start(
        "run", "--on-start", hangs, "--on-end", "sleep 1000", "-m", "3s", "--run-id", "r1", script("metrics.py"), "--",
        "--steps", "100000",
    )  # fmt: skip
    run = box.wait_for("r1", "timeboxed")
    assert run["slices"][-1]["used_s"] < 3 + 2
    assert not run["slices"][-1]["forced"]
    assert run["resources"]["processes"] == 1
    pids = [int(pid) for pid in (box.work / "pids").read_text().split()]
    assert len(pids) == 2
    process.wait(timeout=2 * hooks.LIMIT_S + 30)
    wait_until(lambda: not any(is_running(pid) for pid in pids))
    said = "\n".join(box.state("r1")["warnings"])
    assert "the hook on start was killed: it took longer than 30 s" in said
    assert "the hook on end was killed: it took longer than 30 s" in said


@pytest.mark.parametrize("command", ["sleep 100 &", "setsid sleep 100 &", "(setsid sh -c 'sleep 100; :' & ) &"])
def test_none_is_a_part_of_the_training(box: Box, command: str) -> None:
    """What it leaves behind is not waited for at the training's end, nor ended with it, but with the hooks."""
    box.run("run", "--on-start", command, "--run-id", "r1", script("metrics.py"), "--", "--steps", "250")
    run = box.state("r1")
    assert run["state"] == "completed"
    assert run["slices"][-1]["survivors"] == 0
    assert run["resources"]["processes"] == 1
    assert not [event for event in box.lines("r1", "events.jsonl") if event["event"] == "signal"]
    folder = str(box.home / "runs" / "r1")
    left = processes_with_variable("BACKPROP_HOOK_FOLDER", folder, read_table())
    assert bool(left) is ("setsid" in command)
    for process in left:
        os.kill(process.pid, signal.SIGKILL)


def left_by_hooks(box: Box) -> int:
    folder = str(box.home / "runs" / "r1")
    return len(processes_with_variable("BACKPROP_HOOK_FOLDER", folder, read_table()))


def test_what_the_last_one_leaves_in_the_background_ends_with_it(box: Box) -> None:
    hook = "(sleep 1; touch told) & sleep 4321 & exit 3"
    box.run("run", "--on-end", hook, "--run-id", "r1", script("metrics.py"), "--", "--steps", "3")
    assert (box.work / "told").exists(), "it had a moment"
    assert not left_by_hooks(box)
    assert "the hook on end failed with exit code 3" in "\n".join(box.state("r1")["warnings"])


def test_the_last_one_holds_up_nobody_else(box: Box) -> None:
    one = box.start("run", "--on-end", "touch begun; while ! test -e done; do sleep 0.05; done", "-p", "1", script("metrics.py"), "--", "--steps", "3")  # fmt: skip
    wait_until((box.work / "begun").exists)
    box.run("run", "-p", "1", script("metrics.py"), "--", "--steps", "3")
    assert one.poll() is None
    (box.work / "done").touch()
    assert one.wait(60) == 0


def test_one_hears_of_a_training_that_cannot_be_started(box: Box) -> None:
    (box.work / "it").write_text("#!/no/such/interpreter\n")
    (box.work / "it").chmod(0o755)
    box.run("run", f"--on-end={RECORDS}", "--run-id", "r1", "--", "./it", code=None)
    assert box.state("r1")["state"] == "failed"
    found = told(box, "end")
    assert (found["BACKPROP_HOOK_STATE"], found["BACKPROP_HOOK_REASON"]) == (
        "failed",
        box.state("r1")["reason"]["text"],
    )


def test_a_slice_that_is_over_at_once_has_started_and_ended(box: Box) -> None:
    (box.work / "one.py").write_text("")
    box.run("run", "--on-start", "touch begun", "--on-end", "touch ended", "one.py")
    assert (box.work / "begun").exists()
    assert (box.work / "ended").exists()


def test_of_many_checkpoints_the_newest_waits(box: Box) -> None:
    slow = 'echo "$BACKPROP_HOOK_STEP $(basename "$BACKPROP_HOOK_CHECKPOINT")" >> seen; sleep 1'
    box.run(
        "run", "--on-checkpoint", slow, "--run-id", "r1", script("metrics.py"), "--", "--steps", "100", "--interval", "0.03",
        "--checkpoint-every", "2",
    )  # fmt: skip
    seen = (box.work / "seen").read_text().splitlines()
    assert 2 <= len(seen) < 12
    assert seen[-1].endswith("step-100.json")


def test_a_project_s_file_may_not_bring_one(box: Box) -> None:
    (box.work / "backprop.config.json").write_text('{"hooks": {"start": "touch harm"}}')
    box.run("run", script("argparse_plain.py"), code=None)
    assert not (box.work / "harm").exists()


def test_a_signal_ends_the_wait_for_the_last_one(box: Box) -> None:
    process = box.start(
        "run", "--on-end", "touch begun; sleep 1000", "--run-id", "r1", script("metrics.py"), "--", "--steps", "3"
    )
    wait_until((box.work / "begun").exists)
    assert box.state("r1")["state"] == "completed"
    process.terminate()
    assert process.wait(timeout=hooks.LIMIT_S / 2) == 0
