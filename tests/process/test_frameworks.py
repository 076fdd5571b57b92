"""Scripts that never heard of backprop, trained for real on the CPU: time box, checkpoint, resume, time box.

Those of heavy frameworks run where an interpreter has them: $BACKPROP_TEST_FRAMEWORKS_PYTHON, or this one.
"""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.box import Box, is_running
from tests.process.unchanged import (
    TORCHRUN,
    Case,
    check_first_slice,
    check_goes_on,
    end_box,
    newest_good,
    resume,
    start,
    used_checkpoint,
    wait_for,
)

HF_ARGS = (
    *("--output_dir", "gpt2-out", "--max_steps", "2000", "--save_steps", "25", "--save_total_limit", "3"),
    *("--logging_steps", "5", "--eval_strategy", "steps", "--eval_steps", "50", "--report_to", "none"),
    *("--per_device_train_batch_size", "16", "--learning_rate", "1e-3"),
)
ACCELERATE_LAUNCH = ("-m", "accelerate.commands.launch", "--cpu", "--num_processes", "1", "--num_machines", "1")
HF_TRAINER = Case(
    "hf_trainer",
    "frameworks/hf_trainer.py",
    ("torch", "transformers", "accelerate"),
    HF_ARGS,
    resume="--resume_from_checkpoint",
)
HF_FINETUNE = Case(
    "hf_finetune",
    "frameworks/hf_finetune.py",
    ("torch", "transformers", "accelerate"),
    ("--save_steps", "100"),
    resume="--resume_from_checkpoint",
    until=100,
)
LIGHTNING = Case(
    "lightning",
    "frameworks/lightning_fit.py",
    ("torch", "lightning"),
    ("--save_every", "200"),
    resume="--ckpt_path",
    until=200,
)
ACCELERATE_NUMBERED = Case(
    "accelerate_numbered",
    "frameworks/accelerate_loop.py",
    ("torch", "accelerate", "tqdm"),
    ("--automatic_names",),
    resume="--resume_from_checkpoint",
)
KERAS_LOAD = Case(
    "keras_load", "frameworks/keras_load.py", ("keras", "tensorflow"), resume="--resume", until=500, slack=230
)
XGBOOST = Case(
    "xgboost", "frameworks/xgb_train.py", ("xgboost",), metric="train-logloss", resume="--xgb_model", slack=2
)
HEAVY = (
    HF_TRAINER,
    HF_FINETUNE,
    LIGHTNING,
    LIGHTNING._replace(name="lightning_tqdm", args=(*LIGHTNING.args, "--tqdm")),
    Case("keras", "frameworks/keras_fit.py", ("keras", "tensorflow"), until=500, slack=168),
    Case(
        "keras_epoch_lines",
        "frameworks/keras_fit.py",
        ("keras", "tensorflow"),
        ("--verbose", "2"),
        until=1500,
        slack=168,
    ),
    KERAS_LOAD,
    ACCELERATE_NUMBERED._replace(name="accelerate", args=()),
    ACCELERATE_NUMBERED,
    ACCELERATE_NUMBERED._replace(name="accelerate_launch", args=(), launcher=ACCELERATE_LAUNCH),
    Case(
        "stable_baselines3",
        "frameworks/sb3_ppo.py",
        ("stable_baselines3", "gymnasium"),
        metric="rollout/ep_rew_mean",
        resume="--load",
        until=20_000,
        slack=512,
    ),
    XGBOOST,
    Case("lightgbm", "frameworks/lgb_train.py", ("lightgbm",), metric="train's binary_logloss", resume="--init_model"),
    Case("tqdm", "frameworks/tqdm_loop.py", ("torch", "tqdm"), resume="--resume"),
)
ONE_FILE = Case(
    "one_file", "frameworks/one_file.py", ("torch",), ("--eval_interval=100",), resume="--init_from=resume", until=100
)
IMAGENET_STYLE = Case("imagenet_style", "frameworks/imagenet_style.py", ("torch",), resume="--resume", until=90)
TWO_WORKERS = Case(
    "torchrun", "frameworks/ddp_loop.py", ("torch",), ("--save_every", "20"), launcher=TORCHRUN, resume="--resume"
)
frameworks = pytest.mark.frameworks


def saved_in(run: dict[str, Any], n: int) -> list[dict[str, Any]]:
    return [saved for saved in run["checkpoints"] if saved["good"] and saved["slice"] == n]


