"""What the screen shows of slices, progress, and of runs whose metric is not the loss."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from backprop_tui.model.run import Seam
from backprop_tui.tui import messages
from backprop_tui.tui.detail import Detail
from tests.box import Box
from tests.tui.records import G, Records, falling
from tests.tui.stage import Stage, perform

JUMP = Seam(
    step=501, redone=37, before=2.31, after=9.4, noise=0.05, verdict="suspicious",
    text="went on at step 501 from checkpoint step 500, redone 37 steps: loss jumped from 2.31 to 9.40 (noise 0.05): "
    "suspicious: is the optimizer or model state missing?",
)  # fmt: skip
EVENT = {"ago": 50, "event": "seam", "slice": 2, "verdict": "suspicious", "text": f"slice 2 {JUMP.text}"}
OLD = [(step, 2.0 + 5.0 * math.exp(-step / 300)) for step in range(1, 538)]
NEW = [(step, value + 7.0) for step, value in falling(700) if step > 500]


def resumed(records: Records, run_id: str, **more: object) -> None:
    """A run that was resumed at step 501 after it had got to 537."""
    first = {"ago": 2000, "took": 600, "losses": OLD}
    records.run(run_id, "running", ago=60, took=58, losses=NEW, slices=[first], **more)


def detail(stage: Stage) -> Detail:
    found: Detail = stage.heard(messages.DetailSeen)[-1].detail
    return found


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
def test_a_suspicious_seam_catches_the_eye(box: Box, records: Records, size: tuple[int, int]) -> None:
    resumed(records, "jumped", seam=JUMP, warnings=(f"slice 2 {JUMP.text}",), events=[EVENT])

    async def play(stage: Stage) -> None:
        await stage.sees("● jumped")
        await stage.press("enter")
        await stage.sees("slice 2: suspicious")
        if size[0] >= 120:
            await stage.sees("Seam        suspicious, 2.31 to 9.4, 37 redone")
        await stage.press("6")
        await stage.sees("slice 2 went on at step 501 from checkpoint step 500")

    perform(box, play, size=size)


def test_a_faithful_seam_is_only_a_mark(box: Box, records: Records) -> None:
    first = {"ago": 2000, "took": 600, "losses": OLD}
    new = [(step, 2.0 + 5.0 * math.exp(-step / 300)) for step in range(501, 700)]
    seam = JUMP.replace(verdict="faithful")
    records.run("fine", "running", ago=60, took=58, losses=new, slices=[first], seam=seam)

    async def play(stage: Stage) -> None:
        await stage.sees("● fine")
        await stage.press("enter")
        await stage.sees("┊ slice 2")
        assert "suspicious" not in stage.seen

    perform(box, play)


def test_what_was_done_again_is_not_drawn_also_while_somebody_looks(box: Box, records: Records) -> None:
    """The page is open while the next slice begins."""
    folder = records.run("growing", "running", ago=700, took=690, losses=OLD)

    async def play(stage: Stage) -> None:
        await stage.sees("● growing")
        await stage.press("enter")
        await stage.until(lambda: stage.heard(messages.DetailSeen) and detail(stage).curves)
        assert detail(stage).curves["loss"].points.steps[-1] == 537
        again = Records(Path(stage.app.home.path), records.now)
        for path in Path(folder.path).iterdir():
            path.unlink()
        Path(folder.path).rmdir()
        resumed(again, "growing")
        await stage.until(lambda: detail(stage).curves["loss"].points.steps[-1] == 700)
        points = detail(stage).curves["loss"].points
        assert list(points.steps) == list(range(1, 701))
        assert all((value > 8.0) == (step > 500) for step, value in zip(points.steps, points.means, strict=True))
        again.close()

    perform(box, play, size=(120, 40))


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (60, 18)])
def test_a_run_without_a_loss_shows_what_speaks_for_it(box: Box, records: Records, size: tuple[int, int]) -> None:
    rewards = [(n * 512, 20.0 + n) for n in range(1, 177)]
    records.run("cartpole", "running", ago=60, took=58, losses=rewards, metric="rollout/ep_rew_mean")
    records.run("earlier", "completed", ago=4000, losses=rewards, metric="rollout/ep_rew_mean")
    records.run("digits", "completed", ago=9000, losses=[(n, 0.005 * n) for n in range(1, 188)], metric="accuracy")
    records.run("trees", "completed", ago=9900, losses=falling(60), metric="train-logloss")

    async def play(stage: Stage) -> None:
        await stage.sees("● cartpole", "✓ earlier", "✓ digits", "✓ trees")
        assert stage.row("● cartpole").replace("  reward", " reward").count("196 reward") == 1
        if size[0] >= 80:
            assert "rew 196" in stage.row("✓ earlier")
            assert "acc 0.94" in stage.row("✓ digits") or "acc 0.93" in stage.row("✓ digits")
            assert "2.100" in stage.row("✓ trees")
        await stage.press("enter")
        await stage.sees("reward 196" if size[0] >= 80 else "REW")
        assert "↗ rising" in stage.seen or size[0] < 80

    perform(box, play, size=size)


def test_scores_are_compared_as_such(box: Box, records: Records) -> None:
    for n, name in enumerate(("worse", "better")):
        losses = [(step, 0.002 * step + 0.1 * n) for step in range(1, 301)]
        records.run(name, "completed", ago=4000 + n, losses=losses, metric="val_accuracy")

    async def play(stage: Stage) -> None:
        await stage.listed(2)
        await stage.press("g", "space", "space", "c")
        await stage.sees("compare 2 runs", "VAL_ACC", "Highest at step 300", "B better")

    perform(box, play)


def test_progress_by_the_counters_of_the_output(box: Box, records: Records) -> None:
    records.run("steps", "running", ago=60, took=58, losses=falling(200), total=400, epoch=2.0, epochs=4.0)
    records.run("epochs", "running", ago=50, took=48, losses=falling(200), epoch=2.0, epochs=4.0)
    records.run("beyond", "running", ago=40, took=38, losses=falling(200), total=150)

    async def play(stage: Stage) -> None:
        await stage.sees("● steps", "● epochs", "● beyond")
        assert " 50%" in stage.row("● steps")
        assert "200/400" in stage.row("● steps")
        assert "200 e2/4" in stage.row("● epochs")
        assert "%" not in stage.row("● beyond")
        await stage.sees("epoch 2/4")
        await stage.press("enter")
        await stage.sees("50%  step 200 of 400  epoch 2/4   loss 2.100")

    perform(box, play, size=(120, 40))


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ("running", ["No loss yet.", "progress bars", "metrics.pattern"]),
        ("completed", ["No metric was found in what it printed.", "metrics.pattern"]),
    ],
)
def test_where_there_is_no_curve_it_says_what_is_read_and_what_to_do(
    box: Box, records: Records, state: str, told: list[str]
) -> None:
    records.run("mute", state, ago=60, log=["it says nothing of use"])

    async def play(stage: Stage) -> None:
        await stage.until(lambda: " mute" in stage.seen)
        for size in ((80, 24), (120, 40), (200, 60)):
            await stage.resize(*size)
            if stage.is_home:
                await stage.press("enter")
            await stage.until(lambda: all(word in " ".join(stage.seen.split()) for word in told))

    perform(box, play)


def test_what_told_of_a_checkpoint(box: Box, records: Records) -> None:
    records.run(
        "saving", "running", ago=60, losses=falling(200), saved=[("/ck/a.pt", 100, 30, G), ("/ck/b.pt", 150, 20, G)]
    )

    async def play(stage: Stage) -> None:
        await stage.sees("● saving")
        await stage.press("enter", "4")
        await stage.sees("TOLD BY", "event    /ck/b.pt")
        await stage.resize(80, 24)
        await stage.sees("/ck/b.pt")
        assert "TOLD BY" not in stage.seen

    perform(box, play, size=(120, 40))
