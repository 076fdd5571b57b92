"""The script within a command."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backprop_tui.scripts.command import find_script


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in ("train.py", "pkg/module.py", "pkg/app/__main__.py", "src/inner/run.py", "bare", "conf.yaml"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    return tmp_path


@pytest.mark.parametrize(
    ("command", "script", "args"),
    [
        ("python train.py --a b", "train.py", "--a b"),
        ("python3.11 -u -O train.py x", "train.py", "x"),
        ("python -W ignore -X dev train.py", "train.py", ""),
        ("/opt/venv/bin/python bare --x", "bare", "--x"),
        ("python -m pkg.module --a", "pkg/module.py", "--a"),
        ("python -um pkg.module --a", "pkg/module.py", "--a"),
        ("python -m pkg.app", "pkg/app/__main__.py", ""),
        ("python -m inner.run", "src/inner/run.py", ""),
        ("./train.py --x", "train.py", "--x"),
        ("torchrun --standalone --nproc-per-node 2 train.py --lr 1", "train.py", "--lr 1"),
        ("/v/bin/torchrun --nproc_per_node=2 -m pkg.module --lr 1", "pkg/module.py", "--lr 1"),
        ("python -m torch.distributed.run --nproc-per-node 2 train.py x", "train.py", "x"),
        ("python -m torch.distributed.launch train.py x", "train.py", "x"),
        ("accelerate launch --config_file conf.yaml train.py --x", "train.py", "--x"),
        ("accelerate launch --num_processes 2 -m pkg.module --x", "pkg/module.py", "--x"),
        ("accelerate launch --module pkg.module --x", "pkg/module.py", "--x"),
        ("deepspeed --num_gpus 2 train.py --deepspeed", "train.py", "--deepspeed"),
        ("composer -n 2 train.py a", "train.py", "a"),
        ("uv run train.py --x", "train.py", "--x"),
        ("uv run --with torch python -u train.py --x", "train.py", "--x"),
        ("uv run torchrun train.py", "train.py", ""),
        ("poetry run python train.py", "train.py", ""),
        ("conda run -n env --no-capture-output python train.py y", "train.py", "y"),
        ("env A=1 nice -n 5 python train.py", "train.py", ""),
        ("timeout 2h srun -n 1 python train.py", "train.py", ""),
        ("mpirun -np 2 python train.py", "train.py", ""),
        ("python train.py train.py", "train.py", "train.py"),
        # No script of the project.
        ("python -c 'print(1)' train.py", "", ""),
        ("python - train.py", "", ""),
        ("python missing.py", "", ""),
        ("python -m http.server", "", ""),
        ("python", "", ""),
        ("bash -c 'python train.py'", "", ""),
        ("bash run.sh train.py", "", ""),
        ("docker run image python train.py", "", ""),
        ("make train.py", "", ""),
        ("torchrun", "", ""),
        ("torchrun --nproc-per-node 2 -m not.there", "", ""),
    ],
)
def test_script(project: Path, command: str, script: str, args: str) -> None:
    words = tuple(shlex.split(command))
    found = find_script(words, str(project))
    assert os.path.normpath(found.script) == os.path.normpath(project / script) if script else found.script == ""
    assert not script or " ".join(words[found.at :]) == args


@pytest.mark.parametrize(
    ("command", "template"),
    [
        ("yolo train data=coco8.yaml model=yolo11n.pt", "resume=True model={checkpoint}"),
        ("uv run yolo detect train", "resume=True model={checkpoint}"),
        ("python -m rl_zoo3.train --algo ppo", "-i {checkpoint}"),
        ("rl_zoo3 train --algo ppo", "-i {checkpoint}"),
        ("ls train", ""),
    ],
)
def test_known_programs(project: Path, command: str, template: str) -> None:
    assert find_script(tuple(shlex.split(command)), str(project)).template == template


@given(
    st.lists(
        st.sampled_from(["python", "-m", "-W", "torchrun", "a\0b", "", "--", "-", "pkg.module", "x.py", "é"]),
        max_size=8,
    )
)
def test_no_command_raises(tmp_path_factory: pytest.TempPathFactory, words: list[str]) -> None:
    find_script(tuple(words), str(tmp_path_factory.mktemp("c")))