def first_slice(box: Box, case: Case) -> dict[str, Any]:
    """Until it has learned something, and done some steps more than it saved; then its time box ends."""
    run_id = start(box, case)
    wait_for(box, run_id, lambda run: any((saved["step"] or 0) >= case.until for saved in saved_in(run, 1)))
    saved = newest_good(box.state(run_id))["step"]
    wait_for(box, run_id, lambda run: (run["step"] or 0) > saved and run["metric_lines"] >= 10)
    run = end_box(box, run_id)
    check_first_slice(box, case, run)
    return run


def next_slice(box: Box, case: Case, run: dict[str, Any]) -> dict[str, Any]:
    """Resume without any setting, until it got further than the slice before; then its time box ends."""
    run_id, before, n = run["id"], run["slices"][-1]["last_step"], len(run["slices"]) + 1
    resume(box, run_id)
    wait_for(
        box,
        run_id,
        lambda now: len(now["slices"]) == n and now["step"] > before and now["slices"][-1]["seam"] and saved_in(now, n),
    )
    resumed = end_box(box, run_id)
    check_goes_on(box, case, resumed, n)
    return resumed


def check_proposal(box: Box, case: Case, run: dict[str, Any]) -> None:
    """What a resume would do is shown before it is done."""
    shown = box.run("resume", run["id"], "--dry-run").stdout
    assert (case.resume or "again") in shown
    if case.resume and "=" not in case.resume:
        assert Path(newest_good(run)["path"]).name in shown


@frameworks
@pytest.mark.slow
@pytest.mark.parametrize("case", HEAVY, ids=lambda case: case.name)
def test_goes_on_in_the_next_slice(box: Box, case: Case) -> None:
    run = first_slice(box, case)
    check_proposal(box, case, run)
    next_slice(box, case, run)


@pytest.mark.torch
@pytest.mark.parametrize("case", [ONE_FILE, IMAGENET_STYLE, TWO_WORKERS], ids=lambda case: case.name)
def test_plain_pytorch_goes_on_in_the_next_slice(box: Box, case: Case) -> None:
    run = first_slice(box, case)
    check_proposal(box, case, run)
    next_slice(box, case, run)
    printed = (box.home / "runs" / run["id"] / "output.log").read_text()
    workers = [int(pid) for pid in re.findall(r"world size 2, pid (\d+)", printed)]
    assert len(workers) == (4 if case is TWO_WORKERS else 0)
    assert not any(map(is_running, workers))


@frameworks
@pytest.mark.slow
def test_reaches_its_last_step(box: Box) -> None:
    run = first_slice(box, HF_TRAINER)
    last = run["step"] + 30
    at = HF_ARGS.index("--max_steps") + 1
    resume(box, run["id"], "--", *HF_ARGS[:at], str(last), *HF_ARGS[at + 1 :])
    wait_for(box, run["id"], lambda now: now["state"] == "completed")
    done = box.state(run["id"])
    assert (done["state"], done["step"], done["total_steps"]) == ("completed", last, last)
    check_goes_on(box, HF_TRAINER, done, 2)


@frameworks
@pytest.mark.slow
@pytest.mark.parametrize("case", [ACCELERATE_NUMBERED, LIGHTNING, XGBOOST], ids=lambda case: case.name)
def test_third_slice_begins_where_the_second_ended(box: Box, case: Case) -> None:
    """Where each slice counts its checkpoints from 0, has a new folder, or numbers its rounds from 0."""
    run = next_slice(box, case, first_slice(box, case))
    run = next_slice(box, case, run)
    assert used_checkpoint(box, run, 3)["step"] > used_checkpoint(box, run, 2)["step"]


@frameworks
@pytest.mark.slow
def test_folder_without_trainer_state_is_not_resumed_from(box: Box) -> None:
    run = first_slice(box, HF_FINETUNE)
    whole = sorted((box.work / "bert-out").iterdir(), key=lambda folder: int(folder.name.partition("-")[2]))
    (whole[-1] / "trainer_state.json").unlink()
    resumed = next_slice(box, HF_FINETUNE, run)
    assert resumed["slices"][1]["resumed_from"] == str(whole[-2])


@frameworks
@pytest.mark.slow
def test_keras_file_without_weights_is_not_resumed_from(box: Box) -> None:
    run = first_slice(box, KERAS_LOAD)
    files = sorted((box.work / "models").iterdir())
    _without_weights(files[-1])
    resumed = next_slice(box, KERAS_LOAD, run)
    assert resumed["slices"][1]["resumed_from"] == str(files[-2])


def _without_weights(path: Path) -> None:
    """As an interrupted `model.save` leaves it: a valid zip of the two JSON files."""
    with zipfile.ZipFile(path) as archive:
        kept = {name: archive.read(name) for name in archive.namelist() if name.endswith(".json")}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in kept.items():
            archive.writestr(name, content)
