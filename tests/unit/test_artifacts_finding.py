"""Histories of looks at a run's folders: which checkpoints are found, when, and with which step."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from backprop_tui.artifacts import finding
from backprop_tui.artifacts.candidate import Moment
from backprop_tui.artifacts.finding import MAX_KNOWN, MAX_PENDING, Finder
from backprop_tui.artifacts.names import Name
from backprop_tui.artifacts.places import Places
from backprop_tui.artifacts.stepping import step_of
from backprop_tui.artifacts.watching import Watch
from tests.unit.made_checkpoints import (
    LIGHTGBM,
    hdf5,
    keras_zip,
    safetensors,
    sb3_zip,
    state_dict,
    torch_zip,
    ubjson,
    xgboost_model,
)


class Looks:
    """A slice that began a thousand seconds ago and trains since; a look every two seconds."""

    def __init__(self, cwd: Path, *, watch: tuple[str, ...] = (), owns: Callable[..., bool] = lambda *_: True) -> None:
        self.cwd = cwd
        self.began = time.time() - 1000
        self.now = 100.0
        pattern = Watch(watch, str(cwd)) if watch else None
        self.places = Places(str(cwd), since=self.began, watch=pattern)
        self.finder = Finder(self.places, pattern, owns)
        self.step: int | None = 50
        self.more: dict[str, Any] = {"trains_since": self.began}

    def look(self, **more: Any) -> list[tuple[Any, ...]]:
        self.now += 2
        self.finder.take(self.places.look(time.time(), seconds=60))
        moment = Moment(now=self.now, epoch=time.time(), step=self.step, began=self.began, **{**self.more, **more})
        found = self.finder.settle(moment)
        for one in found:
            if one.verdict.good:
                self.finder.settled(one.path, one.verdict.stamp)
        return [(os.path.relpath(one.path, self.cwd), one.step, one.verdict.kind, one.verdict.good) for one in found]

    def looks(self, count: int) -> list[tuple[Any, ...]]:
        return [found for _ in range(count) for found in self.look()]

    def end(self, *, is_cut: bool = True) -> list[tuple[Any, ...]]:
        return self.look(is_final=True, is_cut=is_cut)


@pytest.fixture
def looks(tmp_path: Path) -> Looks:
    return Looks(tmp_path)


def torch(path: Path, tensors: int = 2) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return torch_zip(path, state_dict(tensors), [str(n) for n in range(tensors)])


def half(path: Path, tensors: int = 2) -> Path:
    """As a save leaves it that was interrupted."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return torch_zip(path, state_dict(tensors), ["0"])


