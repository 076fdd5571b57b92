from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path

import pytest

from backprop_tui.artifacts import content as contents
from backprop_tui.artifacts import folders
from backprop_tui.artifacts.verdict import judge

STATE = '{"global_step": 500}'


def fill(folder: Path, files: dict[str, str]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return folder


HF = {
    "config.json": "{}",
    "model.bin": "weights",
    "training_args.bin": "x",
    "optimizer.pt": "x",
    "scheduler.pt": "x",
    "rng_state.pth": "x",
    "trainer_state.json": STATE,
}
ACCELERATE = {"model.bin": "w", "optimizer.bin": "o", "scheduler.bin": "s", "random_states_0.pkl": "r"}
ORBAX = {
    "_CHECKPOINT_METADATA": "{}",
    "default/manifest.ocdbt": "m",
    "default/d/abc": "data",
    "default/_METADATA": "{}",
}


def without(files: dict[str, str], *names: str, **more: str) -> dict[str, str]:
    return {name: content for name, content in files.items() if name not in names} | more


@pytest.mark.parametrize(
    ("name", "files", "kind", "fault"),
    [
        ("checkpoint-500", HF, "hf-trainer", ""),
        ("any-name", HF, "hf-trainer", ""),
        (
            "checkpoint-500",
            without(HF, "trainer_state.json"),
            "hf-trainer",
            "trainer_state.json, written last, is",
        ),
        (
            "checkpoint-500",
            {"config.json": "{}", "training_args.bin": "x"},
            "hf-trainer",
            "trainer_state.json",
        ),
        (
            "checkpoint-500",
            HF | {"trainer_state.json": '{"glob'},
            "hf-trainer",
            "trainer_state.json in it is not whole",
        ),
        (
            "checkpoint-500",
            HF | {"checkpoint-is-incomplete.txt": ""},
            "hf-trainer",
            "checkpoint-is-incomplete.txt",
        ),
        (
            "checkpoint-500",
            HF | {"optimizer.pt": "PK\x03\x04torn"},
            "hf-trainer",
            "optimizer.pt in it is not whole: its",
        ),
        (
            "checkpoint-500",
            HF | {"model.safetensors": "torn"},
            "hf-trainer",
            "model.safetensors in it is not whole",
        ),
        ("final", {"config.json": "{}", "model.bin": "w", "training_args.bin": "x"}, "folder", ""),
        ("checkpoint_0", ACCELERATE, "accelerate", ""),
        ("checkpoint-10", ACCELERATE | {"unet/w.bin": "w"}, "accelerate", ""),
        (
            "c",
            without(ACCELERATE, "random_states_0.pkl"),
            "accelerate",
            "random_states_0.pkl, written last, is missing",
        ),
        ("c", without(ACCELERATE, "model.bin"), "accelerate", "it holds no model"),
        ("c", without(ACCELERATE, "optimizer.bin"), "accelerate", "it holds no optimizer"),
        (
            "c",
            {"random_states_0.pkl": "r", "pytorch_model/mp_rank_00_model_states.pt": "w"},
            "accelerate",
            "",
        ),
        ("40", ORBAX, "orbax", ""),
        ("final", ORBAX, "orbax", ""),
        ("40", without(ORBAX, "_CHECKPOINT_METADATA"), "orbax", "its _CHECKPOINT_METADATA is missing"),
        ("40", ORBAX | {"params.orbax-checkpoint-tmp-3/a": "x"}, "orbax", "is not finished"),
        ("40", {"model.bin": "w"}, "folder", ""),
        ("dcp", {"__0_0.distcp": "x", ".metadata": "m"}, "torch-distributed", ""),
        ("dcp", {"__0_0.distcp": "x"}, "torch-distributed", ".metadata, written last, is missing"),
        ("m", {"model-00001-of-00002.bin": "a", "model-00002-of-00002.bin": "b"}, "folder", ""),
        ("m", {"model-00001-of-00002.bin": "a"}, "folder", "it holds 1 of the 2 parts of model.bin"),
        (
            "m",
            {"variables/variables.data-00000-of-00003": "a"},
            "folder",
            "1 of the 3 parts of variables.data",
        ),
        ("any", {"model.bin": "w", "log/x.json": "{}"}, "folder", ""),
        ("any", {"model.bin": "w", "log/x.json": "{"}, "folder", "log/x.json in it is not whole"),
        ("any", {"deep/weights": "w"}, "folder", ""),
        ("any", {"weights": ""}, "folder", "without content"),
        ("any", {}, "folder", "without content"),
        ("any", {".tmpAb3": "half a file"}, "folder", "without content"),
        ("any", {"model.bin": "w", "x.json.tmp": "{"}, "folder", ""),
        ("any", {"model.bin": "w", "x\n\x1b[2J.json": "{"}, "folder", r"x\n\x1b[2J.json in it"),
    ],
)
def test_folders(tmp_path, name, files, kind, fault):
    verdict = judge(str(fill(tmp_path / name, files)))
    assert (verdict.kind, verdict.good) == (kind, not fault), verdict
    assert fault in verdict.why
    assert verdict.size == sum(len(content.encode()) for content in files.values())


def test_the_path_may_end_in_a_slash(tmp_path):
    fill(tmp_path / "tmp-checkpoint-5", HF)
    assert judge(str(tmp_path / "tmp-checkpoint-5") + "/").kind == "temporary"


@pytest.mark.parametrize(
    ("files", "fault"),
    [
        ({"ckpt-1.index": "i", "ckpt-1.data-00000-of-00001": "d", "ckpt-10.index": "i"}, ""),
        ({"ckpt-1.index": "i", "ckpt-1.data-00000-of-00002": "d"}, "1 of the 2 parts"),
        ({"ckpt-1.data-00000-of-00001": "d"}, "its .index file is missing"),
        ({"ckpt-1.index": "", "ckpt-1.data-00000-of-00001": "d"}, "its .index file is missing or empty"),
        ({"ckpt-1.index": "i"}, "its .data files are missing"),
    ],
)
def test_a_tensorflow_checkpoint_is_named_by_its_prefix(tmp_path, files, fault):
    fill(tmp_path, files)
    verdict = judge(str(tmp_path / "ckpt-1"))
    assert (verdict.kind, verdict.good) == ("tf-checkpoint", not fault), verdict
    assert fault in verdict.why


def test_a_prefix_is_looked_for_in_the_working_directory_too(tmp_path, monkeypatch):
    fill(tmp_path, {"model.index": "i", "model.data-00000-of-00001": "d"})
    monkeypatch.chdir(tmp_path)
    assert judge("model").good


def test_the_search_for_a_prefix_is_bounded(tmp_path, monkeypatch):
    fill(tmp_path, {"model.index": "i", "model.data-00000-of-00001": "d"})
    monkeypatch.setattr(contents, "MAX_ENTRIES", 0)
    assert judge(str(tmp_path / "model")).kind == "missing"


def test_links_in_folders(tmp_path):
    fill(tmp_path / "blobs", {"b": "weights"})
    folder = fill(tmp_path / "snapshot", {})
    (folder / "model.bin").symlink_to("../blobs/b")
    assert judge(str(folder)).good
    os.unlink(tmp_path / "blobs" / "b")
    assert judge(str(folder)).why == "it is a folder without content"
    (folder / "other").write_text("x")
    assert judge(str(folder)).why == "model.bin in it is a link to nothing"


def test_loops_of_links_end(tmp_path):
    folder = fill(tmp_path / "loop", {"a/b/model.bin": "w"})
    for name in ("one", "two", "a/three", "a/b/four"):
        (folder / name).symlink_to(folder)
    verdict = judge(str(folder))
    assert (verdict.good, verdict.size) == (True, 1)


def test_what_is_no_file_is_left_out(tmp_path):
    folder = fill(tmp_path / "c", {"model.bin": "w"})
    os.mkfifo(folder / "fifo.pt")
    (folder / "folder.zip").mkdir()
    assert judge(str(folder)).good


def test_walks_are_bounded(tmp_path):
    deep = tmp_path / "deep"
    fill(deep / "/".join("1234567"), {"seen": "xx"})
    fill(deep / "/".join("12345678"), {"unseen": "yyy"})
    assert judge(str(deep)).size == 2
    wide = fill(tmp_path / "wide", {})
    for number in range(10_050):
        os.symlink("/dev/null", wide / str(number))
    (wide / "model.bin").write_text("w")
    assert judge(str(wide)).kind == "folder"


def test_only_so_many_files_are_opened(tmp_path, monkeypatch):
    opened: list[str] = []

    def judge_file(path, size):
        opened.append(path)
        return "file", ""

    monkeypatch.setattr(folders, "judge_file", judge_file)
    folder = fill(tmp_path / "many", {f"{number}.json": "{}" for number in range(300)})
    assert judge(str(folder)).good
    assert len(opened) == 200


def test_an_unreadable_subfolder_is_passed_over(tmp_path, monkeypatch):
    folder = fill(tmp_path / "c", {"model.bin": "w", "closed/x": "y"})
    real = os.scandir

    def scandir(path):
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied")
        if str(path).endswith("shut"):
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    assert judge(str(folder)).good
    assert judge(str(fill(tmp_path / "shut", {"a": "b"}))).why == "it cannot be looked at: Permission denied"


def test_a_stamp_changes_while_a_checkpoint_grows(tmp_path):
    path = tmp_path / "m.bin"
    path.write_text("one")
    assert judge(str(path)).stamp == (3, path.stat().st_mtime_ns)
    with open(path, "a") as file:
        file.write("more")
    os.utime(path, ns=(5, 5))
    assert judge(str(path)).stamp == (7, 5)


def test_a_folders_stamp_counts_all_its_files(tmp_path):
    folder = fill(tmp_path / "c", {"a": "12", "b/c": "345"})
    size, newest = judge(str(folder)).stamp
    assert size == 5
    os.utime(folder / "b" / "c", ns=(newest + 10**9, newest + 10**9))
    assert judge(str(folder)).stamp == (5, newest + 10**9)
    (folder / "b" / "c").write_text("3456")
    assert judge(str(folder)).stamp[0] == 6


def test_judging_reads_no_more_than_it_must(tmp_path):
    """A large tensor's record is never read."""
    path = tmp_path / "m.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", b"content")
        archive.writestr("y.npy", json.dumps(list(range(100))))
    data = bytearray(path.read_bytes())
    data[data.index(b"content")] ^= 1
    path.write_bytes(data)
    assert judge(str(path)).good
