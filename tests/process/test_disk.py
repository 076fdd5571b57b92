"""A disk without room: nothing of backprop's ends a training, and the record is right once there is room."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.box import Box, script
from tests.requirements import require
from tests.stand_ins.waiting import wait_until


@pytest.fixture
def small(tmp_path: Path, box: Box) -> Iterator[Path]:
    """A filesystem of 1 MB, on which the Governor keeps nothing free."""
    box.env["BACKPROP_SET_MIN_FREE_DISK_GB"] = "0"
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    able = os.geteuid() == 0 and subprocess.run(mount, capture_output=True, check=False).returncode == 0
    require("mount", able, "a small filesystem needs the right to mount")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder: Path) -> Path:
    path = folder / "filling"
    with path.open("wb", buffering=0) as file:
        for size in (65536, 4096, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                continue
    return path


def test_records_are_completed_once_there_is_room(box: Box, small: Path) -> None:
    box.env["BACKPROP_HOME"] = str(small / "home")
    box.home = small / "home"
    # What it prints goes elsewhere: its own print must not meet the full disk.
    command = f"exec {box.argv()[0]} {script('metrics.py')} --checkpoint-every 0 --steps 100 > {box.work}/out"
    run_id = box.run("run", "-d", "--", "sh", "-c", command).stdout.strip()
    filling = fill(small)
    wait_until(lambda: '"step": 100' in (box.work / "out").read_text() if (box.work / "out").exists() else False)
    assert box.state(run_id)["state"] == "running"
    filling.unlink()
    box.wait_for(run_id, "completed")
    assert any("No space left" in warning for warning in box.state(run_id)["warnings"])
    assert box.json("list")[0]["state"] == "completed"


def test_a_start_without_room_is_refused_in_words(box: Box, small: Path) -> None:
    box.env["BACKPROP_HOME"] = str(small / "home")
    fill(small)
    done = box.run("run", "--", "true", code=2)
    assert "No space left on device" in done.stderr
    assert "free some space" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_read_only_home(box: Box, small: Path) -> None:
    box.env["BACKPROP_HOME"] = str(small / "home")
    subprocess.run(["mount", "-o", "remount,ro", str(small)], check=True)
    done = box.run("run", "--", "true", code=2)
    assert "Read-only file system" in done.stderr
    assert box.run("list").stdout.startswith("no runs yet")
