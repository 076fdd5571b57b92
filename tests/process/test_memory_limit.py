"""The limit of GPU memory reaches the training's framework, and the record says what keeps it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.box import Box, script
from tests.process.test_torch import python_with_torch
from tests.stand_ins.compiling import build
from tests.stand_ins.nvml import LIBRARY, SOURCE, NvmlStandIn

GIB = 1024**3
OPTION = "per_process_memory_fraction:0.3125"  # (8 - 0.5) of 24 GB


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(SOURCE, tmp_path_factory.mktemp("nvml"), LIBRARY)


@pytest.fixture(autouse=True)
def gpu(library: Path, tmp_path: Path, box: Box) -> NvmlStandIn:
    stand_in = NvmlStandIn(library, tmp_path / "gpus")
    stand_in.set({"count": 1, "0.total": 24 * GIB, "0.free": 20 * GIB, "0.temp": 50})
    told = stand_in.env()
    box.env |= {name: told[name] for name in ("LD_LIBRARY_PATH", "NVML_STAND_IN")}
    return stand_in


def packages(box: Box, *names: str) -> None:
    """Let the training's interpreter have these, as far as one can see from outside."""
    folder = box.work / "packages"
    for name in names:
        (folder / f"{name}.dist-info").mkdir(parents=True)
    box.env["PYTHONPATH"] += f":{folder}"


def env_of(box: Box, *words: str, run_id: str = "r1") -> dict[str, str]:
    found = box.work / "found.json"
    box.run("run", "--run-id", run_id, *words, "-g", "8GB", script("env_dump.py"), "--", str(found))
    told: dict[str, str] = json.loads(found.read_text())["env"]
    return told


def test_pytorch_with_what_its_user_has_set_beside(box: Box) -> None:
    packages(box, "torch-2.13.0+cu130")
    told = env_of(box, "--framework", "pytorch", "--env", "PYTORCH_CUDA_ALLOC_CONF=expandable_segments:True")
    assert told["PYTORCH_CUDA_ALLOC_CONF"] == f"expandable_segments:True,{OPTION}"
    assert "PYTORCH_ALLOC_CONF" not in told
    limit = box.state("r1")["memory_limit"]
    assert (limit["bytes"], limit["means"]) == (8 * GIB, "PyTorch's allocator")
    assert limit["text"] == "at most 8.0 GB on its GPU: kept by PyTorch's allocator (version 2.13.0), and watched"


def test_an_old_pytorch_is_watched_only(box: Box) -> None:
    packages(box, "torch-2.4.1")
    assert not [name for name in env_of(box, "--framework", "pytorch") if "ALLOC_CONF" in name]
    assert box.state("r1")["memory_limit"]["means"] == ""


def test_jax_and_tensorflow(box: Box) -> None:
    packages(box, "jax-0.7.1", "tensorflow-2.19.0")
    told = env_of(box, "--framework", "jax")
    assert (told["XLA_CLIENT_MEM_FRACTION"], told["XLA_PYTHON_CLIENT_PREALLOCATE"]) == ("0.3125", "false")
    told = env_of(box, "--framework", "tensorflow", run_id="r2")
    assert told["TF_FORCE_GPU_ALLOW_GROWTH"] == "true"
    assert "watched, and stopped beyond it" in box.state("r2")["memory_limit"]["text"]


def test_a_command_whose_python_is_known_and_one_whose_is_not(box: Box) -> None:
    packages(box, "torch-2.13.0")
    dump = f"{sys.executable} {script('env_dump.py')} found.json"
    box.run("run", "-g", "8GB", "--run-id", "r1", "--", *dump.split())
    assert json.loads((box.work / "found.json").read_text())["env"]["PYTORCH_CUDA_ALLOC_CONF"] == OPTION
    box.run("run", "-g", "8GB", "--run-id", "r2", "--", "sh", "-c", dump)
    assert "PYTORCH_CUDA_ALLOC_CONF" not in json.loads((box.work / "found.json").read_text())["env"]


def test_a_slice_without_a_limit_has_none_in_its_record(box: Box) -> None:
    path = str(box.work / "found.json")
    box.run("run", "--run-id", "r1", "-g", "8GB", script("env_dump.py"), "--", path)
    assert box.state("r1")["memory_limit"]["bytes"] == 8 * GIB
    box.run("resume", "r1", "-g", "none")
    assert box.state("r1")["memory_limit"] is None
    box.run("resume", "r1", "-g", "50%", "--gpu-probe", "none")
    assert box.state("r1")["memory_limit"] is None


@pytest.mark.torch
def test_a_real_pytorch_takes_it(box: Box) -> None:
    path = box.work / "train.py"
    path.write_text(
        "import os, torch\n"
        "print('told:', os.environ['PYTORCH_CUDA_ALLOC_CONF'], torch.ones(2).sum().item())\n"
        "from torch._C import _accelerator_getAllocatorSettings as found\n"
        "print('found:', found())\n"
    )
    box.run(
        "run", "--run-id", "r1", "--python", python_with_torch(), "-g", "8GB",
        "--env", "PYTORCH_CUDA_ALLOC_CONF=expandable_segments:True", str(path), code=None,
    )  # fmt: skip
    out = (box.home / "runs" / "r1" / "output.log").read_text()
    settings = f"expandable_segments:True,{OPTION}"
    said = [line for line in out.splitlines() if line.startswith(("told:", "found:"))]  # it may warn as well
    assert said == [f"told: {settings} 2.0", f"found: {settings}"]
    assert box.state("r1")["memory_limit"]["text"].startswith("at most 8.0 GB on its GPU: kept by PyTorch's allocator")
