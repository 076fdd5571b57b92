"""Real scripts that save without saying so: what is found, what is cut, what is kept, what is gone on from."""

from __future__ import annotations

import os
import signal
import zipfile
from pathlib import Path
from typing import Any

from tests.box import Box, is_running, script
from tests.stand_ins.waiting import wait_until

SAVER = script("quiet_saver.py")


def found(box: Box, run_id: str = "r") -> list[dict[str, Any]]:
    return list(box.state(run_id).get("checkpoints") or [])


def steps(box: Box, *, good: bool = True) -> list[int]:
    return [c["step"] for c in found(box) if c["good"] is good]


def start(box: Box, *args: str, flags: tuple[str, ...] = ()) -> None:
    box.run("run", "-d", SAVER, "--run-id", "r", *flags, "--", *args)


def step_in(path: Path) -> int:
    """The step that the script itself wrote down."""
    return int(zipfile.ZipFile(path).read("a/step"))


def wait_for_growth(path: Path) -> None:
    """Until a file is being written: there, and not for long."""
    wait_until(lambda: path.exists() and 1000 < path.stat().st_size < 100_000)


def test_checkpoints_are_found_judged_and_gone_on_from(box: Box) -> None:
    start(box)
    wait_until(lambda: len(steps(box)) >= 2)
    box.run("stop", "r")
    saved = found(box)
    assert {(c["kind"], c["found"], c["good"], c["slice"]) for c in saved} == {("torch", "folder", True, 1)}
    first = saved[0]["step"]  # the record keeps the newest twenty
    assert [c["step"] for c in saved] == list(range(first, first + 20 * len(saved), 20))
    newest = box.work / "out" / f"step_{saved[-1]['step']}.pt"
    assert saved[-1]["path"] == str(newest)
    box.run("resume", "r", "-m", "1s")
    second = box.state("r")["slices"][1]
    assert (second["resumed_from"], second["first_step"]) == (str(newest), saved[-1]["step"] + 1)


def test_one_that_was_cut_is_known_and_the_one_before_it_taken(box: Box) -> None:
    start(box, "--write-seconds", "60", "--slow-from", "60")
    cut = box.work / "out" / "step_60.pt"
    wait_until(lambda: steps(box) == [20, 40])
    wait_for_growth(cut)
    box.run("stop", "--force", "r")
    (bad,) = (c for c in found(box) if not c["good"])
    assert (bad["path"], bad["found"]) == (str(cut), "folder")
    assert "not written to its end" in bad["why"]
    done = box.run("resume", "r", "-m", "1s")
    assert f"skipped {cut}" in done.stderr
    assert box.state("r")["slices"][1]["first_step"] == 41


def test_the_very_first_one_is_waited_for_when_the_box_ends(box: Box) -> None:
    start(box, "--every", "40", "--write-seconds", "4", flags=("-m", "3s"))
    run = box.wait_for("r", "timeboxed")
    assert (steps(box), steps(box, good=False)) == ([40], [])
    assert run["slices"][0]["forced"] is False


def test_one_that_is_written_over_is_kept_while_a_slice_goes_on_from_it(box: Box) -> None:
    in_place = ("--name", "ckpt.pt")
    original = box.work / "out" / "ckpt.pt"
    start(box, *in_place)
    wait_until(lambda: len(steps(box)) == 1)
    box.run("stop", "r")
    (saved,) = found(box)
    before, step = original.read_bytes(), step_in(original)

    box.run("resume", "r", "-d", "--", *in_place, "--write-seconds", "60", "--every", str(step + 20))
    kept = box.home / "runs" / "r" / "kept" / "1" / "ckpt.pt"
    box.wait_for_step("r", step + 1)
    copy = next(c for c in found(box) if c["found"] == "copy")
    assert (copy["path"], copy["step"], copy["good"]) == (str(kept), saved["step"], True)
    assert kept.read_bytes() == before
    assert box.state("r")["slices"][1]["resumed_from"] == str(original)
    wait_for_growth(original)
    box.run("stop", "--force", "r")

    done = box.run("resume", "r", "-m", "1s", "--", *in_place, "--every", "1000")
    assert f"skipped {original}" in done.stderr
    third = box.state("r")["slices"][2]
    assert (third["resumed_from"], third["first_step"]) == (str(kept), step + 1)
    assert [c["found"] for c in found(box)].count("copy") == 1, "a copy is not copied"


def test_copies_can_be_done_without(box: Box) -> None:
    start(box, "--name", "ckpt.pt", "--interval", "0.3")
    wait_until(lambda: len(steps(box)) == 1)
    box.run("stop", "r")
    box.run("resume", "r", "-m", "1s", "--checkpoint-copy", "no")
    assert not (box.home / "runs" / "r" / "kept").exists()


def test_files_of_another_program_in_the_same_folder_are_not_taken(box: Box) -> None:
    start(box)
    theirs = box.work / "theirs"
    theirs.mkdir()
    wait_until(lambda: len(steps(box)) >= 1)
    packed = next((box.work / "out").iterdir()).read_bytes() * 50
    for n in range(3):
        (theirs / f"step_{n}.pt").write_bytes(packed)
        count = len(steps(box))
        wait_until(lambda count=count: len(steps(box)) > count)  # type: ignore[misc]
    box.run("stop", "r")
    assert all(Path(c["path"]).parent == box.work / "out" for c in found(box))


def test_two_runs_in_one_folder_keep_apart(box: Box) -> None:
    for name in ("a", "b"):
        box.run("run", "-d", "--max-parallel", "2", SAVER, "--run-id", name, "--", "--out", f"out_{name}")
    wait_until(lambda: all(len(found(box, name)) >= 2 for name in ("a", "b")))
    for name in ("a", "b"):
        box.run("stop", name)
        assert {Path(c["path"]).parent.name for c in found(box, name)} == {f"out_{name}"}


def test_what_lies_on_the_disk_is_found_when_the_supervisor_was_killed(box: Box) -> None:
    start(box)
    box.wait_for_step("r", 45)
    state = box.state("r")
    os.kill(state["owner"]["process"]["pid"], signal.SIGKILL)
    wait_until(lambda: not is_running(state["training"]["pid"]))
    assert box.json("list")[0]["state"] == "lost"
    assert {20, 40} <= set(steps(box))
    newest = max(steps(box))
    box.run("resume", "r", "-m", "1s")
    assert box.state("r")["slices"][1]["first_step"] == newest + 1


def test_watched_patterns_find_what_no_name_tells(box: Box) -> None:
    start(box, "--name", "{step}.mine", flags=("--watch", "out/*.mine"))
    wait_until(lambda: len(found(box)) >= 1)
    box.run("stop", "r")
    assert found(box)[0]["path"] == str(box.work / "out" / "20.mine")
