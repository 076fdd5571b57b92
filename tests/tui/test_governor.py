"""What the Governor holds, what people order for the whole box, and why: as it is shown, and by its keys."""

from __future__ import annotations

import os
import time
from typing import Any

import pytest

from backprop_tui.model.run import MemoryLimit
from backprop_tui.supervisor.steering import OrderBook
from backprop_tui.tui.screens.run import RunPage
from backprop_tui.tui.screens.steering import DrainDialog, YieldDialog
from tests.box import Box, script
from tests.tui import runs
from tests.tui.records import G, Records, falling
from tests.tui.stage import Stage, perform

LIMIT = MemoryLimit(bytes=8 * G, means="PyTorch's allocator", text="8.0 GB, kept by PyTorch's allocator and watched")


def against(rule: str, value: float, limit: float, text: str) -> dict[str, Any]:
    return {"ago": 20, "event": "decision", "rule": rule, "ok": False, "value": value, "limit": limit, "text": text}


def governed(records: Records) -> None:
    """A run in each way of being held, and one that goes on."""
    records.run(
        "goes", "running", losses=falling(200), ago=60, took=58, goes_on=True, memory_limit=LIMIT,
        settings={"slices": 6, "totalMinutes": 180, "priority": 2},
    )  # fmt: skip
    records.run(
        "hot", "paused", ago=90, took=60, reason=("heat", "GPU 1: 84 °C, limit 83 °C; waits for 73 °C", "governor"),
        settings={"gpu.maxTempC": 83}, events=[against("gpu_temp", 84, 83, "GPU 1: 84 °C, limit 83 °C")],
    )  # fmt: skip
    text = "waits: GPU 0: 3.1 GB free, 16.0 GB wanted (goes has 12.0 GB, its box ends in 8 min); first in line, about 8 min"
    records.run(
        "vram", "queued", ago=40, reason=("waiting", text, "governor"),
        events=[against("gpu_memory", 3.1 * G, 16 * G, "GPU 0: 3.1 GB free, 16.0 GB wanted")],
    )  # fmt: skip
    records.run("kept", "queued", ago=30, held="anna@box", reason=("held", "held by anna@box", "person"))
    between = ("timebox", "the time box of 10 min ended", "timebox")
    records.run("turn", "timeboxed", ago=610, took=600, goes_on=True, reason=between)


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
def test_what_is_held_has_its_words(box: Box, records: Records, size: tuple[int, int]) -> None:
    governed(records)

    async def play(stage: Stage) -> None:
        await stage.sees("● goes", "‖ hot", "□ vram", "□ kept")
        short = size[0] < 110
        expected = {
            "hot": "GPU 1 hit 84°, limit 83; waits for 73°"
            if short
            else "GPU 1 hit 84°C, its limit is 83; continues by",
            "vram": "needs 16.0G VRAM, 3.1G free; 1st, 8 min" if short else "3.1G free; first in line, about 8 min",
            "kept": "held by anna; h releases",
            "goes": "1/6",
        }
        for name, words in expected.items():
            await stage.until(lambda name=name, words=words: words in stage.row(f" {name} "))  # type: ignore[misc]
        await stage.press("exclamation_mark")
        await stage.sees("The Governor is taking care of these:", "paused: GPU 1 hit 84°", "queued: needs 16.0G VRAM")
        assert "□ kept " not in stage.row("queued: held"), "a person holds that one"

    perform(box, play, size=size)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
def test_the_page_tells_how_a_run_goes_on(box: Box, records: Records, size: tuple[int, int]) -> None:
    governed(records)

    async def play(stage: Stage) -> None:
        await stage.sees("● goes")
        await stage.press("enter")
        await stage.sees("The next slice follows", "1 Overview")
        await stage.press("5")
        await stage.sees(
            "GOVERNOR", "slice 1 of 6, ", "of 3h00 trained", "+2 in the queue", "kept by PyTorch's allocator"
        )

    perform(box, play, size=size)


def test_a_run_that_a_limit_ended_says_which(box: Box, records: Records) -> None:
    reason = ("disk", "disk of the records: 0.4 GB free, 1.0 GB wanted", "governor")
    (box.work / "a.pt").write_bytes(b"x" * 9000)
    saved = [(str(box.work / "a.pt"), 40, 60, 9000)]
    records.run("full", "stopped", losses=falling(50), reason=reason, saved=saved)

    async def play(stage: Stage) -> None:
        await stage.sees("■ full")
        await stage.press("enter")
        await stage.sees(
            "Stopped by the Governor after 5:00 at step 50", "Disk of the records: 0.4 GB free, 1.0 GB wanted."
        )
        await stage.sees("r resumes it from step 40")

    perform(box, play)


# --- why


