"""Which version of a package an interpreter has."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from backprop_tui.scripts.installed import version_of


def environment(prefix: Path, config: str | None, *packages: str, lib: str = "lib/python3.12/site-packages") -> Path:
    (prefix / "bin").mkdir(parents=True)
    (prefix / "bin" / "python").touch()
    folder = prefix / lib
    folder.mkdir(parents=True)
    for name in packages:
        (folder / name).mkdir()
    if config is not None:
        (prefix / "pyvenv.cfg").write_text(config)
    return prefix / "bin" / "python"


def test_the_one_that_runs_these_tests_has_pytest() -> None:
    assert version_of("pytest", sys.executable, {}) == pytest.__version__


def test_a_name_that_begins_alike_is_another(tmp_path: Path) -> None:
    python = environment(tmp_path, None, "torch_geometric-2.5.dist-info", "torchvision-1.dist-info")
    assert version_of("torch", str(python), {}) is None
    assert version_of("torch-geometric", str(python), {}) == "2.5"


def test_an_environment_links_to_its_python_and_does_not_see_its_packages(tmp_path: Path) -> None:
    system = environment(tmp_path / "usr", None, "torch-2.4.0.dist-info")
    venv = environment(tmp_path / "venv", "home = /usr/bin\n")
    venv.unlink()
    venv.symlink_to(system)
    assert version_of("torch", str(venv), {}) is None
    (tmp_path / "venv" / "pyvenv.cfg").write_text("include-system-site-packages = true\n")
    assert version_of("torch", str(venv), {}) == "2.4.0"
    (tmp_path / "venv/lib/python3.12/site-packages/torch-2.13.0+cpu.dist-info").mkdir()
    assert version_of("torch", str(venv), {}) == "2.13.0+cpu"
    assert version_of("torch", str(tmp_path / "venv/bin/torchrun"), {}) == "2.13.0+cpu"


def test_a_link_elsewhere_leads_to_where_it_lies(tmp_path: Path) -> None:
    real = environment(tmp_path / "opt", None, "torch-2.10.0.dist-info")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").symlink_to(real)
    assert version_of("torch", str(tmp_path / "bin" / "python"), {}) == "2.10.0"


def test_pythonpath_comes_first(tmp_path: Path) -> None:
    python = environment(tmp_path / "venv", "", "torch-2.4.0.dist-info")
    (tmp_path / "more" / "torch").mkdir(parents=True)
    (tmp_path / "more" / "torch" / "version.py").write_text("from x import y\n\n__version__ = '2.14.0a0'\n")
    assert version_of("torch", str(python), {"PYTHONPATH": f"relative:{tmp_path / 'more'}"}) == "2.14.0a0"


def test_debian_calls_them_dist_packages(tmp_path: Path) -> None:
    python = environment(tmp_path, None, "jax-0.7.0.dist-info", lib="lib/python3/dist-packages")
    assert version_of("jax", str(python), {}) == "0.7.0"


@pytest.mark.parametrize("path", ["/nowhere/bin/python", "python", "/", "\0", "/proc/self/exe/x"])
def test_what_is_not_there_has_nothing(path: str) -> None:
    assert version_of("no-such-package-at-all", path, {}) is None


def test_a_loop_of_links_ends(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").symlink_to("python")
    assert version_of("torch", str(tmp_path / "bin" / "python"), {}) is None
