from __future__ import annotations

import os
import socket
import struct
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backprop_tui.artifacts.content import open_file
from backprop_tui.artifacts.verdict import Verdict, judge
from tests.unit.made_checkpoints import (
    assert_bad,
    assert_good,
    hdf5,
    safetensors,
    state_dict,
    torch_zip,
    write,
)


def test_safetensors(tmp_path):
    path = safetensors(tmp_path / "m.safetensors", [10, 0, 30])
    assert_good(path, "safetensors")
    data = path.read_bytes()
    for length in (1, 7, 8, 20, len(data) - 40, len(data) - 1):
        assert_bad(write(path, data[:length]), "safetensors", "")
    assert_bad(write(path, data + b"x"), "safetensors", "longer than its own header says")
    assert_bad(write(path, struct.pack("<Q", 10**12) + data), "safetensors", "no sensible length")


@pytest.mark.parametrize(
    "header",
    [
        "",
        "[]",
        "{",
        "3",
        '{"a": 3}',
        '{"a": {}}',
        '{"a": {"data_offsets": [0, 1e99]}}',
        '{"a": {"data_offsets": "ab"}}',
        "[" * 100_000,
        '{"a": {"data_offsets": [0, null]}}',
    ],
)
def test_a_safetensors_header_of_another_form(tmp_path, header):
    content = struct.pack("<Q", len(header)) + header.encode()
    assert_bad(write(tmp_path / "m.safetensors", content), "safetensors", "its header is not the JSON object")


@pytest.mark.parametrize("version", [0, 1, 2, 3])
@pytest.mark.parametrize("start", [0, 512, 2048])
def test_hdf5(tmp_path, version, start):
    path = tmp_path / "model.weights.h5"
    assert_good(write(path, hdf5(version, 5000, 5000, start)), "hdf5")
    assert_bad(write(path, hdf5(version, 5000, 8000, start)), "hdf5", "it ends too early: 5,000 bytes of 8,000")
    assert_bad(write(path, hdf5(version, 5000, 2048, start)), "hdf5", "it was not closed")


def test_odd_hdf5(tmp_path):
    path = tmp_path / "w.hdf5"
    assert_bad(write(path, "no hdf5 at all"), "hdf5", "no HDF5 signature")
    assert_bad(write(path, hdf5(9, 500, 500)), "hdf5", "unknown version")
    assert_bad(write(path, hdf5(0, 500, 500)[:20]), "hdf5", "not whole")
    assert_bad(write(path, hdf5(0, 500, 500)[:8]), "hdf5", "unknown version")
    still_open = bytearray(hdf5(3, 500, 500))
    still_open[11] = 1
    assert_bad(write(path, bytes(still_open)), "hdf5", "it was not closed")
    assert_good(write(tmp_path / "no-name", hdf5(2, 500, 500)), "hdf5")


@pytest.mark.parametrize("content", ['{"step": 1, "w": [1.5, NaN]}', "[]", "3"])
def test_json(tmp_path, content):
    assert_good(write(tmp_path / "c.json", content), "json")


@pytest.mark.parametrize("content", ['{"step": 1, "w": [1.5,', b"\xff\xfe\x00", "[" * 100_000])
def test_broken_json(tmp_path, content):
    assert_bad(write(tmp_path / "c.json", content), "json", "JSON")


def test_of_a_very_long_json_the_end_is_looked_at(tmp_path):
    numbers = b"[" + b"1," * (9 * 1024 * 1024)
    assert_good(write(tmp_path / "c.json", numbers + b"1]\n"), "json")
    assert_bad(write(tmp_path / "c.json", numbers), "json", "cut off")


@pytest.mark.parametrize("name", ["model.pt", "m.bin", "model", "x.pkl"])
def test_any_other_file_has_to_have_content(tmp_path, name):
    assert_good(write(tmp_path / name, b"x"), "file")
    assert_bad(write(tmp_path / name, b""), "file", "it is empty")


def test_a_legacy_torch_file_is_known_by_its_magic(tmp_path):
    magic = bytes.fromhex("80028a0a6cfc9c46f920") + b"j\xa8P\x19."
    assert_good(write(tmp_path / "old.pt", magic + b"rest"), "torch-legacy")


@pytest.mark.parametrize(
    "name",
    [
        "tmp.pth.tar",
        ".tmpA1b2",
        "m.pt.tmp",
        "m.part",
        "5.orbax-checkpoint-tmp-17",
        "tmp-checkpoint-500",
        "tmpk3_f9q2a",
        "a.incomplete",
    ],
)
def test_temporary_names(tmp_path, name):
    assert_bad(write(tmp_path / name, "content"), "temporary", "it is a temporary file")
    os.unlink(tmp_path / name)
    (tmp_path / name).mkdir()
    assert_bad(tmp_path / name, "temporary", "it is a temporary folder")


def test_what_is_not_there(tmp_path):
    (tmp_path / "dangling").symlink_to("nowhere")
    write(tmp_path / "file", "x")
    for name in ("nothing", "nothing/below", "dangling", "file/below", "nul\0", "sur\ud800rogate", ""):
        verdict = judge(str(tmp_path / name) if name else "")
        assert verdict == Verdict(kind="missing", good=False, why="it is not there")


def test_what_cannot_be_looked_at(tmp_path):
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    assert_bad(tmp_path / "a", "unknown", "it cannot be looked at: ")
    assert_bad(tmp_path / ("n" * 300), "unknown", "it cannot be looked at: ")


def test_what_is_no_file(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "fifo.pt")
    monkeypatch.chdir(tmp_path)  # a socket's path must be short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket.pt")
        for path in (tmp_path / "fifo.pt", tmp_path / "socket.pt", Path("/dev/null")):
            assert_bad(path, "special", "not a file")
    with pytest.raises(OSError, match="not a regular file"):
        open_file(str(tmp_path / "fifo.pt"))


def test_links_are_followed(tmp_path):
    write(tmp_path / "real.json", "{}")
    (tmp_path / "latest.json").symlink_to("real.json")
    assert_good(tmp_path / "latest.json", "json")


def test_no_file_is_read_in_one_huge_piece(tmp_path):
    path = tmp_path / "huge"
    with open(path, "wb") as file:
        file.truncate(1 << 34)
    with open_file(str(path)) as opened, pytest.raises(OSError, match="too long"):
        opened.read()


def sound_files() -> dict[str, bytes]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        torch = torch_zip(folder / "m.pt", state_dict(3), ["0", "1", "2"]).read_bytes()
        tensors = safetensors(folder / "m.safetensors", [4, 4]).read_bytes()
    return {"m.pt": torch, "m.safetensors": tensors, "m.h5": hdf5(0, 200, 200), "m.json": b'{"a": [1, 2]}'}


SOUND = sound_files()
CHANGES = st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 255)), max_size=12)


@given(st.sampled_from(sorted(SOUND)), CHANGES, st.integers(0, 3000))
def test_no_content_makes_the_judge_raise(name, changes, length):
    data = bytearray(SOUND[name])
    for place, value in changes:
        data[place % len(data)] = value
    with tempfile.TemporaryDirectory(prefix="judge") as folder:
        path = os.path.join(folder, name)
        with open(path, "wb") as file:
            file.write(data[: max(length, 1)])
        verdict = judge(path)
    assert verdict.good is (verdict.why == "")


@pytest.mark.parametrize("name", ["tmp_model.pt", "template.bin", "tmpdir.bin", "my.tmp.bin"])
def test_names_that_only_look_temporary(tmp_path, name):
    assert judge(str(write(tmp_path / name, "content"))).kind != "temporary"
