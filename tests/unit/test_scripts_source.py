from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import pytest

import backprop_tui
from backprop_tui.scripts.modules import HEAD_BYTES, PARSED_BYTES
from backprop_tui.scripts.source import FLAGS, ScriptFacts, read_script

NOTHING = ScriptFacts(framework="unknown", declared_flags=(), whole_number_flags=(), reads_variables=())


@pytest.fixture
def facts(tmp_path):
    def read(content, **modules):
        for name, text in modules.items():
            path = tmp_path.joinpath(*name.split("__in__")[::-1]).with_suffix(".py")
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        script = tmp_path / "script.py"
        script.write_bytes(content if isinstance(content, bytes) else textwrap.dedent(content).encode())
        return read_script(str(script))

    return read


@pytest.mark.parametrize(
    ("source", "framework"),
    [
        ("import torch", "pytorch"),
        ("import torch.nn as nn, os", "pytorch"),
        ("from torch.utils.data import DataLoader", "pytorch"),
        ("import os; import torch", "pytorch"),
        ("def main():\n    import lightning as L", "pytorch"),
        ("try:\n    import pytorch_lightning\nexcept ImportError:\n    pass", "pytorch"),
        ("from transformers import Trainer", "pytorch"),
        ("from accelerate import Accelerator", "pytorch"),
        ("from fastai.vision.all import *", "pytorch"),
        ("import timm", "pytorch"),
        ("from ultralytics import YOLO", "pytorch"),
        ("from stable_baselines3 import PPO", "pytorch"),
        ("import tensorflow as tf", "tensorflow"),
        ("from keras import layers", "tensorflow"),
        ("import tensorflow as tf\nfrom transformers import TFAutoModel", "tensorflow"),
        ("import jax.numpy as jnp", "jax"),
        ("from flax import linen", "jax"),
        ("import optax", "jax"),
        ("import equinox as eqx", "jax"),
        ("import haiku as hk", "jax"),
        ("import jax\nimport tensorflow as tf", "jax"),
        ("import jax\nfrom torch.utils.data import DataLoader", "jax"),
        ("import torch\nimport keras", "pytorch"),
        ("import json", "unknown"),
        ("import torchless, my_torch", "unknown"),
        ("from mine.torch import x", "unknown"),
        ("from . import torch", "unknown"),
        ("from .torch import x", "unknown"),
        ("'''\nimport torch\n'''", "unknown"),
        ("# import torch", "unknown"),
        ("print('torch')", "unknown"),
        ("", "unknown"),
    ],
)
def test_the_framework_is_told_by_the_imports(facts, source, framework):
    assert facts(source).framework == framework


@pytest.mark.parametrize(
    ("source", "modules", "framework"),
    [
        ("import utils", {"utils": "import torch"}, "pytorch"),
        ("from utils import a, b", {"utils": "import jax"}, "jax"),
        ("if True:\n    import os, utils as u", {"utils": "def f():\n    import keras"}, "tensorflow"),
        ("import lib.net", {"net__in__lib": "import torch"}, "pytorch"),
        ("from lib import net", {"net__in__lib": "import torch"}, "pytorch"),
        ("from lib import (net, other)", {"other__in__lib": "import torch"}, "pytorch"),
        ("import lib", {"__init____in__lib": "import torch"}, "pytorch"),
        ("import os; import utils", {"utils": "import torch"}, "pytorch"),
        ("import jax, utils", {"utils": "import torch"}, "jax"),
        ("import utils", {"utils": "import deeper", "deeper": "import torch"}, "unknown"),
        ("import other", {"utils": "import torch"}, "unknown"),
        ("import utils", {"utils": "def broken(:"}, "unknown"),
        ("# import utils", {"utils": "import torch"}, "unknown"),
    ],
)
def test_the_project_s_own_modules_are_asked_one_level_deep(facts, source, modules, framework):
    assert facts(source, **modules).framework == framework


def test_modules_count_from_where_a_linked_script_lies(tmp_path, facts):
    facts("import utils", utils="import torch")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "run.py").symlink_to(tmp_path / "script.py")
    assert read_script(str(tmp_path / "bin" / "run.py")).framework == "pytorch"


