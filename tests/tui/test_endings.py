"""Runs that have ended, well and badly: their rows, pages and news, and what needs a person until somebody has seen it."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from backprop_tui.control import annotating
from backprop_tui.tui import messages
from tests.box import Box, script
from tests.tui.records import Records, falling
from tests.tui.stage import Stage, perform

SIZES = [(80, 24), (120, 40), (200, 60), (60, 18), (40, 12)]
OUT_OF_MEMORY = """
import sys
print('{"step": 1, "loss": 0.5}', flush=True)
class OutOfMemoryError(RuntimeError):
    __module__ = "torch"
raise OutOfMemoryError("CUDA out of memory. Tried to allocate 2.50 GiB. GPU 0 has a total capacity of 23.64 GiB "
                       "of which 1.10 GiB is free.")
"""
DIVERGING = """
import json
for step in range(1, 60):
    loss = 4.0 / step if step < 30 else 0.1 * step if step < 50 else float("nan")
    print(json.dumps({"step": step, "loss": loss}), flush=True)
"""
UNTIL_TOLD = """
import os, sys, time
while not os.path.exists("told"):
    time.sleep(0.02)
sys.exit(int(sys.argv[1]))
"""


def write(box: Box, text: str, name: str = "bad.py") -> str:
    (box.work / name).write_text(text)
    return name


async def open_page(stage: Stage, name: str) -> None:
    """The page of the only run of the history."""
    await stage.until(lambda: stage.app.main.history.current is not None)
    await stage.press("2", "enter")
    await stage.sees("backprop › " if stage.app.size.width > 40 else "backprop", name)


@pytest.mark.parametrize(
    ("text", "sentence", "sign"),
    [
        (OUT_OF_MEMORY, "GPU 0 ran out of memory: 2.50G more was needed, 1.10G was free.", "OutOfMemoryError"),
        ("import peft_is_not_here", "No module named 'peft_is_not_here'", "ModuleNotFoundError"),
        ("open('/no/such/data.bin')", "/no/such/data.bin", "FileNotFoundError"),
        ("print('last words'); raise SystemExit(3)", "ended with code 3 and printed no traceback", "last words"),
        ("import os; os.kill(os.getpid(), 9)", "killed by signal 9", ""),
    ],
)
def test_what_happened_is_said_in_a_sentence(box: Box, text: str, sentence: str, sign: str) -> None:
    box.run("run", "-q", "-n", "bad", write(box, text), "--", "--bs", "32", code=1)

    async def play(stage: Stage) -> None:
        await stage.sees("✗ bad", "failed", "! 1 needs you", "! show")
        await open_page(stage, "bad")
        await stage.sees("✗ failed", "WHAT HAPPENED", "WHAT YOU CAN DO", "(it was --bs 32)")
        assert sentence in " ".join(stage.seen.split()), stage.seen
        assert sign in stage.seen
        await stage.until(lambda: stage.heard(messages.DetailSeen)[-1].detail.failure is not None)
        await stage.press("escape")
        await stage.sees("all well")

    perform(box, play)


@pytest.mark.parametrize("size", SIZES)
def test_a_failed_run_at_every_size(box: Box, size: tuple[int, int]) -> None:
    box.run("run", "-q", "-n", "bad", write(box, OUT_OF_MEMORY), code=1)

    async def play(stage: Stage) -> None:
        await stage.sees("✗ bad", "1 need")
        await stage.press("2", "enter")
        await stage.sees("failed", "WHAT HAPPENED", "ran out of memory")
        for tab in "23456":
            await stage.press(tab)
            await stage.until(lambda: "WHAT HAPPENED" not in stage.seen)
        await stage.press("1")
        await stage.sees("WHAT HAPPENED")

    perform(box, play, size=size)


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (60, 18)])
def test_a_loss_that_is_no_number(box: Box, size: tuple[int, int]) -> None:
    box.run("run", "-q", "-n", "wild", write(box, DIVERGING), code=None)

    async def play(stage: Stage) -> None:
        await stage.sees("! wild", "diverged", "NaN", "1 need")
        await open_page(stage, "wild")
        await stage.sees("! diverged", "WHAT HAPPENED", "then became NaN")
        assert "rose to" in " ".join(stage.seen.split())
        detail = stage.heard(messages.DetailSeen)[-1].detail
        assert (detail.bad["loss"], detail.rise) == (50.0, 29.0)

    perform(box, play, size=size)


def test_a_run_whose_supervisor_and_guard_were_killed_is_lost(box: Box) -> None:
    run_id = box.run("run", "-d", "-n", "orphan", script("metrics.py")).stdout.strip()
    box.wait_for_step(run_id, 5)
    supervisor, training = box.state(run_id)["owner"]["process"]["pid"], box.state(run_id)["training"]["pid"]
    children = Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text().split()

    async def play(stage: Stage) -> None:
        await stage.sees("● orphan", "all well")
        os.kill(supervisor, signal.SIGSTOP)
        for pid in (*(int(child) for child in children if int(child) != training), supervisor):
            os.kill(pid, signal.SIGKILL)
        await stage.sees("? orphan", "lost", "! 1 needs you", "nothing running")
        await stage.until(lambda: "orphan lost" in stage.seen.splitlines()[1])
        await open_page(stage, "orphan")
        await stage.sees("? lost", "WHAT HAPPENED", "Its supervisor and its guard were killed")
        await stage.sees("resume from step")

    perform(box, play)
    assert box.state(run_id)["state"] == "lost"


@pytest.mark.parametrize(
    ("state", "sign", "words"),
    [
        ("completed", "✓", "There is nothing to resume. R runs it again."),
        ("timeboxed", "»", "No checkpoint was reported: nothing to resume from."),
        ("stopped", "■", "No checkpoint was reported: nothing to resume from."),
    ],
)
def test_normal_ends_need_nobody(box: Box, records: Records, state: str, sign: str, words: str) -> None:
    records.run("mine", state, losses=falling(50))

    async def play(stage: Stage) -> None:
        await stage.sees(f"{sign} mine", state, "all well", "nothing running")
        await open_page(stage, "mine")
        await stage.sees(f"{sign} {state}", words)
        assert "WHAT HAPPENED" not in stage.seen

    perform(box, play)


@pytest.mark.parametrize(
    ("options", "code", "state", "sign"),
    [((), "0", "completed", "✓"), ((), "1", "failed", "✗"), (("-m", "2s"), "0", "timeboxed", "»")],
)
def test_an_end_is_news(box: Box, options: tuple[str, ...], code: str, state: str, sign: str) -> None:
    write(box, UNTIL_TOLD, "until_told.py")

    async def play(stage: Stage) -> None:
        await stage.sees("START HERE")
        box.run("run", "-d", "-n", "brief", *options, "until_told.py", "--", code)
        await stage.sees("● brief")
        if not options:
            (box.work / "told").touch()
        await stage.until(lambda: stage.heard(messages.RunsEnded))
        await stage.sees(f"{sign} brief", state)
        await stage.until(lambda: f"brief {state}" in stage.seen.splitlines()[1])
        (record,) = stage.heard(messages.RunsEnded)[-1].records
        assert str(record.run.state) == state
        assert len(stage.heard(messages.RunsEnded)) == 1, "an end is told once"

    perform(box, play)


# --- what needs a person


def bad_ones(records: Records) -> None:
    records.run("oom", "failed", ago=500)
    records.run("wild", "diverged", ago=600)
    records.run("gone", "lost", ago=700)


@pytest.mark.parametrize("size", SIZES)
def test_all_that_needs_a_person_is_one_key_away(box: Box, records: Records, size: tuple[int, int]) -> None:
    bad_ones(records)
    records.run("fine", "completed")

    async def play(stage: Stage) -> None:
        await stage.until(lambda: stage.app.state.needs == 3)
        assert [row.id for row in stage.heard(messages.ProblemsSeen)[-1].rows] == ["oom", "wild", "gone"]
        await stage.sees("! 3 need you", "! shows all 3", "✗ oom failed")
        await stage.press("exclamation_mark")
        await stage.sees("Problems", "✗ oom", "! wild")
        await stage.press("j", "j")
        await stage.sees("? gone")
        await stage.press("escape")
        assert "Problems" not in stage.seen

    perform(box, play, size=size)


def test_x_and_looking_take_problems_off_for_good(box: Box, records: Records) -> None:
    bad_ones(records)

    async def play(stage: Stage) -> None:
        await stage.sees("! 3 need you")
        await stage.press("exclamation_mark", "x")
        await stage.until(lambda: stage.app.state.needs == 2)
        assert "✗ oom   " not in "\n".join(line for line in stage.seen.splitlines() if "│" in line or "┃" in line)
        await stage.press("enter")
        await stage.sees("! diverged", "WHAT HAPPENED")
        await stage.press("escape")
        await stage.sees("! 1 needs you", "? gone lost")
        await stage.until(lambda: records.home.run("wild").read_notes().seen == 1)

    async def again(stage: Stage) -> None:
        await stage.until(lambda: stage.heard(messages.ProblemsSeen))
        await stage.sees("! 1 needs you", "? gone lost")
        await stage.press("exclamation_mark", "X")
        await stage.sees("Nothing needs you.")
        await stage.press("escape")
        await stage.sees("all well")
        await stage.until(lambda: records.home.run("gone").read_notes().seen == 1)

    async def at_last(stage: Stage) -> None:
        await stage.until(lambda: stage.heard(messages.ProblemsSeen) and stage.app.main.history.at_hand())
        await stage.sees("all well")

    for play_next in (play, again, at_last):
        perform(box, play_next)


def test_what_was_seen_elsewhere_is_seen_here(box: Box, records: Records) -> None:
    records.run("oom", "failed")

    async def play(stage: Stage) -> None:
        await stage.sees("! 1 needs you")
        annotating.see(records.home, "oom")  # as another dashboard does
        await stage.sees("all well")

    perform(box, play)


def test_r_in_the_problems_goes_on_with_the_run(box: Box, records: Records) -> None:
    records.run("oom", "failed", cwd=str(box.work), command=("train.py", "--bs", "32"))

    async def play(stage: Stage) -> None:
        await stage.sees("! 1 needs you")
        await stage.press("exclamation_mark", "r")
        await stage.sees("Launch a run", "--bs 32")
        await stage.until(lambda: "no checkpoint" in " ".join(stage.seen.split()))

    perform(box, play, size=(120, 40))
