"""Real trainings in slices: whether they go on from their checkpoints is seen and said."""

from __future__ import annotations

import csv
from typing import Any

import pytest

from tests.box import Box

TRAIN = """
import argparse, json, math
p = argparse.ArgumentParser()
p.add_argument("--resume-from", default=None)
p.add_argument("--forgets", choices=["nothing", "all", "count", "model"], default="nothing")
p.add_argument("--until", type=int, default=160)
p.add_argument("--name", default="loss")
a = p.parse_args()
learned = step = json.load(open(a.resume_from))["step"] if a.resume_from else 0
if a.resume_from and a.forgets in ("all", "count"):
    step = 0
if a.resume_from and a.forgets in ("all", "model"):
    learned = 0
end = step + 40 if a.resume_from else a.until
while step < end:
    step, learned = step + 1, learned + 1
    loss = 2 + 5 * math.exp(-learned / 40) + 0.02 * ((learned * 7919) % 13 - 6)
    print(json.dumps({"step": step, a.name: loss, "total_steps": 400}), flush=True)
    if step % 50 == 0:
        json.dump({"step": step}, open(f"{step}.json", "w"))
        print(json.dumps({"event": "checkpoint_saved", "path": f"{step}.json", "step": step}), flush=True)
"""


def trained(box: Box, *words: str) -> None:
    """A slice of 160 steps whose newest checkpoint is of step 150."""
    (box.work / "train.py").write_text(TRAIN)
    box.run("run", "-q", "--run-id", "r", "train.py", "--", *words)


def resumed(box: Box) -> dict[str, Any]:
    """Its second slice."""
    found: dict[str, Any] = box.json("resume", "r", "-q")["slices"][1]
    return found


def test_a_script_that_takes_up_its_checkpoint(box: Box) -> None:
    trained(box)
    seam = resumed(box)["seam"]
    assert (seam["verdict"], seam["step"], seam["redone"]) == ("faithful", 151, 10)
    assert seam["text"].startswith("went on at step 151 from checkpoint step 150, redone 10 steps: the same loss at")
    shown = box.run("show", "r").stdout
    assert f"seam 2       {seam['text']}" in shown
    assert "metrics      200 lines, from: json" in shown
    assert "told by an event of the script" in shown
    assert "step         190 of 400 (48%)" in shown
    found = box.json("show", "r")
    assert (found["slices"][1]["seam"], found["warnings"]) == (seam, [])
    for told in (found, box.json("status", "r"), box.json("list")[0]):
        assert told["speed"] is told["eta_s"] is None, "it has ended"
    assert (found["total"], found["metric_sources"]) == (400, ["json"])
    (event,) = [entry for entry in box.lines("r", "events.jsonl") if entry["event"] == "seam"]
    assert (event["verdict"], event["text"]) == ("faithful", f"slice 2 {seam['text']}")


@pytest.mark.parametrize(
    ("forgets", "said"),
    [
        ("all", "began at step 1, not at 150, redone 160 steps: the script did not take up the checkpoint (loss 2."),
        ("count", "began at step 1, not at 150, redone 160 steps: the script took up the model, but not the count of steps"),
        ("model", "went on at step 151 from checkpoint step 150, redone 10 steps: loss jumped from 2."),
    ],
)  # fmt: skip
def test_a_script_that_forgets(box: Box, forgets: str, said: str) -> None:
    trained(box, "--forgets", forgets)
    seam = resumed(box)["seam"]
    assert seam["verdict"] == "suspicious"
    assert seam["text"].startswith(said)
    assert box.json("status", "r")["warnings"] == [f"slice 2 {seam['text']}"]
    assert f"warning: slice 2 {said}" in box.run("status", "r").stdout


def test_a_fresh_start_supersedes_everything_and_is_no_seam(box: Box) -> None:
    trained(box)
    best = box.state("r")["best_loss"]
    second = box.json("resume", "r", "-q", "--fresh", "--", "--until", "30")
    assert second["slices"][1]["seam"] is None
    assert (second["step"], second["warnings"]) == (30, [])
    assert second["best_loss"] > best
    assert second["best_loss"] == min(entry["loss"] for entry in box.lines("r", "metrics.jsonl")[160:])


def test_what_holds_is_the_same_everywhere(box: Box) -> None:
    trained(box, "--forgets", "model")
    resumed(box)
    lines = [entry["loss"] for entry in box.lines("r", "metrics.jsonl")]
    held = lines[:150] + lines[160:]
    (row,) = box.json("list")
    assert row["best_loss"] == box.json("show", "r")["best_loss"] == min(held)
    assert row["loss"] == box.json("show", "r")["loss"] == lines[-1]
    assert min(lines) < min(held), "the best of all lines was done again"


def test_a_run_that_shows_a_score_only(box: Box) -> None:
    trained(box, "--name", "val_accuracy")
    seam = resumed(box)["seam"]
    assert (seam["verdict"], seam["before"]) == ("unclear", None)
    found = box.json("show", "r")
    assert (found["loss"], found["best_loss"], found["main_metric"]) == (None, None, "val_accuracy")
    values = [entry["val_accuracy"] for entry in box.lines("r", "metrics.jsonl")]
    assert found["best_score"] == max(values[:150] + values[160:])
    assert "val_acc 1." in box.run("list").stdout
    assert f"val_acc {values[-1]:.3f} (best " in box.run("status", "r").stdout
    assert "lastLoss" not in box.experiments()["r"]


def test_an_export_tells_what_was_done_again(box: Box) -> None:
    trained(box)
    resumed(box)
    from backprop_tui.control.exporting import export_csv
    from backprop_tui.store.home import Home

    path = export_csv(Home(str(box.home)), ["r"], str(box.work))
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 200
    assert [int(row["step"]) for row in rows if row["superseded"] == "yes"] == list(range(151, 161))
    assert sorted({(row["slice"], row["superseded"]) for row in rows}) == [("1", "no"), ("1", "yes"), ("2", "no")]
