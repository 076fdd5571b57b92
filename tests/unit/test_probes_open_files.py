"""What processes hold open for writing, and what they have written, by what /proc says of real ones."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from backprop_tui.probes import open_files
from backprop_tui.probes.open_files import open_for_writing, written_by
from tests.requirements import require

WRITER = """
import os, sys
folder = sys.argv[1]
kept = [open(folder + "/log.txt", "w"), open(folder + "/out.csv", "a+"), open(folder + "/in.txt"), open("/dev/null", "w")]
gone = open(folder + "/gone", "w")
os.unlink(folder + "/gone")
open(folder + "/big", "wb").write(bytes(1_000_000))
pid = os.fork()
if pid == 0:
    open(folder + "/childs", "wb").write(bytes(500_000))
    os._exit(0)
os.waitpid(pid, 0)
os.read(0, 1)
"""


@pytest.fixture(autouse=True)
def _linux() -> None:
    require("linux", sys.platform == "linux", "there is no /proc here")


def test_files_open_for_writing_and_bytes_written(tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text("x")
    argv = [sys.executable, "-c", WRITER, str(tmp_path)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
        try:
            while not (tmp_path / "childs").exists() or (written_by([process.pid]) or 0) < 1_500_000:
                assert process.poll() is None
            found = open_for_writing([process.pid, 2**22])
            written = written_by([process.pid, 2**22])
        finally:
            assert process.stdin is not None
            process.stdin.close()
    assert sorted(os.path.relpath(path, tmp_path) for path in found) == ["log.txt", "out.csv"]
    assert written is not None
    assert 1_500_000 <= written < 1_700_000


def test_of_what_is_gone_nothing_is_known() -> None:
    assert open_for_writing([2**22]) == []
    assert written_by([2**22]) is None
    assert written_by([]) is None


def test_only_so_many_open_files_are_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(open_files, "_MAX_FILES", 2)
    looked_at: list[str] = []
    monkeypatch.setattr(open_files, "_regular", looked_at.append)
    open_for_writing([os.getpid()] * 5)
    assert len(looked_at) <= 2


@pytest.mark.parametrize("text", ["", "pos:\t0\n", "pos:\t0\nflags:\tzz\n", "flags:"])
def test_odd_descriptions_of_open_files(tmp_path: Path, text: str) -> None:
    (tmp_path / "info").write_text(text)
    assert not open_files._is_writable(str(tmp_path / "info"))


@pytest.mark.parametrize(("flags", "writable"), [("0100001", True), ("0100002", True), ("02100000", False)])
def test_flags_of_open_files(tmp_path: Path, flags: str, writable: bool) -> None:
    (tmp_path / "info").write_text(f"pos:\t0\nflags:\t{flags}\nmnt_id:\t29\n")
    assert open_files._is_writable(str(tmp_path / "info")) is writable
