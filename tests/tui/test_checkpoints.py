"""Resuming where the newest checkpoint is gone, damaged, from after a loss rose, or was never there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.box import Box, script
from tests.tui.records import Records, checkpoint, falling
from tests.tui.stage import Stage, perform


def stopped(box: Box, records: Records, state: str = "stopped", steps: tuple[int, ...] = (100, 200, 300), **more: Any):
    """A run of metrics.py that has saved at these steps."""
    folder = box.work / "ck"
    saved = [(str(folder / f"step-{step}.json"), step, 900 - step, 20) for step in steps]
    for path, step, _ago, _size in saved:
        checkpoint(folder, step).replace(".bin", "")
        Path(path).write_text(json.dumps({"step": step}))
    losses = more.pop("losses", falling(320))
    more.setdefault("settings", {"maxCpuLoadPerCore": 1000, "minFreeRamGB": 0})  # however busy the machine is
    run = {"losses": losses, "saved": saved, "cwd": str(box.work), "command": ("metrics.py",), "took": 200.0, **more}
    (box.work / "metrics.py").write_text(Path(script("metrics.py")).read_text())
    return records.run("mine", state, **run)


async def resume(stage: Stage) -> None:
    await stage.until(lambda: stage.app.main.history.current is not None)
    await stage.press("2", "r")


def path(box: Box, step: int) -> Path:
    return box.work / "ck" / f"step-{step}.json"


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (60, 18), (40, 12)])
@pytest.mark.parametrize("damage", ["gone", "cut"])
def test_the_newest_cannot_be_used(box: Box, records: Records, size: tuple[int, int], damage: str) -> None:
    stopped(box, records)
    if damage == "gone":
        path(box, 300).unlink()
    else:
        path(box, 300).write_text('{"step": 30')

    async def play(stage: Stage) -> None:
        await resume(stage)
        await stage.sees("Can't resume mine", "The newest checkpoint")
        text = " ".join(stage.seen.replace("│", " ").replace("┃", " ").split())
        if size[1] > 12:
            assert "step-300.json" in text
            assert "Resume from step 200" in text
            assert "Resume from step 100" in text
        if size[1] >= 24:
            assert "From step 200 about 120 steps (1:15) are done again." in text
        await stage.sees("r Resume", "o The older one", "s Start over at step 0", "esc Cancel")
        await stage.press("escape")
        assert "Can't resume" not in stage.seen

    perform(box, play, size=size)
    assert box.state("mine")["state"] == "stopped"


@pytest.mark.parametrize(("key", "step"), [("enter", 200), ("r", 200), ("o", 100), ("s", None)])
def test_the_answers_do_what_they_say(box: Box, records: Records, key: str, step: int | None) -> None:
    stopped(box, records)
    path(box, 300).unlink()

    async def play(stage: Stage) -> None:
        await resume(stage)
        await stage.sees("Can't resume mine")
        await stage.press(key)
        await stage.sees("● mine")

    perform(box, play)
    slices = box.state("mine")["slices"]
    assert len(slices) == 2
    assert slices[1].get("resumed_from") == (None if step is None else str(path(box, step)))


def test_none_is_left_and_the_default_destroys_nothing(box: Box, records: Records) -> None:
    stopped(box, records)
    for step in (100, 200, 300):
        path(box, step).unlink()

    async def play(stage: Stage) -> None:
        await resume(stage)
        await stage.sees("Can't resume mine", "No other checkpoint is good.", "s Start over at step 0")
        await stage.press("enter")
        assert "Can't resume" not in stage.seen
        assert box.state("mine")["state"] == "stopped", "enter cancels"
        await stage.press("r")
        await stage.sees("Can't resume mine")
        await stage.press("s")
        await stage.sees("● mine")

    perform(box, play)
    assert box.state("mine")["slices"][1].get("resumed_from") is None


def test_a_diverged_run_goes_on_from_before_the_rise(box: Box, records: Records) -> None:
    losses = (
        [(n, 4.0 - n / 100) for n in range(1, 221)] + [(n, n / 100) for n in range(221, 301)] + [(301, float("nan"))]
    )
    stopped(box, records, "diverged", losses=losses)

    async def play(stage: Stage) -> None:
        await resume(stage)
        await stage.sees("Resume mine", "from step 200 (", "the newest one saved before the loss rose")
        await stage.press("r")
        await stage.sees("● mine")

    perform(box, play)
    assert box.state("mine")["slices"][1]["resumed_from"] == str(path(box, 200))


def test_what_is_completed_is_not_resumed(box: Box, records: Records) -> None:
    stopped(box, records, "completed")

    async def play(stage: Stage) -> None:
        await resume(stage)
        await stage.sees("mine is completed, there is nothing to resume.")
        assert "Resume mine" not in stage.seen

    perform(box, play)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
def test_without_a_checkpoint_the_form_is_filled_in(box: Box, records: Records, size: tuple[int, int]) -> None:
    stopped(box, records, "timeboxed", (), command=("metrics.py", "--interval", "0.03"))

    async def play(stage: Stage) -> None:
        await resume(stage)
        await stage.sees("Launch a run", "metrics.py", "--interval 0.03")
        await stage.sees("can start now")
        await stage.press("enter")
        await stage.until(lambda: [row.state for row in stage.app.main.active.rows] == ["running"])

    perform(box, play, size=size)
    assert len(box.json("list")) == 2


def test_a_script_that_is_gone(box: Box, records: Records) -> None:
    stopped(box, records)
    (box.work / "metrics.py").unlink()

    async def play(stage: Stage) -> None:
        await resume(stage)
        await stage.sees('there is no script "metrics.py"')
        assert stage.app.screen is stage.app.main

    perform(box, play)
    assert box.state("mine")["state"] == "stopped"


def test_one_that_is_gone_is_marked_on_the_page(box: Box, records: Records) -> None:
    stopped(box, records)
    path(box, 200).unlink()

    async def play(stage: Stage) -> None:
        await stage.until(lambda: stage.app.main.history.current is not None)
        await stage.press("2", "enter", "4")
        await stage.sees("300", "gone")
        await stage.press("j", "enter")
        await stage.until(lambda: "it is not there" in " ".join(stage.seen.replace("▌", " ").split()))
        assert box.state("mine")["state"] == "stopped"
        await stage.press("escape", "escape")

    perform(box, play)


def unchanged(box: Box, records: Records, source: str) -> None:
    """A run of a script that has never heard of backprop."""
    stopped(box, records)
    (box.work / "metrics.py").write_text(source)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
def test_how_the_checkpoint_is_handed_over_is_shown_before_it_is_used(
    box: Box, records: Records, size: tuple[int, int]
) -> None:
    unchanged(box, records, "import argparse\np = argparse.ArgumentParser()\np.add_argument('--load-ckpt')\n")

    async def play(stage: Stage) -> None:
        await resume(stage)
        await stage.sees("Resume mine", "Handed over    --load-ckpt", "can start now")
        text = " ".join(stage.seen.replace("│", " ").replace("┃", " ").split())
        assert "step-300.json (proposed: the script declares it; checkpoint kind json)" in text
        await stage.press("r")
        await stage.until(lambda: len(box.state("mine")["slices"]) == 2)

    perform(box, play, size=size)
    spec = json.loads((box.home / "runs" / "mine" / "spec-2.json").read_text())
    assert spec["resume_args"] == ["--load-ckpt", str(path(box, 300))]


def test_what_to_set_is_said_where_nothing_hands_it_over(box: Box, records: Records) -> None:
    unchanged(box, records, "print('no options')\n")

    async def play(stage: Stage) -> None:
        await resume(stage)
        await stage.sees("Resume mine", "it begins at step 0", "--resume-arg")
        assert "Handed over" not in stage.seen
        await stage.press("escape")

    perform(box, play)


def test_what_a_script_refused_is_not_started_again(box: Box, records: Records) -> None:
    unchanged(box, records, "import argparse\nargparse.ArgumentParser().parse_args()\n")
    box.run("resume", "mine", "--resume-arg", "--load {checkpoint}", "-q", code=1)

    async def play(stage: Stage) -> None:
        await resume(stage)
        await stage.sees("the script did not take --load")
        assert stage.app.screen is stage.app.main

    perform(box, play)
    assert len(box.state("mine")["slices"]) == 2
