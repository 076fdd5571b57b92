"""Whether a checkpoint is being written right now."""

from __future__ import annotations

import os
from pathlib import Path

from backprop_tui.artifacts.writing import QUIET_S, WriteWatch

NOW = 1_700_000_000.0


def put(path: Path, size: int, epoch: float) -> tuple[int, int]:
    path.write_bytes(b"x" * size)
    os.utime(path, (epoch, epoch))
    info = path.stat()
    return info.st_size, info.st_mtime_ns


def watch(folder: Path) -> WriteWatch:
    found = WriteWatch()
    found.learn(str(folder / "model-1.pt"))
    return found


def test_one_that_is_seen_for_the_first_time_counts(tmp_path: Path) -> None:
    put(tmp_path / "model-2.pt", 10, NOW)
    assert watch(tmp_path).is_writing(NOW, {})


def test_one_that_began_after_the_last_look_counts_as_well(tmp_path: Path) -> None:
    it = watch(tmp_path)
    assert not it.is_writing(NOW, {})
    put(tmp_path / "model-2.pt", 10, NOW + 5)
    assert it.is_writing(NOW + 5, {})


def test_it_is_over_once_nothing_grows_any_more(tmp_path: Path) -> None:
    it = watch(tmp_path)
    put(tmp_path / "model-2.pt", 10, NOW)
    assert it.is_writing(NOW, {})
    put(tmp_path / "model-2.pt", 20, NOW + 0.5)
    assert it.is_writing(NOW + 0.5, {})
    assert not it.is_writing(NOW + 0.5 + QUIET_S, {})


def test_what_is_known_to_be_whole_or_is_another_kind_of_file_does_not_count(tmp_path: Path) -> None:
    stamp = put(tmp_path / "model-2.pt", 10, NOW)
    put(tmp_path / "train.log", 10, NOW)
    assert watch(tmp_path).is_writing(NOW, {})
    assert not watch(tmp_path).is_writing(NOW, {str(tmp_path / "model-2.pt"): stamp})
