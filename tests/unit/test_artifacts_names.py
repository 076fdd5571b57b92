from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backprop_tui.artifacts.names import (
    BEST,
    WEIGHTS,
    WHOLE,
    may_matter,
    rank_of,
    read_file_name,
    read_folder_name,
)

FILES = [
    # name, level, rank, step, number
    ("ckpt.pt", "sure", WHOLE, None, None),
    ("last.pt", "sure", WHOLE, None, None),
    ("best.pt", "likely", BEST, None, None),
    ("epoch5.pt", "sure", WHOLE, None, None),
    ("last.pth.tar", "sure", WHOLE, None, None),
    ("checkpoint-12.pth.tar", "sure", WHOLE, None, 12),
    ("model_best.pth.tar", "likely", BEST, None, None),
    ("recovery-3-120.pth.tar", "sure", WHOLE, None, None),
    ("model_0004999.pth", "sure", WHOLE, 4999, 4999),
    ("model_final.pth", "likely", WEIGHTS, None, None),
    ("epoch_2.pth", "sure", WHOLE, None, None),
    ("iter_500.pth", "sure", WHOLE, 500, 500),
    ("model_0.pth", "sure", WHOLE, None, 0),
    ("snapshot_000450.pt", "sure", WHOLE, None, 450),
    ("epoch=1-step=40.ckpt", "sure", WHOLE, 40, None),
    ("last.ckpt", "sure", WHOLE, None, None),
    ("latest.weights.h5", "sure", WHOLE, None, None),
    ("model.keras", "likely", WHOLE, None, None),
    ("epoch-028.keras", "sure", WHOLE, None, None),
    ("model.05-0.32.keras", "sure", WHOLE, None, None),
    ("m.weights.h5", "likely", WHOLE, None, None),
    ("rl_model_1000_steps.zip", "sure", WHOLE, 1000, 1000),
    ("best_model.zip", "proof", BEST, None, None),
    ("ppo_cartpole.zip", "proof", WHOLE, None, None),
    ("m_7.ubj", "sure", WHOLE, 7, 7),
    ("m_7.json", "proof", WHOLE, None, 7),
    ("model.txt.snapshot_iter_10", "sure", WHOLE, 10, 10),
    ("model_450.txt", "proof", WHOLE, None, 450),
    ("ep1-ba42-rank0.pt", "sure", WHOLE, 42, None),
    ("model.safetensors", "likely", WEIGHTS, None, None),
    ("pytorch_model.bin", "likely", WEIGHTS, None, None),
    ("model.bin", "likely", WHOLE, None, None),
    ("resnet50-0676ba61.pth", "likely", WHOLE, None, None),
    ("yolov8n.pt", "likely", WHOLE, None, 8),
    ("vit_b_16-c867db91.pth", "likely", WHOLE, None, None),
    ("model_v2.pt", "likely", WHOLE, None, 2),
    ("weights.npz", "likely", WHOLE, None, None),
    ("params.pkl", "likely", WHOLE, None, None),
    ("checkpoint", "proof", WHOLE, None, None),
    ("checkpoint_100", "likely", WHOLE, None, 100),
    ("model.h5", "likely", WHOLE, None, None),
    ("netG_epoch_10.pth", "sure", WHOLE, None, None),
    ("ckpt_500.pt", "sure", WHOLE, None, 500),
    ("global_step100.pt", "sure", WHOLE, 100, 100),
    ("model_and_optimizer.pt", "likely", WHOLE, None, None),
    ("train_step_100.pt", "sure", WHOLE, 100, 100),
    ("actor.pth", "likely", WHOLE, None, None),
]

NO_CHECKPOINTS = [
    "tmp.pth.tar",
    ".tmpAb3",
    "m.pt.tmp",
    "tmpk3_f9q2a",
    "x.pt.bkp",
    "x.pt.bak",
    "ckpt.pt.broken",
    ".hidden.pt",
    "optimizer.pt",
    "scheduler.pt",
    "rng_state.pth",
    "rng_state_0.pth",
    "training_args.bin",
    "random_states_0.pkl",
    "scaler.pt",
    "optimizer.bin",
    "rl_model_replay_buffer_1000_steps.pkl",
    "rl_model_vecnormalize_1000_steps.pkl",
    "model-00001-of-00002.safetensors",
    "train.pt",
    "data.pt",
    "embeddings.pt",
    "features.npy",
    "x.npz",
    "cache.pkl",
    "data.h5",
    "foo.bin",
    "tokenizer.model",
    "spm.model",
    "gpt2.msgpack",
    "samples_step_100.pt",
    "predictions_epoch_3.npz",
    "events.out.tfevents.1700000000.box.1.0",
    "metrics.csv",
    "train.log",
    "README.md",
]


@pytest.mark.parametrize(("name", "level", "rank", "step", "number"), FILES)
def test_names_of_files(name, level, rank, step, number):
    found = read_file_name(name)
    assert found is not None
    assert (found.name, found.level, found.rank, found.step, found.number) == (name, level, rank, step, number)
    assert may_matter(name)
    assert rank_of(name) == rank


@pytest.mark.parametrize("name", NO_CHECKPOINTS)
def test_other_names(name):
    assert read_file_name(name) is None


@pytest.mark.parametrize("name", ["ckpt-10.index", "ckpt-10.data-00000-of-00001"])
def test_files_that_share_a_prefix_are_one(name):
    found = read_file_name(name)
    assert found is not None
    assert (found.name, found.level, found.number) == ("ckpt-10", "sure", 10)
    assert may_matter(name)


@pytest.mark.parametrize(
    ("name", "level", "rank", "step", "number"),
    [
        ("checkpoint-500", "sure", WHOLE, 500, 500),
        ("checkpoint_3", "sure", WHOLE, None, 3),
        ("step_500", "sure", WHOLE, 500, 500),
        ("step500", "sure", WHOLE, 500, 500),
        ("epoch_1", "sure", WHOLE, None, None),
        ("global_step100", "sure", WHOLE, 100, 100),
        ("iter_0001000", "sure", WHOLE, 1000, 1000),
        ("40", "proof", WHOLE, 40, 40),
        ("model-last", "sure", WHOLE, None, None),
        ("model-best", "sure", BEST, None, None),
        ("last", "sure", WHOLE, None, None),
        ("best_model", "sure", BEST, None, None),
        ("final", "sure", WEIGHTS, None, None),
        ("checkpoint-best-loss", "sure", BEST, None, None),
        ("epoch=1-step=40.ckpt", "sure", WHOLE, 40, None),
    ],
)
def test_names_of_folders(name, level, rank, step, number):
    found = read_folder_name(name)
    assert found is not None
    assert (found.level, found.rank, found.step, found.number) == (level, rank, step, number)


@pytest.mark.parametrize(
    "name",
    [
        "checkpoints",
        "models",
        "weights",
        "backup",
        "version_0",
        "train2",
        "step-by-step",
        "exp_step_500",
        "tmp-checkpoint-500",
        "40.orbax-checkpoint-tmp-1",
        ".cache",
    ],
)
def test_other_folders(name):
    assert read_folder_name(name) is None


@given(st.text(max_size=300))
def test_no_name_raises(name):
    may_matter(name)
    for found in (read_file_name(name), read_folder_name(name)):
        assert found is None or found.step is None or found.step >= 0
    assert rank_of(name) in (WHOLE, WEIGHTS, BEST)
