"""Promises about the code itself."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

import backprop_tui
from backprop_tui.cli.main import _load
from backprop_tui.cli.table import COMMANDS
from backprop_tui.config.schema import SCHEMA_FILE, sample_text, schema_text
from backprop_tui.config.settings import SETTINGS
from tests.box import ROOT, Box, script

PACKAGE = Path(backprop_tui.__file__).parent
MAX_LINES = 320
MAX_FUNCTION = 60


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_files_and_functions_stay_small(path: Path) -> None:
    source = path.read_text()
    assert source.count("\n") <= MAX_LINES
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef):
            assert (node.end_lineno or 0) - node.lineno < MAX_FUNCTION, node.name


HEAVY = (
    "textual",
    "rich",
    "asyncio",
    "psutil",
    "pynvml",
    "platformdirs",
    "subprocess",
    "argparse",
    "dataclasses",
    "tomli_w",
    "backprop_tui.supervisor.search",
    "backprop_tui.artifacts.places",
    "backprop_tui.artifacts.finding",
)


@pytest.mark.parametrize(
    "words", [["list"], ["status"], ["run", script("argparse_plain.py")], ["run", script("argparse_plain.py"), "-d"]]
)
def test_nothing_heavy_is_imported(box: Box, words: list[str]) -> None:
    code = (
        "import sys, os\n"
        "end = os._exit\n"
        "def report(code):\n"
        f"    print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)\n"
        "    end(code)\n"
        "os._exit = report\n"
        "from backprop_tui.cli.main import entry\n"
        f"sys.argv[1:] = {words!r}\n"
        "entry()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=box.work, env=box.env, capture_output=True, text=True, check=True
    )
    assert done.stderr.splitlines()[-1] == "[]"


def test_schema_file_is_what_the_table_makes() -> None:
    assert Path(SCHEMA_FILE).read_text() == schema_text()


def test_sample_is_the_repositorys_own_and_works(box: Box) -> None:
    sample = (ROOT / "backprop.config.json").read_text()
    assert sample == sample_text("./backprop_tui/config/backprop.schema.json")
    (box.work / "backprop.config.json").write_text(sample)
    found = box.json("config")["settings"]
    assert found["maxParallel"]["origin"].endswith("backprop.config.json")
    assert found["gpu.maxTempC"]["value"] == 85
    box.run("run", script("argparse_plain.py"))


def test_config_init_writes_what_works_and_overwrites_nothing(box: Box) -> None:
    box.run("config", "init")
    content = json.loads((box.work / "backprop.config.json").read_text())
    assert Path(content["$schema"]).exists()
    box.run("config")
    assert "is here already" in box.run("config", "init", code=2).stderr


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_command_has_help_and_a_module(box: Box, command: object) -> None:
    name = command.name  # type: ignore[attr-defined]
    assert box.run(name, "--help").stdout.startswith("usage: ")
    assert callable(_load(command))  # type: ignore[arg-type]


def test_readme_names_every_setting_of_the_sample() -> None:
    readme = (ROOT / "README.md").read_text()
    for setting in SETTINGS:
        if setting.key in ("maxRunMinutes", "maxParallel", "gpuMemoryLimit", "minFreeRamGB", "framework"):
            assert setting.key in readme


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(box: Box, shell: str) -> None:
    text = box.run("completion", shell).stdout
    assert ("-l max-run-minutes" if shell == "fish" else "--max-run-minutes") in text
    assert "timeboxed" in text
    if shell == "bash":
        subprocess.run(["bash", "-n"], input=text, text=True, check=True)


def test_the_dashboard_s_settings_are_shown_and_not_recorded(box: Box) -> None:
    box.env["BACKPROP_SET_DASHBOARD_THEME"] = "light"
    found = box.json("config")["settings"]
    assert found["dashboard.theme"] == {"value": "light", "origin": "environment BACKPROP_SET_DASHBOARD_THEME"}
    run_id = box.run("run", "-d", script("argparse_plain.py")).stdout.strip()
    recorded = json.loads((box.home / "runs" / run_id / "spec-1.json").read_text())["settings"]
    assert set(recorded) == {setting.key for setting in SETTINGS}
