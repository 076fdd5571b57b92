"""A training that trains no more is ended, or its person told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from backprop_tui.control.resuming import survey
from backprop_tui.store.home import Home
from tests.box import Box
from tests.stand_ins.waiting import wait_until

DIVERGES = """
import json, os, signal, sys, time
stop = []
signal.signal(signal.SIGINT, lambda *x: stop.append(1))

def save(step):
    with open(f'ck-{step}.json', 'w') as f:
        json.dump({'step': step}, f)
    print(json.dumps({'event': 'checkpoint_saved', 'path': f'ck-{step}.json', 'step': step}), flush=True)

for step in range(1, 2000):
    loss = 2.0 / step if step <= 20 else 0.1 * 1.7 ** (step - 20) if step < 30 else float('nan')
    print(json.dumps({'step': step, 'loss': loss}), flush=True)
    if step % 5 == 0:
        save(step)
    if stop:
        save(step)
        sys.exit(0)
    time.sleep(0.05)
"""
STALLS = """
import os, time
for step in range(1, 2000):
    print(f'{{"step": {step}, "loss": {1 / step}}}', flush=True)
    time.sleep(0.3)
    while step == 20 and not os.path.exists('go on'):
        time.sleep(0.05)
"""


def write(box: Box, name: str, text: str) -> str:
    path = box.work / name
    path.write_text(text)
    return str(path)


def test_a_loss_that_is_no_number_ends_it_and_the_checkpoint_from_before_its_rise_is_offered(box: Box) -> None:
    path = write(box, "train.py", DIVERGES)
    done = box.run("run", path, "--run-id", "r1", code=None)
    run = box.state("r1")
    assert run["state"] == "diverged"
    reason = run["reason"]
    assert (reason["code"], reason["by"]) == ("nan", "watchdog")
    assert reason["text"].startswith("the loss has been no finite number for 3 reports in a row, from step 30 on (nan)")
    assert "at step 29" in reason["text"]
    assert run["slices"][-1]["rise"]["step"] == 20
    assert run["step"] < 60
    offered = f"go on from {box.work}/ck-20.json (step 20), saved before its loss rose: backprop resume r1"
    assert offered in done.stderr
    assert offered in box.run("status", "r1").stdout
    assert offered in box.run("show", "r1").stdout
    assert "Lower the learning rate" in box.run("show", "r1").stdout
    home = Home(str(box.home))
    assert survey(home, "r1", most=3, until=20).good[0].path == f"{box.work}/ck-20.json"
    assert survey(home, "r1", most=3).good[0].path != f"{box.work}/ck-20.json"  # what it saved when it was asked to end
    following = json.loads(box.run("resume", "r1", "--dry-run", "--json").stdout)
    assert f"{box.work}/ck-20.json" in json.dumps(following)


def test_as_many_reports_as_are_asked_for_or_none(box: Box) -> None:
    text = DIVERGES.replace("float('nan')", "float('inf') if step % 4 else 0.5").replace("2000", "61")
    path = write(box, "train.py", text)
    box.run("run", path, "--run-id", "four", "--nan-steps", "4", "-m", "60s")
    assert box.state("four")["state"] == "completed"
    box.run("run", path, "--run-id", "three", "-m", "60s", code=None)
    assert box.state("three")["state"] == "diverged"
    assert "(inf)" in box.state("three")["reason"]["text"]
    path = write(box, "bad.py", DIVERGES.replace("2000", "60"))
    box.run("run", path, "--run-id", "off", "--nan-steps", "none", "-m", "60s", code=None)
    assert box.state("off")["step"] == 59


def test_nothing_but_bad_checkpoints_is_said(box: Box) -> None:
    path = write(box, "train.py", DIVERGES.replace("2.0 / step if", "float('nan') if"))
    done = box.run("run", path, "--run-id", "r1", code=None)
    assert "it was none from the first report on" in box.state("r1")["reason"]["text"]
    assert box.state("r1")["checkpoints"]
    assert "no checkpoint is from before its loss rose; from step 0: backprop resume r1 --fresh" in done.stderr
    refused = box.run("resume", "r1", code=None)
    assert refused.returncode != 0
    assert "it was saved after the loss had risen" in refused.stderr


def test_a_stall_is_ended_if_asked(box: Box) -> None:
    path = write(box, "train.py", STALLS)
    box.run("run", path, "--run-id", "r1", "--stall", "3s", code=None)
    run = box.state("r1")
    assert (run["state"], run["reason"]["code"], run["reason"]["by"]) == ("stopped", "stall", "watchdog")
    assert run["reason"]["text"].startswith(
        "no step for 3 s: step 20 was the last; one usually takes less than a second"
    )


@pytest.mark.slow
def test_a_stall_is_flagged_and_taken_back(box: Box) -> None:
    path = write(box, "train.py", STALLS)
    box.start("run", path, "--run-id", "r1")

    def warnings() -> list[str]:
        return [text for text in box.state("r1").get("warnings", []) if text.startswith("no step for")]

    wait_until(warnings, limit_s=110)
    said = warnings()[0]
    assert "step 20 was the last" in said
    assert said.endswith("it prints nothing either")
    assert box.state("r1")["state"] == "running"
    Path(box.work / "go on").touch()
    wait_until(lambda: not warnings())
    withdrawn = [event["text"] for event in box.lines("r1", "events.jsonl") if event["event"] == "withdrawn"]
    assert withdrawn == [f"no longer so: {said}"]


def test_a_pause_is_no_stall(box: Box) -> None:
    path = write(box, "train.py", STALLS.replace("step == 20", "False"))
    box.start("run", path, "--run-id", "r1", "--stall", "2s")
    box.wait_for_step("r1", 5)
    box.run("pause", "r1")
    paused = box.wait_for("r1", "paused")
    wait_until(lambda: box.state("r1")["slices"][-1]["paused_s"] > 5)
    assert paused["slices"][-1]["used_s"] < 30
    box.run("continue", "r1")
    box.goes_on("r1")
