"""A run is told in time what it lacks, while it runs and in its record."""

from __future__ import annotations

import re

import pytest

from tests.box import Box
from tests.stand_ins.waiting import wait_until

SCRIPT = """
import os, time
while not os.path.exists('told'):
    print('working', flush=True)
    time.sleep(0.2)
for step in range(1, 11):
    print(f'{{"step": {step}, "loss": 1.0}}', flush=True)
open('a.json', 'w').write('{}')
print('{"event": "checkpoint_saved", "path": "a.json", "step": 10}', flush=True)
while LATE and not os.path.exists('taken'):
    time.sleep(0.2)
"""


def texts_of(box: Box, run_id: str, kind: str) -> list[str]:
    return [event["text"] for event in box.lines(run_id, "events.jsonl") if event["event"] == kind]


def wait_for(box: Box, run_id: str, kind: str) -> None:
    wait_until(lambda: len(texts_of(box, run_id, kind)) >= 2)


@pytest.mark.slow
def test_said_while_it_runs_and_taken_back(box: Box) -> None:
    """Taken back while it runs, and at the end of a slice that ends right after it."""
    for run_id, late in (("soon", False), ("later", True)):
        path = box.work / f"{run_id}.py"
        path.write_text(SCRIPT.replace("LATE", str(late)))
        box.start("run", str(path), "--run-id", run_id, "-m", "60s")
    for run_id in ("soon", "later"):
        wait_for(box, run_id, "warning")
    (box.work / "told").touch()
    wait_for(box, "later", "withdrawn")
    (box.work / "taken").touch()
    for run_id in ("soon", "later"):
        box.wait_for(run_id, "completed")
        told = texts_of(box, run_id, "warning")[:2]
        assert told[0].startswith("nothing that it prints was understood as a metric")
        assert re.match(r"no checkpoint was seen in \d\d s of a time box of 60 s", told[1])
        assert not set(told) & set(box.state(run_id)["warnings"])
        assert {f"no longer so: {text}" for text in told} <= set(texts_of(box, run_id, "withdrawn"))


@pytest.mark.slow
def test_it_is_in_the_record_and_told_to_who_watches(box: Box) -> None:
    path = box.work / "train.py"
    path.write_text("import time\nfor n in range(60):\n    print('working', flush=True)\n    time.sleep(0.5)\n")
    done = box.run("run", str(path), "--run-id", "r1", "-m", "24s")
    warnings = box.state("r1")["warnings"]
    assert len(warnings) == 2
    for text in warnings:
        assert f"backprop: {text}" in done.stderr
        assert f"  warning: {text}" in box.run("status", "r1").stdout
        assert f"warning      {text}" in box.run("show", "r1").stdout
