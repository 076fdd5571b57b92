from __future__ import annotations

import struct
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backprop_tui.artifacts import pickles, zips
from backprop_tui.artifacts.pickles import storage_keys
from backprop_tui.artifacts.verdict import judge
from tests.unit.made_checkpoints import (
    Storage,
    assert_bad,
    assert_good,
    state_dict,
    torch_pickle,
    torch_zip,
    write,
)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_storage_keys_are_read_at_every_protocol(protocol):
    content = [
        state_dict(300),
        Storage("shared"),
        [1.5] * 50,
        ("storage", "x", "y"),
        {"other": Storage("shared")},
    ]
    assert storage_keys(torch_pickle(content, protocol)) == [*(str(i) for i in range(300)), "shared"]


@pytest.mark.parametrize("broken", [b"", b"\x80\x02", b"\x80\x02X\xff\xff\xff\x7fa.", b"\xff.", b"I12x\n.", b"("])
def test_a_broken_pickle_is_told(broken):
    with pytest.raises(ValueError, match=r"\w"):
        storage_keys(broken)


def test_other_persistent_ids_are_no_storages():
    assert storage_keys(b"\x80\x02(X\x07\x00\x00\x00storagetQ0(U\x01aU\x01bU\x01ctQ.") == []


@given(st.binary(max_size=200))
def test_no_pickle_raises_anything_else(data):
    try:
        storage_keys(b"\x80\x04" + data)
    except ValueError:
        pass


def test_a_whole_torch_file(tmp_path):
    path = torch_zip(tmp_path / "m.pt", state_dict(40), [str(i) for i in range(40)])
    assert_good(path, "torch")
    info = path.stat()
    verdict = judge(str(path))
    assert verdict.stamp == (info.st_size, info.st_mtime_ns)


def test_a_torch_file_without_tensors_and_without_a_root_folder(tmp_path):
    assert_good(torch_zip(tmp_path / "a.pt", {"step": 1}, []), "torch")
    assert_good(torch_zip(tmp_path / "b.pt", state_dict(3), ["0", "1", "2"], root=""), "torch")


def test_an_interrupted_torch_save_is_seen_though_the_zip_is_whole(tmp_path):
    path = torch_zip(tmp_path / "m.pt", state_dict(40), [str(i) for i in range(27)])
    assert_bad(path, "torch", "it holds 27 of its 40 tensors")
    assert_bad(torch_zip(path, state_dict(2), ["0"]), "torch", "it holds 1 of its 2 tensors")


def test_a_torch_file_cut_anywhere_is_bad(tmp_path):
    data = torch_zip(tmp_path / "m.pt", state_dict(10), [str(i) for i in range(10)]).read_bytes()
    path = tmp_path / "cut.pt"
    for length in [*range(5), *range(5, len(data), 37), len(data) - 1]:
        assert not judge(str(write(path, data[:length]))).good, length


def test_a_torch_file_with_a_broken_pickle(tmp_path):
    for number, content in enumerate((b"no pickle", torch_pickle(state_dict(3))[:-4])):
        path = tmp_path / f"{number}.pt"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("m/data.pkl", content)
        assert_bad(path, "torch", "its data.pkl is no whole pickle")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("m/.data/serialization_id", "1")
    assert_bad(path, "torch", "its data.pkl is missing")


@pytest.mark.parametrize(
    ("place", "value", "fault"),
    [
        (8, 1, "packed in a way"),
        (10, 99, "packed in a way"),
        (16, 0, "cannot be unpacked"),
        (24, 255, "more bytes"),
    ],
)
def test_a_torch_file_whose_directory_lies(tmp_path, place, value, fault):
    path = torch_zip(tmp_path / "m.pt", state_dict(3), ["0", "1", "2"])
    data = bytearray(path.read_bytes())
    entry = data.index(b"PK\x01\x02")
    data[entry + place] = value
    if place == 24:  # the packed size too
        data[entry + 23] = value
    assert_bad(write(path, bytes(data)), "torch" if place != 24 else "zip", fault)


def test_very_long_pickles_are_read_in_part(tmp_path, monkeypatch):
    pickled = torch_pickle([Storage("0"), *range(100), Storage("1")])
    monkeypatch.setattr(pickles, "_MAX_OPERATIONS", 50)
    assert storage_keys(pickled) == ["0"]
    monkeypatch.setattr(zips, "_MAX_PICKLE", 10)
    assert_good(torch_zip(tmp_path / "m.pt", state_dict(3), []), "torch")


def test_nothing_of_a_pickle_is_ever_run(tmp_path):
    class Evil:
        def __reduce__(self) -> tuple[object, ...]:
            return (Path.touch, (tmp_path / "ran",))

    path = torch_zip(tmp_path / "m.pt", {"evil": Evil(), "w": Storage("0")}, ["0"])
    assert_good(path, "torch")
    assert not (tmp_path / "ran").exists()


def test_a_directory_that_claims_too_much_is_bad(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a", b"x" * 100)
    data = bytearray(path.read_bytes())
    at = data.index(b"PK\x01\x02")
    data[at + 20 : at + 24] = struct.pack("<I", 10**6)
    assert_bad(write(path, bytes(data)), "zip", "more bytes than there are")


def test_a_directory_that_would_begin_before_the_file_is_broken(tmp_path):
    data = torch_zip(tmp_path / "m.pt", state_dict(3), ["0", "1", "2"]).read_bytes()
    end = data.index(b"PK\x05\x06")
    claims = data[: end + 12] + struct.pack("<I", 10**5) + data[end + 16 :]
    assert_bad(write(tmp_path / "m.pt", claims), "zip", "its zip directory is missing or broken")


@pytest.mark.parametrize(
    ("name", "members", "fault"),
    [
        ("m.keras", ["metadata.json", "config.json", "model.weights.h5"], ""),
        ("m.keras", ["metadata.json", "config.json", "model.weights.json"], ""),
        ("m.keras", ["metadata.json", "config.json"], "model.weights.h5 is missing"),
        ("m.keras", ["config.json", "model.weights.h5"], "metadata.json is missing"),
        ("a.npz", ["x.npy"], ""),
        ("a.npz", [], "without content"),
        ("ppo.zip", ["data", "policy.pth", "_stable_baselines3_version", "system_info.txt"], ""),
        ("ppo.zip", ["data", "policy.pth", "_stable_baselines3_version"], "system_info.txt is missing"),
        ("any.zip", ["x"], ""),
    ],
)
def test_other_zips(tmp_path, name, members, fault):
    path = tmp_path / name
    with zipfile.ZipFile(path, "w") as archive:
        for member in members:
            archive.writestr(member, b"content")
    verdict = judge(str(path))
    assert verdict.good is (not fault), verdict
    assert fault in verdict.why
    assert verdict.kind == {"m.keras": "keras", "a.npz": "npz", "any.zip": "zip", "ppo.zip": "sb3"}[name]


@pytest.mark.parametrize("name", ["a.npz", "m.keras", "a.zip"])
def test_a_name_that_promises_a_zip(tmp_path, name):
    assert not judge(str(write(tmp_path / name, "no zip"))).good


def test_a_zip_whose_directory_is_huge_is_refused(tmp_path):
    path = tmp_path / "m.zip"
    with open(path, "wb") as file:
        file.write(b"PK\x03\x04")
        file.truncate(1 << 30)
        file.seek(1 << 30)
        file.write(struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, (1 << 30) - 4, 4, 0))
    assert_bad(path, "file", "it cannot be read")