def test_only_so_many_modules_are_read(facts):
    names = [f"m{n}" for n in range(40)]
    source = "\n".join(f"import {name}" for name in names)
    plain = dict.fromkeys(names, "x = 1")
    assert facts(source, **plain | {"m39": "import torch"}).framework == "unknown"
    assert facts(source, **plain | {"m15": "import torch"}).framework == "pytorch"


@pytest.mark.parametrize(
    ("source", "flags"),
    [
        ("p.add_argument('--resume-from')", "--resume-from"),
        ("p.add_argument('-r', '--resume-from', type=str)", "--resume-from"),
        ("add_argument('--run-id')", "--run-id"),
        ("p.add_option('--run-id')", "--run-id"),
        ("@click.command()\n@click.option('--run-id', 'run')\ndef main(run): pass", "--run-id"),
        ("def main(x=typer.Option(None, '--max-minutes')): pass", "--max-minutes"),
        ("option('--framework')", "--framework"),
        ("p.add_argument('--framework')\np.add_argument('--run-id')", "--run-id --framework"),
        ("".join(f"p.add_argument('{flag}')\n" for flag in FLAGS), " ".join(FLAGS)),
        ("p.add_argument('--resume_from')", ""),
        ("p.add_argument('--resume-from-dir')", ""),
        ("p.add_argument('--x', help='--resume-from')", ""),
        ("print('--resume-from')", ""),
        ("# p.add_argument('--resume-from')", ""),
        ("command = ['other.py', '--resume-from', path]", ""),
        ("p.add_argument(b'--resume-from', *rest)", ""),
    ],
)
def test_flags_are_those_the_script_declares(facts, source, flags):
    assert " ".join(facts(source).declared_flags) == flags


@pytest.mark.parametrize(
    ("source", "flags"),
    [
        ("p.add_argument('--run-id')\nsubs = p.add_subparsers()", "--run-id"),
        ("self.p.add_argument('--run-id')\nsubs = self.p.add_subparsers()", "--run-id"),
        ("subs = p.add_subparsers()\nt = subs.add_parser('train')\nt.add_argument('--run-id')", ""),
        ("subs = p.add_subparsers()\nsubs.add_parser('train').add_argument('--run-id')", ""),
        ("subs = make().add_subparsers()\nother().add_argument('--run-id')", ""),
        ("@click.group()\ndef cli(): pass\n@cli.command()\n@click.option('--run-id')\ndef train(): pass", ""),
        ("@click.group\ndef cli(): pass\n@click.option('--run-id')\nasync def train(): pass", ""),
        (
            "@app.command()\ndef a(x=typer.Option('--run-id')): pass\n@app.command()\ndef b(): pass",
            "",
        ),
    ],
)
def test_flags_of_a_subcommand_do_not_count(facts, source, flags):
    assert " ".join(facts(source).declared_flags) == flags


@pytest.mark.parametrize(
    ("declaration", "flags", "whole"),
    [
        ("p.add_argument('--max-minutes', type=int)", "--max-minutes", "--max-minutes"),
        ("p.add_argument('--max-minutes', type=float)", "--max-minutes", ""),
        ("p.add_argument('--checkpoint-every-seconds', type=click.INT)", *["--checkpoint-every-seconds"] * 2),
        ("p.add_argument('--run-id', type=str)", "--run-id", ""),
        ("p.add_argument('--resume-from', type=pathlib.Path, action='store')", "--resume-from", ""),
        ("p.add_argument('--resume-from', nargs='?')", "--resume-from", ""),
        ("p.add_argument('--framework', choices=['pytorch', 'tensorflow'])", "--framework", ""),
        ("p.add_argument('--run-id', type=int)", "", ""),
        ("p.add_argument('--run-id', type=float)", "", ""),
        ("p.add_argument('--resume-from', action='store_true')", "", ""),
        ("p.add_argument('--resume-from', nargs='+')", "", ""),
        ("p.add_argument('--framework', choices=['torch', 'tf'])", "", ""),
        ("p.add_argument('--framework', choices=NAMES)", "", ""),
        ("p.add_argument('--run-id', choices=['a'])", "", ""),
        ("@click.option('--resume-from', is_flag=True)\ndef main(): pass", "", ""),
    ],
)
def test_flags_that_could_not_take_the_value_do_not_count(facts, declaration, flags, whole):
    found = facts(declaration)
    assert (" ".join(found.declared_flags), " ".join(found.whole_number_flags)) == (flags, whole)