def test_w_shows_every_rule_of_a_run_that_waits(box: Box) -> None:
    box.env["BACKPROP_SET_MAX_PARALLEL"] = "1"
    box.run("run", "-d", "-n", "first", script("metrics.py"))
    box.run("run", "-d", "-n", "second", "--wait", script("metrics.py"))

    async def play(stage: Stage) -> None:
        await stage.sees("● first", "□ second")
        await stage.press("j", "w")
        await stage.on(RunPage)
        await stage.sees("RULES NOW", "✗ slots", "1 run in progress, 1 allowed", "✓ RAM", "h hold")
        await stage.press("h")
        await stage.sees("✗ hold", "h release")
        await stage.press("h")
        await stage.until(lambda: "✗ hold" not in stage.seen)
        await stage.press("1")
        await stage.until(lambda: "RULES NOW" not in stage.seen)
        await stage.press("w")
        await stage.sees("RULES NOW")
        await stage.press("escape")
        assert stage.is_home

    perform(box, play)


def test_an_ended_run_has_events_and_no_rules(box: Box) -> None:
    runs.ended(box, "done")

    async def play(stage: Stage) -> None:
        await stage.listed(1)
        await stage.press("w")
        await stage.on(RunPage)
        await stage.sees("completed", "RAM: ")
        assert "RULES NOW" not in stage.seen

    perform(box, play)


# --- hold and release


def test_h_holds_the_next_slice_and_releases_it(box: Box) -> None:
    box.run("run", "-d", "--run-id", "chain", "-n", "chain", "--slices", "2", script("metrics.py"))
    box.wait_for_step("chain", 1)

    async def play(stage: Stage) -> None:
        await stage.until(lambda: "1/2" in stage.row("● chain"))
        await stage.press("h")
        await stage.hears("chain ends with this slice and then waits until h releases it.")
        await stage.until(lambda: stage.app.main.active.rows[0].is_held)
        await stage.press("enter")
        await stage.sees("the next slice waits until h releases it")
        await stage.press("h")
        await stage.hears("is released.")
        await stage.until(lambda: not box.state("chain")["held"])

    perform(box, play, size=(120, 40))


def test_h_on_a_run_that_ends_with_its_slice(box: Box) -> None:
    runs.going(box, "mine")

    async def play(stage: Stage) -> None:
        await stage.sees("● mine")
        await stage.press("h")
        await stage.hears("h: mine is running, and no further slice follows. p pauses it.")

    perform(box, play)


# --- the whole box


def test_a_drain_is_asked_for_shown_and_ended(box: Box) -> None:
    runs.going(box, "mine")
    orders = OrderBook(box.env["BACKPROP_ADMISSION_DIR"])

    async def play(stage: Stage) -> None:
        await stage.sees("● mine")
        await stage.press("H")
        await stage.on(DrainDialog)
        await stage.sees("No slice starts on this box", "1 run finishes the slice in hand; no runs wait")
        await stage.press("enter")  # the default changes nothing
        assert stage.is_home
        assert not orders.mark()
        await stage.press("H", "y")
        await stage.hears("Nothing new starts until H ends the drain")
        assert orders.drain is not None
        await stage.sees("1 running   drained", "nothing new starts; H ends it.")
        await stage.press("exclamation_mark")
        await stage.sees("Drained by ", "nothing new starts; H ends it.")
        await stage.press("escape", "H")
        await stage.hears("Runs start again.")
        await stage.until(lambda: "drained" not in stage.seen)
        assert not orders.mark()

    perform(box, play)


def test_a_yield_names_the_runs_and_what_they_have_saved(box: Box) -> None:
    runs.going(box, "mine")
    orders = OrderBook(box.env["BACKPROP_ADMISSION_DIR"])

    async def play(stage: Stage) -> None:
        await stage.sees("● mine")
        await stage.until(lambda: box.state("mine").get("checkpoints"))
        await stage.press("Y")
        await stage.on(YieldDialog)
        await stage.sees("● mine", "saved 0:", "come back by themselves", "esc Keep running", "y 30 min")
        await stage.press("escape")
        assert not orders.mark()
        await stage.press("Y", "1")
        await stage.hears("All runs save and stop; they come back in 60 min, or when Y ends it.")
        assert 3500 < _until(orders) - time.time() < 3601
        await stage.sees("yields until ", "Y brings them back now.")
        await stage.press("Y")
        await stage.hears("The yield is over: runs come back.")
        assert not orders.mark()

    perform(box, play)


def _until(orders: OrderBook) -> float:
    found = orders.yielding(time.time())
    return found.until if found is not None else 0.0


def test_a_run_that_nobody_could_ever_start_is_refused_in_the_form(box: Box) -> None:
    box.env["BACKPROP_SET_GPUS"] = "64"
    (box.work / "train.py").write_text("print('step 1 loss 2.0')\n")

    async def play(stage: Stage) -> None:
        await stage.sees("START HERE")
        await stage.press("n")
        await stage.type("train.py")
        await stage.sees("never: this box cannot give what it needs")
        await stage.press("enter")
        await stage.pilot.pause(0.3)
        assert not stage.is_home, "there is nothing to start"

    perform(box, play)
    assert not os.listdir(box.home / "runs")
