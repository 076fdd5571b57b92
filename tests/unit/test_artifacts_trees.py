"""Boosted trees, numpy, pickles, tags: verdicts on files that were cut anywhere."""

from __future__ import annotations

import io
import json
import os
import pickle
import struct
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backprop_tui.artifacts import trees
from backprop_tui.artifacts.kinds import proves_itself
from backprop_tui.artifacts.trees import judge_ubjson
from backprop_tui.artifacts.verdict import judge
from tests.unit.made_checkpoints import (
    LIGHTGBM,
    assert_bad,
    assert_good,
    hdf5,
    keras_zip,
    sb3_zip,
    state_dict,
    torch_zip,
    ubjson,
    write,
    xgboost_model,
)

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**31), 2**31 - 1) | st.floats(width=32, allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)


def test_an_xgboost_model(tmp_path):
    assert_good(write(tmp_path / "m_7.ubj", ubjson(xgboost_model(5))), "xgboost")
    assert_good(write(tmp_path / "m_7.json", json.dumps(xgboost_model(5), separators=(",", ":"))), "xgboost")
    assert_bad(write(tmp_path / "m_7.json", '{"learner":{"trees":[1,2'), "xgboost", "not whole JSON")


def test_an_xgboost_model_cut_anywhere_is_bad(tmp_path):
    data = ubjson(xgboost_model(5))
    path = tmp_path / "m.ubj"
    for length in range(len(data)):
        assert not judge(str(write(path, data[:length]))).good, length


@given(VALUES, st.integers(0, 10_000))
def test_no_ubjson_cut_short_is_whole(value, length):
    data = ubjson({"learner": value})
    with tempfile.TemporaryDirectory(prefix="ubj") as folder:
        path = os.path.join(folder, "m.ubj")
        for content in (data, data[: length % len(data)], data + b"}"):
            with open(path, "wb") as file:
                file.write(content)
            assert (judge_ubjson(path, len(content)) == "") is (content == data)


@given(st.binary(max_size=200))
def test_no_ubjson_makes_the_judge_raise(data):
    with tempfile.TemporaryDirectory(prefix="ubj") as folder:
        path = os.path.join(folder, "m.ubj")
        with open(path, "wb") as file:
            file.write(b"{" + data + b"}")
        assert isinstance(judge_ubjson(path, len(data) + 2), str)


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"{" * 300 + b"}" * 300, "no whole UBJSON"),
        (b"{i\x01a" + b"[" * 200 + b"]" * 200 + b"}", "nested too deeply"),
        (b"{i\x01a[$d#L\x7f\xff\xff\xff\xff\xff\xff\xff}", "it ends in the middle"),
        (b"{i\x01a[#L\x7f\xff\xff\xff\xff\xff\xff\xff}", "it ends in the middle"),
        (b"{i\x01a[#i\xff}", "no whole UBJSON"),
        (b"{i\x01a[$d}", "no whole UBJSON"),
        (b"{i\xff}", "no whole UBJSON"),
        (b"[]", "does not begin like"),
        (b"{i\x01aT}x}", "it goes on behind its end"),
    ],
)
def test_broken_ubjson(tmp_path, data, fault):
    assert fault in judge_ubjson(str(write(tmp_path / "m.ubj", data)), len(data))


def test_a_very_long_ubjson_is_judged_by_its_end(tmp_path, monkeypatch):
    monkeypatch.setattr(trees, "_MAX_VALUES", 10)
    data = ubjson(xgboost_model(50))
    assert_good(write(tmp_path / "m.ubj", data), "xgboost")
    for length in range(1, len(data), 7):
        assert not judge(str(write(tmp_path / "m.ubj", data[:length]))).good


def test_numbers_of_a_tree_are_stepped_over(tmp_path, monkeypatch):
    data = ubjson({"learner": {"weights": [0.5] * 500_000}, "version": [3]})
    path = str(write(tmp_path / "m.ubj", data))
    sizes = []

    class Counted(io.FileIO):
        def read(self, size: int | None = -1, /) -> bytes:
            found = super().read(size) or b""
            sizes.append(len(found))
            return found

    monkeypatch.setattr(trees, "open_file", Counted)
    assert judge_ubjson(path, len(data)) == ""
    assert sum(sizes) < 50_000


@pytest.mark.parametrize("end", ["", "\npandas_categorical:null\n", "\npandas_categorical:[[1, 2]]\n"])
def test_a_lightgbm_model(tmp_path, end):
    path = tmp_path / "model.txt.snapshot_iter_10"
    assert_good(write(path, LIGHTGBM + end), "lightgbm")
    assert_good(write(tmp_path / "model.txt", LIGHTGBM + end), "lightgbm")
    for length in range(5, len(LIGHTGBM) - len("\n")):
        assert_bad(write(path, LIGHTGBM[:length]), "lightgbm", "its parameters, written last")
    assert_bad(write(path, LIGHTGBM + "\npandas_categorical:[[1"), "lightgbm", "its parameters, written last")


@pytest.mark.parametrize(
    ("header", "data", "good"),
    [
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }", 48, True),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }", 47, False),
        ("{'descr': '<f8', 'fortran_order': False, 'shape': (), }", 8, True),
        ("{'descr': '|b1', 'fortran_order': False, 'shape': (7,), }", 7, True),
        ("{'descr': '|b1', 'fortran_order': False, 'shape': (7,), }", 3, False),
        ("{'descr': '|O', 'fortran_order': False, 'shape': (7,), }", 3, True),
        ("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (7,), }", 3, True),
    ],
)
def test_a_numpy_array(tmp_path, header, data, good):
    raw = header.encode()
    content = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(raw)) + raw + bytes(data)
    verdict = judge(str(write(tmp_path / "w.npy", content)))
    assert (verdict.kind, verdict.good) == ("npy", good)
    assert_bad(write(tmp_path / "w.npy", content[:20]), "npy", "its header is not whole")
    assert_bad(write(tmp_path / "w.npy", b"something else"), "npy", "does not begin like")