def test_variables_are_those_the_text_mentions(facts):
    source = "import os\nos.environ['BACKPROP_RESUME_FROM'], os.getenv('BACKPROP_DEADLINE', '$BACKPROP_OTHER')\n"
    assert facts(source).reads_variables == ("BACKPROP_RESUME_FROM", "BACKPROP_DEADLINE")


FLAGGED = b"import torch\nparser.add_argument('--run-id')\n"


@pytest.mark.parametrize(
    "tail",
    [
        b"print 'python two'\n",
        b"x = t'{from_the_future'\nmatch x:\n",
        b"\0\0\0",
        b"x = " + b"(" * 100_000,
        b"x = " + b"-" * 100_000 + b"1",
        b"x = " + b"+".join([b"a"] * 50_000),
        b"x = a" + b".b" * 50_000,
        b"x = " + b"1" * 10_000,
        b"if x:\n\ty\n        z\n",
    ],
    ids=range(9),
)
def test_what_cannot_be_parsed_declares_nothing_and_imports_by_its_lines(facts, tail):
    assert facts(FLAGGED + tail) == NOTHING.replace(framework="pytorch")


def test_other_languages_say_nothing(facts):
    assert facts(b'{"cells": [{"source": ["import torch\\n", "--run-id"]}]}') == NOTHING
    assert facts(b"#!/bin/bash\npython train.py --run-id 3 # import torch\n") == NOTHING
    assert facts(b"\x7fELF\0\0torch --run-id") == NOTHING
    assert facts("import torch\n".encode("utf-16")) == NOTHING


@pytest.mark.parametrize(
    "source",
    [
        b"\xef\xbb\xbf" + FLAGGED,
        b"# -*- coding: latin-1 -*-\n# \xe9\xff\n" + FLAGGED,
        FLAGGED.replace(b"\n", b"\r\n"),
        FLAGGED + b"x = '\\d'  # an escape that newer versions warn of\n",
    ],
)
def test_encodings_and_warnings_do_not_matter(facts, source):
    assert facts(source) == NOTHING.replace(framework="pytorch", declared_flags=("--run-id",))


@pytest.mark.parametrize("broken", [b"# coding: klingon\n", b"# \xff\n", b"x = '\xff'\n"])
def test_broken_encodings_are_survived(facts, broken):
    assert facts(broken + FLAGGED).framework == "pytorch"


def test_long_sources_are_read_by_their_lines(facts):
    assert facts(FLAGGED + b"x = 1\n" * (PARSED_BYTES // 6)) == NOTHING.replace(framework="pytorch")


def test_of_a_huge_file_only_the_head_is_read(facts):
    line = b"x = 1\n"
    assert facts(line * (HEAD_BYTES // 6 + 1) + FLAGGED) == NOTHING
    assert facts(FLAGGED + line * (HEAD_BYTES // 6 + 1)).framework == "pytorch"
    assert facts(b"x" * (HEAD_BYTES + 9) + b"\nimport torch\n") == NOTHING


def test_what_cannot_be_read_says_nothing(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "missing.py", tmp_path, tmp_path / "pipe", "a\0b"):
        assert read_script(str(path)) == NOTHING
    (tmp_path / "script.py").write_bytes(FLAGGED)

    def broken(fd, size):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "read", broken)
    assert read_script(str(tmp_path / "script.py")) == NOTHING


def test_a_short_script_is_read_without_a_parser(tmp_path):
    script = tmp_path / "one.py"
    script.write_text("import time\nprint('hello')\n")
    code = """if True:
        import sys
        from backprop_tui.scripts.interpreter import find_interpreter
        from backprop_tui.scripts.place import check_script
        from backprop_tui.scripts.source import read_script
        path = check_script('one.py', sys.argv[1])
        read_script(path)
        find_interpreter(setting=None, setting_origin='', script=path, cwd=sys.argv[1], env={})
        costly = {'ast', 're', 'dataclasses', 'typing', 'pathlib', 'difflib', 'subprocess', 'shutil'}
        print(sorted(costly & set(sys.modules)))"""
    root = os.path.dirname(os.path.dirname(backprop_tui.__file__))
    done = subprocess.run(
        [sys.executable, "-S", "-c", code, str(tmp_path)],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"
