"""What is read from a training script, and which interpreter runs it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backprop_tui.control.git import git_of
from backprop_tui.engines.argv import grace_s
from backprop_tui.errors import UsageError
from backprop_tui.scripts.interpreter import find_interpreter
from backprop_tui.scripts.source import read_script
from tests.unit.test_store import a_spec


@pytest.mark.parametrize(
    ("source", "framework", "flags"),
    [
        ("import torch", "pytorch", ()),
        ("def f():\n    from transformers import Trainer", "pytorch", ()),
        ("import os, sys, torch.nn as nn", "pytorch", ()),
        ("import keras", "tensorflow", ()),
        ("import jax.numpy as jnp", "jax", ()),
        ("import flax", "jax", ()),
        ("print('import torch')", "unknown", ()),
        ("import torchless", "unknown", ()),
        ("import helper", "pytorch", ()),
        (
            "p.add_argument('--resume-from', type=str)\np.add_argument('--run-id')",
            "unknown",
            ("--run-id", "--resume-from"),
        ),
        ("@click.option('--max-minutes')\ndef f(): ...", "unknown", ("--max-minutes",)),
        ("# --resume-from\nprint('--run-id')", "unknown", ()),
        ("p.add_argument('--resume-from-checkpoint')", "unknown", ()),
        ("p.add_argument('--resume-from'", "unknown", ()),
        ("print 'python 2', '--run-id'", "unknown", ()),
        ("", "unknown", ()),
    ],
)
def test_facts(tmp_path: Path, source: str, framework: str, flags: tuple[str, ...]) -> None:
    (tmp_path / "helper.py").write_text("import torch")
    script = tmp_path / "train.py"
    script.write_text(source)
    facts = read_script(str(script))
    assert (facts.framework, facts.declared_flags) == (framework, flags)


@given(st.binary(max_size=200))
def test_no_source_raises(tmp_path_factory: pytest.TempPathFactory, source: bytes) -> None:
    script = tmp_path_factory.mktemp("s") / "train.py"
    script.write_bytes(source + b" '--run-id' import")
    read_script(str(script))


def test_deep_nesting_tells_nothing(tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text("x = '--run-id'\n" + "(" * 100_000)
    assert read_script(str(script)).declared_flags == ()


def make_python(folder: Path) -> str:
    folder.mkdir(parents=True)
    (folder / "python").symlink_to(sys.executable)
    return str(folder / "python")


def test_interpreters_in_order(tmp_path: Path) -> None:
    project = tmp_path / "project"
    script = str(project / "src" / "train.py")
    (project / "src").mkdir(parents=True)

    def find(setting: str | None = None, **env: str) -> tuple[str, str]:
        found = find_interpreter(
            setting=setting, setting_origin="flag --python", script=script, cwd=str(project), env=env
        )
        return found.path, found.origin

    assert find(PATH="")[0] == sys.executable
    on_path = make_python(tmp_path / "bin")
    assert find(PATH=str(tmp_path / "bin")) == (on_path, "python on PATH")
    venv = make_python(project / ".venv" / "bin")
    assert find(PATH=str(tmp_path / "bin"))[0] == venv
    conda = make_python(tmp_path / "conda" / "bin")
    assert find(CONDA_PREFIX=str(tmp_path / "conda"))[0] == conda
    active = make_python(tmp_path / "active" / "bin")
    assert find(VIRTUAL_ENV=str(tmp_path / "active"), CONDA_PREFIX=str(tmp_path / "conda"))[0] == active
    assert find("python", PATH=str(tmp_path / "bin"), VIRTUAL_ENV=str(tmp_path / "active"))[0] == on_path
    assert find(".venv/bin/python")[0] == venv
    with pytest.raises(UsageError, match="does not exist"):
        find("./nothing")
    with pytest.raises(UsageError, match="a folder"):
        find(str(tmp_path))


def test_git_is_read_without_git(tmp_path: Path) -> None:
    assert git_of(str(tmp_path)) == {}
    (tmp_path / ".git" / "refs" / "heads").mkdir(parents=True)
    (tmp_path / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
    (tmp_path / ".git" / "packed-refs").write_text(f"# pack\n{'a' * 40} refs/heads/main\n")
    (tmp_path / "deep").mkdir()
    assert git_of(str(tmp_path / "deep")) == {"commit": "a" * 40, "branch": "main"}
    (tmp_path / ".git" / "refs" / "heads" / "main").write_text("b" * 40)
    assert git_of(str(tmp_path))["commit"] == "b" * 40
    (tmp_path / ".git" / "HEAD").write_text("c" * 40)
    assert git_of(str(tmp_path)) == {"commit": "c" * 40}


@pytest.mark.parametrize(
    ("command", "grace"), [(("python", "x"), 30), (("torchrun", "x"), 40), (("/v/bin/accelerate", "launch"), 40)]
)
def test_grace(command: tuple[str, ...], grace: int) -> None:
    from backprop_tui.model.spec import SettingValue

    spec = a_spec("r").replace(command=command, settings={"graceSeconds": SettingValue(value=None, origin="default")})
    assert grace_s(spec) == grace