def test_a_pickle_cut_short_is_bad(tmp_path):
    data = pickle.dumps({"step": 3, "w": [1.5] * 100})
    assert_good(write(tmp_path / "agent.pkl", data), "pickle")
    assert_bad(write(tmp_path / "agent.pkl", data[:-1]), "pickle", "its end is missing")


def test_a_file_of_zeros_did_not_reach_the_disk(tmp_path):
    assert_bad(write(tmp_path / "ckpt.pt", bytes(5000)), "torch", "zero bytes")
    assert_good(write(tmp_path / "raw.bin", bytes(5000)), "file")


def test_a_tag_stands_for_the_file_that_it_names(tmp_path):
    torch_zip(tmp_path / "model_0004999.pth", state_dict(3), ["0", "1", "2"])
    tag = tmp_path / "last_checkpoint"
    for content in ("model_0004999.pth", str(tmp_path / "model_0004999.pth"), "model_0004999.pth\n"):
        assert_good(write(tag, content), "tag")
    assert_bad(write(tag, "model_0009999.pth"), "tag", "it names model_0009999.pth, which is not there")
    assert_bad(write(tag, "last_checkpoint"), "tag", "names no file")
    assert_bad(write(tag, " \n"), "tag", "names no file")
    assert_bad(write(tag, "x" * 5000), "tag", "too long")
    assert_bad(write(tag, b"a\0b"), "tag", "not there")
    (tmp_path / "model_0004999.pth").write_bytes(b"PK\x03\x04 cut")
    assert_bad(write(tag, "model_0004999.pth"), "tag", "which is not whole")


def test_known_tools_are_told_apart(tmp_path):
    content = {**state_dict(2), "pytorch-lightning_version": "2.6.6", "global_step": 40}
    assert_good(torch_zip(tmp_path / "epoch=1-step=40.ckpt", content, ["0", "1"]), "lightning")
    assert_bad(torch_zip(tmp_path / "epoch=1-step=40.ckpt", content, ["0"]), "lightning", "1 of its 2 tensors")


@pytest.mark.parametrize(
    ("name", "content", "proof"),
    [
        ("m.json", b'{"learner":{}}', True),
        ("m.json", b'{"step": 1}', False),
        ("m.txt", LIGHTGBM.encode(), True),
        ("notes.txt", b"trees are green", False),
        ("m.bin", ubjson(xgboost_model(1)), True),
        ("m.txt", b"", False),
    ],
)
def test_what_proves_itself(tmp_path, name, content, proof):
    assert proves_itself(str(write(tmp_path / name, content))) is proof
    assert not proves_itself(str(tmp_path / "missing"))


@pytest.mark.parametrize("make", [sb3_zip, keras_zip])
def test_zips_cut_anywhere_are_bad(tmp_path, make):
    data = make(tmp_path / ("m.keras" if make is keras_zip else "m.zip")).read_bytes()
    path = tmp_path / ("cut.keras" if make is keras_zip else "cut.zip")
    for length in range(0, len(data), 23):
        assert not judge(str(write(path, data[:length]))).good, length


def test_hdf5_cut_anywhere_is_bad(tmp_path):
    data = hdf5(0, 3000, 3000)
    for length in range(0, len(data), 7):
        assert not judge(str(write(tmp_path / "m.weights.h5", data[:length]))).good, length


KERAS_BACKUP = {"latest.weights.h5": hdf5(0, 500, 500), "training_metadata.json": b'{"epoch": 12, "batch": 0}'}
SPACY = {
    "meta.json": b"{}",
    "config.cfg": b"[nlp]",
    "tokenizer": b"t",
    "textcat/model": b"m",
    "vocab/strings.json": b"[]",
}


def fill(folder: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def without(files: dict[str, bytes], name: str) -> dict[str, bytes]:
    return {other: content for other, content in files.items() if other != name}


def test_a_keras_backup_folder(tmp_path):
    assert_good(fill(tmp_path / "a", KERAS_BACKUP), "keras-backup")
    for n, (files, fault) in enumerate(
        [
            (without(KERAS_BACKUP, "latest.weights.h5"), "latest.weights.h5 is missing"),
            (without(KERAS_BACKUP, "training_metadata.json"), "training_metadata.json is missing"),
            (KERAS_BACKUP | {"training_metadata.json": b'{"ep'}, "training_metadata.json in it is not whole"),
            (KERAS_BACKUP | {"latest.weights.h5": hdf5(0, 300, 500)}, "latest.weights.h5 in it is not whole"),
        ]
    ):
        assert_bad(fill(tmp_path / str(n), files), "keras-backup", fault)


def test_a_spacy_folder(tmp_path):
    folder = fill(tmp_path / "model-last", SPACY)
    assert_good(folder, "spacy")
    meta = (folder / "meta.json").stat().st_mtime_ns
    os.utime(folder / "vocab" / "strings.json", ns=(meta - 5 * 10**9, meta - 5 * 10**9))
    assert_bad(folder, "spacy", "its vocab, written last, is older than the rest")
    assert_bad(fill(tmp_path / "a" / "model-last", without(SPACY, "config.cfg")), "spacy", "config.cfg is missing")
    assert_bad(fill(tmp_path / "b" / "x", without(SPACY, "vocab/strings.json")), "spacy", "vocab is missing")
