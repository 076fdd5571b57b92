"""Which options scripts declare, over many ways of declaring them."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backprop_tui.scripts.modules import MODULES, PARSED_BYTES
from backprop_tui.scripts.options import Option, key_of
from backprop_tui.scripts.resume_facts import digest_of, read_resume_facts

HF = "from transformers import HfArgumentParser, TrainingArguments\n"
CLICK = "import click\n"
TYPER = "import typer\n"


def read(folder: Path, source: str | bytes, files: dict[str, str] | None = None) -> tuple[Option, ...]:
    for name, text in (files or {}).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
    script = folder / "train.py"
    script.write_bytes(source if isinstance(source, bytes) else textwrap.dedent(source).encode())
    return read_resume_facts(str(script), str(folder)).options


def said(option: Option) -> str:
    """An option in short: its names, what it takes, and where it must stand."""
    takes = {"value": " V", "nothing": "", "optional": " [V]", "values": " V…"}[option.takes]
    equals = takes.replace(" ", "=") if option.needs_equals else takes
    command = f"{option.command}: " if option.command else "front: " if option.is_front else ""
    return command + "/".join(option.names) + equals


DECLARED: list[tuple[str, str]] = [
    # argparse
    ("p.add_argument('--resume')", "--resume V"),
    ("p.add_argument('-r', '--resume', '--resume-from', metavar='P')", "-r/--resume/--resume-from V"),
    ("p.add_argument('--resume', action='store_true')", "--resume"),
    ("p.add_argument('--resume', action='store_const', const=1)", "--resume"),
    ("p.add_argument('--resume', action=argparse.BooleanOptionalAction)", "--resume"),
    ("p.add_argument('--resume', action=BooleanOptionalAction, default=True)", "--resume"),
    ("p.add_argument('--resume', nargs='?', const=True, default=False)", "--resume [V]"),
    ("p.add_argument('--gpus', nargs='+')", "--gpus V…"),
    ("p.add_argument('--gpus', nargs=2)", "--gpus V…"),
    ("p.add_argument('--x', nargs=1)", "--x V"),
    ("p.add_argument('--x', nargs=N)", "--x V…"),
    ("p.add_argument('--x', action='append')", "--x V…"),
    ("p.add_argument('-v', action='count')", "-v"),
    ("p.add_argument('data')", ""),
    ("p.add_argument(name)", ""),
    ("p.add_argument('--')", ""),
    ("g = p.add_argument_group('io')\ng.add_argument('--ckpt')", "--ckpt V"),
    ("def add(parser):\n    parser.add_argument('--a')\n    return parser", "--a V"),
    ("class P(argparse.ArgumentParser):\n    def __init__(self):\n        self.add_argument('--a')", "--a V"),
    (
        "s = p.add_subparsers()\np.add_argument('--seed')\nt = s.add_parser('train')\nt.add_argument('--ckpt')\n"
        "g = t.add_argument_group()\ng.add_argument('--lr')",
        "front: --seed V, train: --ckpt V, train: --lr V",
    ),
    ("s = p.add_subparsers()\ns.add_parser('fit').add_argument('--ckpt')", "fit: --ckpt V"),
    ("s = p.add_subparsers()\ndef add(q):\n    q.add_argument('--ckpt')", "?: --ckpt V"),
    # optparse, getopt, docopt, sys.argv
    ("p.add_option('--resume', action='store_true')\np.add_option('-c', '--ckpt')", "--resume, -c/--ckpt V"),
    ("import getopt\ngetopt.getopt(sys.argv[1:], 'hr:', ['help', 'resume='])", "--help, --resume V"),
    ("'''Train.\n\nUsage: t.py [--ckpt=<path>] [--resume]\n'''\nfrom docopt import docopt", "--ckpt V, --resume"),
    ("'''Usage: t.py [--ckpt=<path>]'''", ""),
    ("if '--resume' in sys.argv: pass", "--resume"),
    ("path = sys.argv[sys.argv.index('--ckpt') + 1]", "--ckpt V"),
    ("for arg in sys.argv:\n    if arg.startswith('--ckpt='): pass", "--ckpt=V"),
    ("if '--resume' in text: pass", ""),
    # absl
    (
        "from absl import flags\nflags.DEFINE_string('resume_from', None, 'Checkpoint')\n"
        "flags.DEFINE_bool('resume', False, 'Go on')\nflags.DEFINE_enum('init', 'new', ['new', 'resume'], 'How')",
        "--resume_from V, --resume [V], --init V",
    ),
    ("tf.app.flags.DEFINE_integer('steps', 3, '')", "--steps V"),
    # click
    (CLICK + "@click.command()\n@click.option('--resume', '-r', type=click.Path())\ndef main(resume): ...", "--resume/-r V"),
    (CLICK + "@click.command()\n@click.option('--resume/--no-resume')\ndef main(resume): ...", "--resume"),
    (CLICK + "@click.command()\n@click.option('--resume', is_flag=True)\ndef main(resume): ...", "--resume"),
    (CLICK + "@click.command()\n@click.option('--r', is_flag=False, flag_value='x')\ndef main(r): ...", "--r [V]"),
    (CLICK + "@click.command()\n@click.option('--x', multiple=True)\n@click.argument('y')\ndef main(x, y): ...", "--x V…"),
    (
        CLICK + "@click.group()\n@click.option('--seed')\ndef cli(): ...\n@cli.command()\n@click.option('--ckpt')\n"
        "def train_it(): ...\n@cli.command('eval')\n@click.option('--model')\ndef e(): ...",
        "front: --seed V, train-it: --ckpt V, eval: --model V",
    ),
    # typer
    (TYPER + "def main(data: str, resume_from: str = None, fast: bool = False): ...\ntyper.run(main)",
     "--resume-from V, --fast"),
    (TYPER + "app = typer.Typer()\n@app.command()\ndef main(ckpt: Path = typer.Option(None, '--ckpt', '-c')): ...",
     "--ckpt/-c V"),
    (TYPER + "@app.command()\ndef main(c: Annotated[str | None, typer.Option('--resume')] = None): ...", "--resume V"),
    (TYPER + "@app.command()\ndef main(go_on: Annotated[bool, typer.Option()] = False): ...", "--go-on"),
    (TYPER + "@app.command()\ndef main(x: bool = typer.Option(False, '--x/--no-x')): ...", "--x"),
    (TYPER + "@app.command()\ndef a(x: int = 1): ...\n@app.command()\ndef b(y: list[int] = []): ...", "a: --x V, b: --y V…"),
    ("def main(resume_from: str = None): ...", ""),
    # fire
    ("import fire\ndef main(resume_from=None, fast=False): ...\nfire.Fire(main)", "--resume_from V, --fast [V]"),
    (
        "import fire\nclass T:\n    def __init__(self, seed=1): ...\n    def fit(self, ckpt=None): ...\nfire.Fire(T)",
        "front: --seed V, fit: --ckpt V",
    ),
    ("import fire\ndef train(ckpt=None): ...\ndef test(m=None): ...\nfire.Fire({'t': train})", "train: --ckpt V"),
    ("import fire\ndef train(ckpt=None): ...\nfire.Fire()", "train: --ckpt V"),
    # classes
    (
        HF + "@dataclass\nclass A:\n    lr: float = 1.0\n    ckpt: Optional[str] = field(default=None, metadata={'help': 'h'})\n"
        "    fast: bool = False\n    slow: Optional[bool] = None\n    names: List[str] = None\n    _x: int = 1\n"
        "    y: int = field(init=False)\nHfArgumentParser(A)",
        "--lr V, --ckpt V, --fast [V], --slow V, --names V…",
    ),
    (HF + "HfArgumentParser((TrainingArguments,))",
     "--resume_from_checkpoint V, --output_dir V, --save_steps V, --enable_jit_checkpoint [V]"),
    (HF + "@dataclass\nclass Mine(TrainingArguments):\n    extra: int = 0\nHfArgumentParser([Mine])",
     "--extra V, --resume_from_checkpoint V, --output_dir V, --save_steps V, --enable_jit_checkpoint [V]"),
    ("import tyro\n@dataclass\nclass A:\n    resume_from: str | None = None\n    fast: bool = False\ntyro.cli(A)",
     "--resume-from V, --fast"),
    ("import tyro\n@dataclass\nclass O:\n    lr: float = 1\n@dataclass\nclass A:\n    opt: O\ntyro.cli(A)", "--opt.lr V"),
    ("import tyro\ndef main(resume_from: str = ''): ...\ntyro.cli(main)", "--resume-from V"),
    ("from tap import Tap\nclass A(Tap):\n    ckpt: str = None\n    fast: bool = False", "--ckpt V, --fast"),
    ("import draccus\n@dataclass\nclass A:\n    resume: bool = False\n@draccus.wrap()\ndef main(cfg: A): ...", "--resume [V]"),
    ("from simple_parsing import ArgumentParser\n@dataclass\nclass A:\n    ckpt: str = ''\np.add_arguments(A, dest='a')",
     "--ckpt V"),
    ("from jsonargparse import CLI\ndef main(ckpt: str = None): ...\nCLI(main)", "--ckpt V"),
    ("@dataclass\nclass A:\n    ckpt: str = ''", ""),
    # LightningCLI
    ("from lightning.pytorch.cli import LightningCLI\nLightningCLI(Model, Data)",
     "fit: --ckpt_path V, validate: --ckpt_path V, test: --ckpt_path V, predict: --ckpt_path V"),
    ("from lightning.pytorch.cli import LightningCLI\nLightningCLI(Model, run=False)", ""),
    # constants
    (
        "out_dir = 'out'\ninit_from = 'scratch'\nbatch = 3\ndecay = True\n_x = 1\nlr = 6e-4\nnames = []\n"
        "exec(open('configurator.py').read())\nif init_from == 'resume': pass",
        "--out_dir=V, --init_from=V, --batch=V, --decay=V, --lr=V",
    ),
    ("batch = 3\nfor a in sys.argv[1:]:\n    k, v = a.split('=')\n    globals()[k] = v", "--batch=V"),
    ("batch = 3\nexec(open('other.py').read())", ""),
]  # fmt: skip


@pytest.mark.parametrize(("source", "expected"), DECLARED)
def test_declared(tmp_path: Path, source: str, expected: str) -> None:
    assert ", ".join(map(said, read(tmp_path, source))) == expected


@pytest.mark.parametrize(
    ("source", "field", "value"),
    [
        ("p.add_argument('--m', choices=['a', 'b'])", "choices", ("a", "b")),
        ("p.add_argument('--m', choices=(0, 1))", "choices", ("0", "1")),
        ("p.add_argument('--m', choices=NAMES)", "choices", ("?",)),
        ("p.add_argument('--m', type=pathlib.Path)", "type", "Path"),
        ("p.add_argument('--m', type=lambda x: x)", "type", "?"),
        ("p.add_argument('--m', default='out/last.pt')", "default", "out/last.pt"),
        ("p.add_argument('--m', default=None)", "default", None),
        ("p.add_argument('--m', default=3)", "default", "3"),
        ("p.add_argument('--m', default=path())", "default", None),
        ("p.add_argument('--m', help='where to save')", "help", "where to save"),
        ("@click.option('--m', type=click.Choice(['a']))\ndef f(): ...", "choices", ("a",)),
        ("import tyro\nclass A:\n    m: Literal['a', 'b'] = 'a'\ntyro.cli(A)", "choices", ("a", "b")),
        ("import tyro\nclass A:\n    m: 'Optional[int]' = 1\ntyro.cli(A)", "type", "int"),
        ("import tyro\nclass A:\n    m: Union[None, Path] = None\ntyro.cli(A)", "type", "Path"),
        ("m = 'new'\nexec(open('configurator.py').read())\nif m == 'resume': pass", "choices", ("resume",)),
    ],
)
def test_what_is_known_of_an_option(tmp_path: Path, source: str, field: str, value: Any) -> None:
    (option,) = read(tmp_path, source)
    assert getattr(option, field) == value


@pytest.mark.parametrize(
    ("source", "files", "expected"),
    [
        ("from options import parse", {"options.py": "p.add_argument('--ckpt')"}, "--ckpt V"),
        ("import lib.cli as c", {"lib/cli.py": "p.add_argument('--ckpt')"}, "--ckpt V"),
        ("from lib import cli", {"lib/cli.py": "p.add_argument('--ckpt')"}, "--ckpt V"),
        (
            "from lib.main import main",
            {"lib/main.py": "from .args import x", "lib/args.py": "p.add_argument('--ckpt')"},
            "--ckpt V",
        ),
        ("from lib.main import main", {"lib/main.py": "from . import args", "lib/args.py": "p.add_argument('--c')"}, "--c V"),
        (
            "from lib.a.main import main",
            {"lib/a/main.py": "from ..args import x", "lib/args.py": "p.add_argument('--ckpt')"},
            "--ckpt V",
        ),
        ("import mypkg", {"src/mypkg/__init__.py": "p.add_argument('--ckpt')"}, "--ckpt V"),
        ("import a", {"a.py": "import b\np.add_argument('--a')", "b.py": "import a\np.add_argument('--b')"}, "--a V, --b V"),
        (
            HF + "from args import Mine\nHfArgumentParser(Mine)",
            {"args.py": "@dataclass\nclass Mine:\n    ckpt: str = None"},
            "--ckpt V",
        ),
        (
            "import hydra\n@hydra.main(config_path='conf', config_name='config')\ndef main(cfg): ...",
            {"conf/config.yaml": "# c\nckpt_path: null\ntrain:\n  resume: false # no\n  lr: 1e-3\ndefaults:\n  - a: b\nz: 1\n"},
            "ckpt_path=V, train=V, train.resume=V, train.lr=V, defaults=V, z=V",
        ),
        ("import hydra\n@hydra.main(version_base=None, config_name='no')\ndef main(cfg): ...", {}, ""),
        ("import other", {"options.py": "p.add_argument('--ckpt')"}, ""),
    ],
)  # fmt: skip
def test_modules_of_the_project_are_read(tmp_path: Path, source: str, files: dict[str, str], expected: str) -> None:
    assert ", ".join(map(said, read(tmp_path, source, files))) == expected


def test_only_so_much_is_read(tmp_path: Path) -> None:
    names = [f"m{n}" for n in range(MODULES * 2)]
    files = {f"{name}.py": f"p.add_argument('--{name}')" for name in names}
    found = {option.name for option in read(tmp_path, "\n".join(f"import {name}" for name in names), files)}
    assert found == {f"--m{n}" for n in range(MODULES)}
    for name in ("m0", "m1"):
        (tmp_path / f"{name}.py").write_text(f"p.add_argument('--{name}')\n" + "x = 1\n" * (PARSED_BYTES // 12))
    found = {option.name for option in read(tmp_path, "import m0, m1, m2")}
    assert found == {"--m0", "--m2"}, "what is too much leaves room for others"


@given(st.binary(max_size=300), st.sampled_from([HF, CLICK, TYPER, "import fire, tyro, hydra\n", ""]))
def test_no_source_raises(tmp_path_factory: pytest.TempPathFactory, source: bytes, head: str) -> None:
    read(tmp_path_factory.mktemp("s"), head.encode() + source)


CALLS = ["add_argument", "option", "Option", "HfArgumentParser", "cli", "Fire", "DEFINE_enum", "add_parser", "getopt",
         "LightningCLI", "main", "exec", "index", "CLI", "run", "field", "signal"]  # fmt: skip
ATOMS = st.sampled_from(
    ["'--x'", "'-r'", "None", "a", "A", "a.b", "[]", "()", "{}", "[1, 'x']", "lambda: 1", "*a", "f(x)", "True"]
)


@given(st.lists(st.tuples(st.sampled_from(CALLS), st.lists(ATOMS, max_size=4)), max_size=5))
def test_no_call_raises(tmp_path_factory: pytest.TempPathFactory, calls: list[tuple[str, list[str]]]) -> None:
    body = "\n".join(f"x.{name}({', '.join(args)})" for name, args in calls)
    source = f"import click, typer, fire, tyro, hydra, getopt\nfrom lightning import x\nclass A(B):\n    a: int = f()\n{body}\n"
    read(tmp_path_factory.mktemp("s"), source)


def test_deep_nesting_is_survived(tmp_path: Path) -> None:
    deep = (
        "x = f("
        + "a." * 80
        + "b)\ny = "
        + "[" * 90
        + "]" * 90
        + "\nz: "
        + "Optional[" * 90
        + "int"
        + "]" * 90
        + " = 1\n"
    )
    assert [option.name for option in read(tmp_path, deep + "p.add_argument('--x')")] == ["--x"]


@pytest.mark.parametrize(
    ("name", "key"),
    [("--resume_from", "resume-from"), ("-r", "r"), ("trainer.ckpt_path", "ckpt-path"), ("+Resume", "resume")],
)
def test_keys(name: str, key: str) -> None:
    assert key_of(name) == key


def test_the_digest_changes_with_every_source_of_the_project(tmp_path: Path) -> None:
    read(tmp_path, "import helper", {"helper.py": "x = 1"})
    script = str(tmp_path / "train.py")
    first = digest_of(script)
    assert first == read_resume_facts(script).digest != ""
    (tmp_path / "helper.py").write_text("x = 2")
    assert digest_of(script) != first
    assert digest_of(str(tmp_path / "none.py")) == ""