def fill(folder: Path, files: dict[str, str | bytes]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def test_a_checkpoint_is_told_once_it_has_come_to_rest(looks, tmp_path):
    torch(tmp_path / "out" / "step_40.pt")
    assert looks.look() == []
    assert looks.look() == [("out/step_40.pt", 40, "torch", True)]
    assert looks.looks(5) == []
    assert looks.end() == []


def test_one_that_is_written_over_is_told_anew(looks, tmp_path):
    for step in (50, 60, 70):
        looks.step = step
        torch(tmp_path / "ckpt.pt", step)
        assert looks.looks(3) == [("ckpt.pt", step, "torch", True)]


def test_one_that_grows_is_told_when_it_is_whole(looks, tmp_path):
    data = torch(tmp_path / "ckpt.pt", 40).read_bytes()
    for length in range(1000, len(data), 1000):
        (tmp_path / "ckpt.pt").write_bytes(data[:length])
        assert looks.look() == []
        assert looks.finder.unfinished == (str(tmp_path / "ckpt.pt"),)
    assert looks.looks(3) == [], "a writer that stands still is not done"
    (tmp_path / "ckpt.pt").write_bytes(data)
    assert looks.looks(2) == [("ckpt.pt", 50, "torch", True)]
    assert looks.finder.unfinished == ()


def test_one_that_was_half_written_at_the_end_is_told_as_bad(looks, tmp_path):
    torch(tmp_path / "out" / "step_40.pt")
    looks.looks(2)
    half(tmp_path / "out" / "step_50.pt")
    looks.look()
    assert looks.end() == [("out/step_50.pt", 50, "torch", False)]


def test_one_that_nobody_saw_before_the_end_is_told_then(looks, tmp_path):
    torch(tmp_path / "out" / "step_40.pt")
    half(tmp_path / "out" / "step_50.pt")
    assert looks.end() == [("out/step_40.pt", 40, "torch", True), ("out/step_50.pt", 50, "torch", False)]


def test_one_that_never_rests_is_told_in_between(looks, tmp_path):
    told = []
    for n in range(12):
        torch(tmp_path / "ckpt.pt", 3 + n % 2)
        told += looks.look()
    assert [found[0] for found in told] == ["ckpt.pt"] * 3


def test_one_without_a_form_that_never_rests_is_not_told(looks, tmp_path):
    for n in range(12):
        (tmp_path / "model.bin").write_bytes(b"x" * (n + 1))
        assert looks.look() == []


def test_one_without_a_form_has_to_rest_longer(looks, tmp_path):
    (tmp_path / "model.bin").write_bytes(b"weights")
    assert looks.looks(5) == []
    assert looks.look() == [("model.bin", 50, "file", True)]


@pytest.mark.parametrize("is_cut", [True, False])
def test_one_without_a_form_that_was_written_last_is_doubted_after_a_cut(looks, tmp_path, is_cut):
    (tmp_path / "model.bin").write_bytes(b"weights")
    looks.look()
    assert looks.end(is_cut=is_cut) == [("model.bin", 50, "file", not is_cut)]


def test_a_folder_is_one_checkpoint(looks, tmp_path):
    fill(tmp_path / "out" / "checkpoint-40", HF)
    assert looks.looks(3) == [("out/checkpoint-40", 40, "hf-trainer", True)]


def test_a_folder_that_is_not_whole_waits(looks, tmp_path):
    folder = fill(tmp_path / "checkpoint-40", {name: HF[name] for name in HF if name != "trainer_state.json"})
    assert looks.looks(4) == []
    fill(folder, {"trainer_state.json": HF["trainer_state.json"]})
    assert looks.looks(2) == [("checkpoint-40", 40, "hf-trainer", True)]
    fill(tmp_path / "checkpoint-50", {name: HF[name] for name in HF if name != "trainer_state.json"})
    assert looks.end() == [("checkpoint-50", 50, "hf-trainer", False)]


@pytest.mark.parametrize("missing", ["trainer_state.json", "training_args.bin", "optimizer.pt"])
def test_a_folder_that_was_cut_is_compared_with_the_one_before_it(looks, tmp_path, missing):
    fill(tmp_path / "checkpoint-40", HF)
    looks.looks(2)
    written = list(HF)[: list(HF).index(missing)]
    fill(tmp_path / "checkpoint-50", {name: HF[name] for name in written})
    ((path, _step, _kind, good),) = looks.end()
    assert (path, good) == ("checkpoint-50", False)


def test_a_custom_file_that_comes_last_is_missed_after_a_cut(looks, tmp_path):
    for step in (40, 50):
        fill(tmp_path / f"step_{step}", ACCELERATE | {"custom_checkpoint_0.pkl": "c"})
    assert len(looks.looks(2)) == 2
    fill(tmp_path / "step_60", ACCELERATE)
    assert looks.end() == [("step_60", 60, "accelerate", False)]


def test_before_training_a_file_may_be_a_download(looks, tmp_path):
    looks.more = {"trains_since": None}
    torch(tmp_path / "resnet50-0676ba61.pth")
    torch(tmp_path / "out" / "ckpt.pt")
    looks.began = time.time() - 5
    assert [found[0] for found in looks.looks(4)] == ["out/ckpt.pt"]
    looks.more = {"trains_since": time.time() + 1}
    assert looks.looks(3) == []
    torch(tmp_path / "resnet50-0676ba61.pth", 3)
    assert [found[0] for found in looks.looks(3)] == ["resnet50-0676ba61.pth"], "no download is written over"


def test_a_download_that_stalls_is_not_written_over(looks, tmp_path):
    looks.more = {"trains_since": time.time() + 100}
    data = torch(tmp_path / "resnet50.pth", 40).read_bytes()
    for length in (1000, 2000, len(data)):
        (tmp_path / "resnet50.pth").write_bytes(data[:length])
        assert looks.looks(3) == []


def test_without_metrics_what_comes_late_is_the_trainings(looks, tmp_path):
    looks.more = {"trains_since": None}
    torch(tmp_path / "net.pt")
    assert [found[0] for found in looks.looks(2)] == ["net.pt"]


def test_without_metrics_a_series_is_the_trainings(looks, tmp_path):
    looks.more = {"trains_since": None}
    looks.began = time.time() - 25
    for age, name in ((20, "40.ckpt"), (15, "80.ckpt"), (20, "resnet18.pth"), (15, "resnet50.pth")):
        path = torch(tmp_path / name)
        os.utime(path, (looks.began + 25 - age,) * 2)
    for n in (1, 2, 3):
        path = torch(tmp_path / f"model-0000{n}-of-00003.pt")
        os.utime(path, (looks.began + 3 * n,) * 2)
    assert looks.looks(3) == []
    torch(tmp_path / "120.ckpt")
    assert sorted(found[0] for found in looks.looks(3)) == ["120.ckpt", "40.ckpt", "80.ckpt"]
    torch(tmp_path / "160.ckpt")
    assert [found[0] for found in looks.looks(3)] == ["160.ckpt"]


def test_files_of_other_programs_are_not_taken(tmp_path):
    looks = Looks(tmp_path, owns=lambda *_: False)
    torch(tmp_path / "theirs" / "ckpt.pt")
    torch(tmp_path / "mine" / "ckpt.pt")
    looks.places.add(str(tmp_path / "mine"))
    assert [found[0] for found in looks.looks(4)] == ["mine/ckpt.pt"]
    assert looks.end() == []


def test_what_an_earlier_slice_saved_is_expected_again(tmp_path):
    looks = Looks(tmp_path, owns=lambda *_: False)
    looks.more = {"trains_since": time.time() + 100}
    looks.finder.expect(str(tmp_path / "net.pt"))
    torch(tmp_path / "net.pt")
    assert [found[0] for found in looks.looks(2)] == ["net.pt"]


def test_the_best_counts_only_where_there_is_nothing_else(looks, tmp_path):
    torch(tmp_path / "best.pt")
    assert [found[0] for found in looks.looks(2)] == ["best.pt"]
    torch(tmp_path / "last.pt")
    torch(tmp_path / "best.pt", 3)
    safetensors(tmp_path / "model.safetensors", [8])
    told = looks.look(best_rank=2) + looks.look(best_rank=2)
    assert sorted(found[0] for found in told) == ["best.pt", "last.pt", "model.safetensors"]
    torch(tmp_path / "best.pt", 4)
    safetensors(tmp_path / "model.safetensors", [9])
    assert looks.look(best_rank=0) + looks.look(best_rank=0) == []


def test_a_script_that_reports_is_believed(tmp_path):
    looks = Looks(tmp_path, watch=("extra/*",))
    looks.more["is_told"] = True
    torch(tmp_path / "out" / "ckpt.pt")
    torch(tmp_path / "extra" / "anything")
    assert [found[0] for found in looks.looks(3)] == ["extra/anything"]


def test_what_a_person_watches_needs_no_name(tmp_path):
    looks = Looks(tmp_path, watch=("w/*.state", "folders/*"), owns=lambda *_: False)
    looks.more = {"trains_since": None}
    looks.began = time.time() - 5
    for name in ("w/1.state", "w/optimizer.state", "w/2.state.tmp", "folders/a/x", "folders/a/y/z"):
        fill(tmp_path, {name: "content"})
    assert sorted(found[0] for found in looks.looks(8)) == ["folders/a", "w/1.state", "w/optimizer.state"]


def test_what_is_known_is_not_told_again(looks, tmp_path):
    path = torch(tmp_path / "step_40.pt")
    info = path.stat()
    looks.finder.settled(str(path), (info.st_size, info.st_mtime_ns))
    assert looks.looks(3) == []


def test_one_that_goes_away_is_forgotten(looks, tmp_path):
    path = torch(tmp_path / "step_40.pt")
    looks.look()
    path.unlink()
    assert looks.looks(2) == []
    assert looks.finder.unfinished == ()


def announce(looks: Looks, path: Path, step: int | None = None, run_step: int | None = None) -> None:
    looks.finder.announce(str(path), step, looks.now, run_step=run_step)


def test_the_step_is_the_run_s_when_its_output_told_of_it(looks, tmp_path):
    torch(tmp_path / "out.pt")
    announce(looks, tmp_path / "out.pt", run_step=60)
    assert looks.looks(3) == [("out.pt", 60, "torch", True)]


def test_a_path_in_the_output_is_a_checkpoint(looks, tmp_path):
    announce(looks, tmp_path / "odd-name", 45)
    assert looks.looks(3) == []
    torch(tmp_path / "odd-name")
    assert looks.looks(2) == [("odd-name", 45, "torch", True)]
    announce(looks, tmp_path / "odd-name")
    assert looks.looks(3) == []


def test_a_path_in_the_output_can_be_the_folder_around(looks, tmp_path):
    (tmp_path / "out").mkdir()
    torch(tmp_path / "out" / "ckpt.pt")
    announce(looks, tmp_path / "out")
    assert looks.looks(3) == [("out/ckpt.pt", 50, "torch", True)]
    assert looks.places.is_named(str(tmp_path / "out" / "ckpt.pt"))


def test_a_path_in_the_output_does_not_make_an_old_file_new(looks, tmp_path):
    path = torch(tmp_path / "ckpt.pt")
    os.utime(path, (looks.began - 100, looks.began - 100))
    announce(looks, path)
    assert looks.looks(3) == []
    torch(path, 3)
    assert looks.looks(2) == [("ckpt.pt", 50, "torch", True)]


def test_an_announced_one_that_never_comes_is_given_up(looks, tmp_path, monkeypatch):
    monkeypatch.setattr(finding, "ANNOUNCED_S", 5)
    announce(looks, tmp_path / "odd-name")
    looks.looks(4)
    assert looks.finder.unfinished == ()


def test_what_is_remembered_is_bounded(looks, tmp_path):
    for n in range(MAX_PENDING + 20):
        half(tmp_path / f"step_{n}.pt")
    looks.looks(2)
    assert len(looks.finder.unfinished) <= MAX_PENDING
    assert len(looks.finder._pending) == MAX_PENDING
    for n in range(MAX_KNOWN + 20):
        looks.finder.settled(f"/x/{n}", (1, n))
    assert len(looks.finder._done) == MAX_KNOWN


def test_those_found_in_one_look_come_in_order(looks, tmp_path):
    for step in (100, 90, 1000):
        path = torch(tmp_path / f"step_{step}.pt")
        os.utime(path, (looks.began + 500, looks.began + 500))
    assert [found[1] for found in looks.looks(2)] == [90, 100, 1000]


def test_the_step_is_the_runs_when_the_file_was_finished(looks, tmp_path):
    written = torch(tmp_path / "ckpt.pt").stat().st_mtime
    looks.more["step_at"] = lambda epoch: 33 if epoch == pytest.approx(written) else 99
    assert looks.looks(2) == [("ckpt.pt", 33, "torch", True)]


@pytest.mark.parametrize(
    ("name", "kind", "run_step", "step"),
    [
        (Name(name="checkpoint-40", level="sure", step=40, number=40), "hf-trainer", 7, 40),
        (Name(name="m_7.json", level="proof", number=7), "xgboost", 100, 7),
        (Name(name="ckpt_500.pt", level="sure", number=500), "torch", 512, 500),
        (Name(name="ckpt_500.pt", level="sure", number=500), "torch", 500, 500),
        (Name(name="ckpt_500.pt", level="sure", number=500), "torch", 490, 500),
        (Name(name="ckpt_500.pt", level="sure", number=500), "torch", 400, 400),
        (Name(name="ckpt_500.pt", level="sure", number=500), "torch", 5000, 5000),
        (Name(name="checkpoint-3.pth.tar", level="sure", number=3), "torch", 600, 600),
        (Name(name="ckpt_500.pt", level="sure", number=500), "torch", None, None),
        (Name(name="ckpt.pt", level="sure"), "torch", 12, 12),
    ],
)
def test_steps(tmp_path, name, kind, run_step, step):
    assert step_of(str(tmp_path), name, kind, run_step) == step


def test_the_trainers_own_state_names_the_step(tmp_path):
    name = Name(name="last", level="sure")
    state = json.dumps({"best_global_step": 3, "epoch": 1.5, "global_step": 420, "log_history": []}, indent=2)
    (tmp_path / "trainer_state.json").write_text(state)
    assert step_of(str(tmp_path), name, "hf-trainer", 7) == 420
    (tmp_path / "trainer_state.json").write_text("{")
    assert step_of(str(tmp_path), name, "hf-trainer", 7) == 7
    assert step_of(str(tmp_path / "missing"), name, "hf-trainer", 7) == 7


HF: dict[str, str | bytes] = {
    "config.json": "{}",
    "model.bin": "w",
    "training_args.bin": "a",
    "optimizer.pt": "o",
    "scheduler.pt": "s",
    "rng_state.pth": "r",
    "trainer_state.json": '{"global_step": 40}',
}
ACCELERATE: dict[str, str | bytes] = {
    "model.bin": "w",
    "optimizer.bin": "o",
    "scheduler.bin": "s",
    "random_states_0.pkl": "r",
}


def layout(top: Path, name: str) -> None:
    """What a framework leaves after 50 steps."""
    makers: dict[str, Callable[[], object]] = {
        "hf": lambda: fill(top / "out" / "checkpoint-50", HF),
        "hf-old-staging": lambda: fill(top / "out" / "tmp-checkpoint-50", HF),
        "accelerate": lambda: fill(top / "results" / "checkpoints" / "checkpoint_0", ACCELERATE),
        "accelerate-own-name": lambda: fill(top / "results" / "my_state", ACCELERATE),
        "lightning": lambda: (
            torch(top / "lightning_logs" / "version_0" / "checkpoints" / "epoch=1-step=50.ckpt"),
            fill(top / "lightning_logs" / "version_0", {"metrics.csv": "epoch,step\n", "hparams.yaml": "{}"}),
        ),
        "keras": lambda: (
            fill(top / "backup", {"latest.weights.h5": hdf5(0, 90, 90), "training_metadata.json": '{"epoch": 1}'}),
            keras_zip(folder(top / "checkpoints") / "model-001.keras"),
        ),
        "orbax": lambda: fill(
            top / "ck" / "50", {"_CHECKPOINT_METADATA": "{}", "default/manifest.ocdbt": "m", "default/d/a": "w"}
        ),
        "fastai": lambda: torch(top / "models" / "model_0.pth"),
        "ultralytics": lambda: (
            torch(top / "runs" / "detect" / "train" / "weights" / "last.pt"),
            torch(top / "runs" / "detect" / "train" / "weights" / "best.pt"),
            fill(top / "runs" / "detect" / "train", {"args.yaml": "a: 1", "results.csv": "epoch\n"}),
        ),
        "timm": lambda: (
            torch(top / "output" / "x" / "last.pth.tar"),
            link(top / "output" / "x" / "last.pth.tar", "checkpoint-1.pth.tar", os.link),
        ),
        "detectron2": lambda: (
            torch(top / "output" / "model_0000049.pth"),
            fill(top / "output", {"last_checkpoint": "model_0000049.pth"}),
        ),
        "mmengine": lambda: (
            torch(top / "work_dirs" / "epoch_2.pth"),
            fill(top / "work_dirs", {"last_checkpoint": str(top / "work_dirs" / "epoch_2.pth")}),
        ),
        "nanogpt": lambda: torch(top / "out" / "ckpt.pt"),
        "sb3": lambda: (
            sb3_zip(folder(top / "logs") / "rl_model_50_steps.zip"),
            fill(top / "logs", {"rl_model_replay_buffer_50_steps.pkl": "b"}),
        ),
        "xgboost": lambda: fill(top / "checkpoints", {"model_50.ubj": ubjson(xgboost_model(2))}),
        "xgboost-json": lambda: fill(
            top / "checkpoints", {"m_50.json": json.dumps(xgboost_model(2), separators=(",", ":"))}
        ),
        "lightgbm": lambda: fill(top, {"model.txt.snapshot_iter_50": LIGHTGBM, "log.txt": "tree"}),
        "spacy": lambda: fill(
            top / "output" / "model-last", {"meta.json": "{}", "config.cfg": "c", "textcat/model": "m", "vocab/x": "v"}
        ),
        "composer": lambda: (
            torch(top / "save" / "ep1-ba50-rank0.pt"),
            link(top / "save" / "ep1-ba50-rank0.pt", "latest-rank0.pt", os.symlink),
        ),
        "torchtune": lambda: fill(
            top / "out" / "epoch_0", {"model-00001-of-00001.safetensors": sound_tensors(top), "config.json": "{}"}
        ),
        "tensorflow": lambda: fill(
            top / "tf", {"ckpt-50.index": "i", "ckpt-50.data-00000-of-00001": "d", "checkpoint": "ckpt-50"}
        ),
        "deepspeed": lambda: (
            torch(top / "ds" / "global_step50" / "mp_rank_00_model_states.pt"),
            fill(top / "ds", {"latest": "global_step50"}),
        ),
        "dcp": lambda: fill(top / "dcp" / "step-50", {"__0_0.distcp": "d", ".metadata": "m"}),
        "data": lambda: (
            torch(top / "data" / "processed" / "train.pt"),
            fill(top, {"data/tokens.bin": "t", "config.json": "{}", "vocab.txt": "a", "results/metrics.json": "{}"}),
        ),
    }
    makers[name]()


def folder(path: Path) -> Path:
    path.mkdir()
    return path


def link(path: Path, name: str, make: Callable[[Path, Path], None]) -> Path:
    make(path, path.parent / name)
    return path.parent / name


def sound_tensors(top: Path) -> bytes:
    path = safetensors(top / "made", [8])
    data = path.read_bytes()
    path.unlink()
    return data


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("hf", [("out/checkpoint-50", 50, "hf-trainer")]),
        ("hf-old-staging", []),
        ("accelerate", [("results/checkpoints/checkpoint_0", 52, "accelerate")]),
        ("accelerate-own-name", [("results/my_state", 52, "accelerate")]),
        ("lightning", [("lightning_logs/version_0/checkpoints/epoch=1-step=50.ckpt", 50, "torch")]),
        ("keras", [("backup", 52, "keras-backup"), ("checkpoints/model-001.keras", 52, "keras")]),
        ("orbax", [("ck/50", 50, "orbax")]),
        ("fastai", [("models/model_0.pth", 52, "torch")]),
        ("ultralytics", [(f"runs/detect/train/weights/{which}.pt", 52, "torch") for which in ("best", "last")]),
        ("timm", [("output/x/checkpoint-1.pth.tar", 52, "torch"), ("output/x/last.pth.tar", 52, "torch")]),
        ("detectron2", [("output/model_0000049.pth", 49, "torch")]),
        ("mmengine", [("work_dirs/epoch_2.pth", 52, "torch")]),
        ("nanogpt", [("out/ckpt.pt", 52, "torch")]),
        ("sb3", [("logs/rl_model_50_steps.zip", 50, "sb3")]),
        ("xgboost", [("checkpoints/model_50.ubj", 50, "xgboost")]),
        ("xgboost-json", [("checkpoints/m_50.json", 50, "xgboost")]),
        ("lightgbm", [("model.txt.snapshot_iter_50", 50, "lightgbm")]),
        ("spacy", [("output/model-last", 52, "spacy")]),
        ("composer", [("save/ep1-ba50-rank0.pt", 50, "torch")]),
        ("torchtune", [("out/epoch_0", 52, "folder")]),
        ("tensorflow", [("tf/ckpt-50", 50, "tf-checkpoint")]),
        ("deepspeed", [("ds/global_step50", 50, "folder")]),
        ("dcp", [("dcp/step-50", 50, "torch-distributed")]),
        ("data", []),
    ],
)
def test_layouts(looks, tmp_path, name, found):
    looks.step = 52
    layout(tmp_path, name)
    assert sorted(told[:3] for told in looks.looks(7)) == found
    assert looks.end() == []
