"""The lists in every state: empty, with runs in progress of any kind, with a record that cannot be read."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from backprop_tui.probes.host import sample_host
from backprop_tui.tui import messages
from backprop_tui.tui.feeds import RunsFeed
from tests.box import Box, script
from tests.tui.records import G, Records, falling
from tests.tui.stage import Stage, perform

HEAT = ("heat", "GPU 1 at 84 C, limit 83; waits for 75", "governor")
SIZES = [(80, 24), (120, 40), (200, 60), (60, 18), (40, 12), (20, 6)]


def all_states(records: Records) -> None:
    """A run in progress of each state, and one of each end."""
    records.run("train-a", "running", losses=falling(200), total=400, ago=60, took=58, saved=[("a.pt", 150, 20, 9000)])
    records.run("train-b", "paused", ago=90, took=60)
    records.run("train-c", "paused", ago=80, took=60, reason=HEAT)
    records.run("train-d", "stopping", ago=600)
    records.run("train-e", "starting", ago=3)
    records.run("train-f", "queued", ago=30)
    for n, state in enumerate(("completed", "timeboxed", "stopped", "failed", "diverged", "lost")):
        records.run(f"end-{state}", state, ago=1000 + 100 * n, losses=falling(50))


# --- empty


@pytest.mark.parametrize("size", SIZES)
def test_the_first_run_is_explained(box: Box, size: tuple[int, int]) -> None:
    async def play(stage: Stage) -> None:
        await stage.until(lambda: stage.app.main.is_first_run and stage.heard(messages.HistoryListed))
        await stage.sees(*(("START HERE", "n launch", "all well") if size[0] >= 40 else ("START HERE",)))
        assert "HISTORY" not in stage.seen
        assert stage.heard(messages.HistoryListed)[0].listing.total == 0
        await stage.press("n")
        await stage.sees("Launch a run")

    perform(box, play, size=size)


def test_nothing_runs_but_there_is_a_history(box: Box, records: Records) -> None:
    records.run("old", "completed", losses=falling(50))

    async def play(stage: Stage) -> None:
        await stage.sees("Nothing is running. n launches a run, r resumes one from history.", "✓ old", "HISTORY 1")
        assert "START HERE" not in stage.seen
        assert stage.app.main.pane is stage.app.main.history

    perform(box, play)


def test_the_first_one_runs_and_none_has_ended(box: Box, records: Records) -> None:
    records.run("first", "running", losses=falling(50), ago=60)

    async def play(stage: Stage) -> None:
        await stage.sees("● first", "Ended runs will be listed here.", "HISTORY 0")
        assert "START HERE" not in stage.seen

    perform(box, play)


def test_a_filter_that_finds_nothing(box: Box, records: Records) -> None:
    records.run("lora", "completed")

    async def play(stage: Stage) -> None:
        await stage.sees("✓ lora")
        await stage.press("slash")
        await stage.type("zzz")
        await stage.sees('No run matches "zzz". esc clears.', "HISTORY 0 of 1")
        assert stage.heard(messages.HistoryListed)[-1].listing.view.text == "zzz"
        await stage.press("enter")
        await stage.sees("/ zzz")
        await stage.press("escape")
        await stage.sees("✓ lora")

    perform(box, play)


def test_the_archive_and_back_from_it(box: Box, records: Records) -> None:
    records.run("kept", "completed")
    records.run("hidden", "failed", archived=True)

    async def play(stage: Stage) -> None:
        await stage.sees("✓ kept", "HISTORY 1", "all well")
        assert "hidden" not in stage.seen
        await stage.press("A")
        await stage.sees("ARCHIVED 1", "✗ hidden", "D bring back")
        assert "kept" not in stage.seen
        await stage.press("D")
        await stage.sees("Nothing is archived. D on an ended run archives it.")
        await stage.press("escape")
        await stage.sees("HISTORY 2", "✗ hidden", "✓ kept")

    perform(box, play)


# --- in progress


def test_every_state_in_progress_has_its_words(box: Box, records: Records) -> None:
    all_states(records)

    async def play(stage: Stage) -> None:
        await stage.sees("ACTIVE 6", "HISTORY 6", "end-completed", "end-lost")
        await stage.sees("1 running · 2 paused · 1 stopping · 1 starting · 1 queued")
        rows = stage.app.main.active.rows
        assert [row.state for row in rows] == ["running", "paused", "paused", "stopping", "starting", "queued"]
        expected = {
            "train-a": ("●", "50%", "2.100", "↘"),
            "train-b": ("‖", "paused   paused by anna; p continues"),
            "train-c": ("‖", "paused   GPU 1 at 84 C, limit 83; waits for 75"),
            "train-d": ("▼", "stopping time is up: saving a checkpoint"),
            "train-e": ("►", "starting loading, "),
            "train-f": ("□", "10:00 queued   3.1 GB of RAM free, 4.0 GB wanted"),
        }
        for name, words in expected.items():
            assert all(word in stage.row(name) for word in words), stage.row(name)
        for state, sign in zip(
            ("completed", "timeboxed", "stopped", "failed", "diverged", "lost"), "✓»■✗!?", strict=True
        ):
            assert f"{sign} end-{state}" in stage.seen
            assert state in stage.row(f"end-{state}").split()[2]
        assert {row.id for row in stage.heard(messages.RunsSeen)[-1].rows} == {f"train-{letter}" for letter in "abcdef"}

    perform(box, play, size=(120, 40))


@pytest.mark.parametrize("size", SIZES)
def test_states_at_every_size(box: Box, records: Records, size: tuple[int, int]) -> None:
    all_states(records)

    async def play(stage: Stage) -> None:
        await stage.until(lambda: len(stage.app.main.active.rows) == 6 and stage.app.main.history.at_hand())
        await stage.sees("train-a" if size[0] >= 40 else "●")
        lines = stage.seen.splitlines()
        assert len(lines) == size[1]
        if size[1] >= 12:
            assert "end-" in stage.seen, "the history is always there"
        if size[0] >= 40:
            assert "? help" in lines[-1], "help is always named"
        seen = [stage.app.main.active.current]
        for _n in range(5):
            await stage.press("j")
            seen.append(stage.app.main.active.current)
            assert seen[-1] is not None
            assert stage.app.main.active.cursor_row <= stage.app.main.active.size.height - 1, "the cursor is in sight"
        assert len({row.id for row in seen if row is not None}) == 6

    perform(box, play, size=size)


def test_a_pause_of_the_governor_is_not_lifted_by_a_key(box: Box, records: Records) -> None:
    records.run("hot", "paused", ago=80, took=60, reason=HEAT)
    records.run("waits", "queued", ago=30)

    async def play(stage: Stage) -> None:
        await stage.sees("‖ hot", "all well")
        await stage.press("p")
        await stage.sees("The Governor holds hot: GPU 1 at 84 C, limit 83;")
        await stage.press("exclamation_mark")
        await stage.sees("Nothing needs you.", "The Governor is taking care of these:")
        await stage.sees("paused: GPU 1 at 84 C, limit 83; waits", "queued: 3.1 GB of RAM free")

    perform(box, play)


def test_p_continues_what_a_person_paused(box: Box) -> None:
    run_id = box.run("run", "-d", "-n", "mine", script("metrics.py")).stdout.strip()
    box.wait_for_step(run_id, 2)
    box.run("pause", run_id)

    async def play(stage: Stage) -> None:
        await stage.sees("‖ mine", "p continues", "1 paused", "p continue")
        lefts = {message.rows[0].left_s for message in stage.heard(messages.RunsSeen)}
        count = len(stage.heard(messages.RunsSeen))
        await stage.until(lambda: len(stage.heard(messages.RunsSeen)) >= count + 2)  # a second or more
        lefts |= {message.rows[0].left_s for message in stage.heard(messages.RunsSeen)}
        assert len(lefts) == 1, "the time box stands still"
        await stage.press("p")
        await stage.sees("● mine", "1 running")

    perform(box, play)


def test_a_stop_shows_until_the_script_has_saved(box: Box) -> None:
    run_id = box.run("run", "-d", "-n", "slow", script("slow_checkpoint.py"), "--", "1.5").stdout.strip()
    box.wait_for(run_id, "running")

    async def play(stage: Stage) -> None:
        await stage.sees("● slow")
        await stage.until(lambda: box.state(run_id).get("checkpoints"))
        await stage.press("K", "y")
        await stage.sees("▼ slow", "stopping")
        await stage.press("K")
        await stage.sees("Still saving", "F Force now", "esc Wait")
        await stage.press("escape")
        await stage.sees("■ slow", "stopped", "slow stopped, saved at step 2.")
        assert [record.run.id for m in stage.heard(messages.RunsEnded) for record in m.records] == [run_id]

    perform(box, play)


def test_the_keys_go_to_what_runs_however_soon_the_history_is_there(
    box: Box, records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    records.run("old", "completed")
    records.run("alive", "running", losses=falling(50), ago=60)
    is_listed = threading.Event()
    work = RunsFeed.work

    def late(self: RunsFeed) -> None:
        is_listed.wait()
        work(self)

    monkeypatch.setattr(RunsFeed, "work", late)

    async def play(stage: Stage) -> None:
        await stage.sees("✓ old")
        is_listed.set()
        await stage.sees("● alive")
        assert stage.app.main.pane is stage.app.main.active

    perform(box, play)


# --- refused


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (60, 18), (40, 12)])
def test_a_launch_that_is_refused_waits_in_the_queue(box: Box, size: tuple[int, int]) -> None:
    total = (sample_host(0.0).ram_total_bytes or 0) / G
    wanted = f"{0.99 * total:.1f}"  # never free, but there
    box.env["BACKPROP_SET_MIN_FREE_RAM_GB"] = wanted
    (box.work / "train.py").write_text(Path(script("metrics.py")).read_text())

    async def play(stage: Stage) -> None:
        await stage.sees("START HERE")
        await stage.press("n")
        await stage.type("train.py")
        if size[1] > 12:
            await stage.sees("not now: it waits in the queue", "✗ RAM: ", f"{wanted} GB wanted")
        await stage.until(lambda: "queue it" in stage.seen)
        await stage.press("enter")
        await stage.until(lambda: [row.state for row in stage.app.main.active.rows] == ["queued"])
        name = stage.app.main.active.rows[0].name
        await stage.sees(f"□ {name}", "1 queued")
        if size[0] >= 80:
            assert f"needs {wanted}G RAM, " in stage.row(f"□ {name}")
        assert stage.app.main.target is not None
        assert stage.app.main.target.state == "queued", "the cursor is on it"
        await stage.press("K")
        await stage.sees("out of the queue?", "esc Keep", "y Take out")
        await stage.press("y")
        await stage.sees(f"■ {name}")

    perform(box, play, size=size)
    assert [row["state"] for row in box.json("list")] == ["stopped"]


def test_a_second_run_waits_for_a_slot(box: Box) -> None:
    box.env["BACKPROP_SET_MAX_PARALLEL"] = "1"
    first = box.run("run", "-d", "-n", "first", script("metrics.py")).stdout.strip()
    box.run("run", "-d", "-n", "second", "--wait", script("metrics.py"))

    async def play(stage: Stage) -> None:
        await stage.sees("● first", "□ second", "1 running · 1 queued")
        assert "1 of 1 runs in progress" in stage.row("□ second")
        box.run("stop", "--force", first)
        await stage.sees("● second", "■ first")

    perform(box, play)


# --- damaged and foreign records


def test_a_broken_record_is_shown_and_hides_nothing(box: Box, records: Records) -> None:
    records.run("good", "completed")
    records.run("alive", "running", losses=falling(50), ago=60)
    for name, state in (("torn", "running"), ("empty", "completed")):
        folder = records.run(name, state)
        Path(folder.file("state.json")).write_text('{"version": 1, "id"')

    async def play(stage: Stage) -> None:
        await stage.sees("● alive", "✓ good", "✗ torn", "✗ empty", "HISTORY 3", "ACTIVE 1")
        assert "broken" in stage.row("✗ torn")
        assert not stage.heard(messages.FeedFailed)
        await stage.press("2", "g", "enter")
        await stage.until(lambda: "is damaged: " in stage.seen.replace("\n", ""))
        await stage.press("escape")
        await stage.sees("HISTORY 3")

    perform(box, play)


def test_runs_of_another_tool_are_taken_in(box: Box) -> None:
    async def play(stage: Stage) -> None:
        await stage.sees("START HERE")
        entry = {
            "id": "theirs", "name": "from-the-editor", "scriptPath": "/x/train.py", "status": "completed",
            "lastStep": 1234, "lastLoss": 0.25, "startTime": 1_700_000_000_000, "endTime": 1_700_000_600_000,
        }  # fmt: skip
        (box.home / "experiments.json").write_text(json.dumps({"theirs": entry}))
        await stage.sees("✓ from-the-editor", "1,234", "HISTORY 1")

    perform(box, play)
