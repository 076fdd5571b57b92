from __future__ import annotations

import os
import sys

import pytest

from backprop_tui.errors import UsageError
from backprop_tui.scripts.interpreter import find_interpreter


def make_python(path):
    """A file that may be started, in folders that are made for it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return str(path)


@pytest.fixture
def project(tmp_path):
    folder = tmp_path / "home" / "project"
    (folder / ".git").mkdir(parents=True)
    return folder


def find(project, setting=None, script="train.py", env=None, cwd=None):
    base = {"PATH": str(project.parent / "nobin"), "HOME": str(project.parent)}
    found = find_interpreter(
        setting=setting,
        setting_origin="flag --python" if setting else "default",
        script=str(project / script),
        cwd=str(cwd or project),
        env=base | (env or {}),
    )
    return found.path, found.origin


def refused(project, **more):
    with pytest.raises(UsageError) as caught:
        find(project, **more)
    assert caught.value.message.isprintable()
    return caught.value.message, caught.value.hint


def test_each_place_gives_way_to_the_one_before(project):
    places = project.parent
    assert find(project) == (sys.executable, "backprop's own")
    env = {"PATH": f":/nowhere:{places / 'bin'}"}
    python3 = make_python(places / "bin" / "python3")
    assert find(project, env=env) == (python3, "python3 on PATH")
    python = make_python(places / "bin" / "python")
    assert find(project, env=env) == (python, "python on PATH")
    dot_venv = make_python(project / ".venv" / "bin" / "python")
    assert find(project, env=env) == (dot_venv, ".venv of the script")
    env["CONDA_PREFIX"] = str(places / "conda")
    conda = make_python(places / "conda" / "bin" / "python")
    assert find(project, env=env) == (conda, "$CONDA_PREFIX")
    env["VIRTUAL_ENV"] = str(places / "venv")
    venv = make_python(places / "venv" / "bin" / "python3")
    assert find(project, env=env) == (venv, "$VIRTUAL_ENV")
    assert find(project, python, env=env) == (python, "flag --python")


def test_the_link_in_an_environment_is_not_resolved(project):
    real = make_python(project.parent / "real" / "python3.11")
    link = project / ".venv" / "bin" / "python"
    link.parent.mkdir(parents=True)
    link.symlink_to(real)
    assert find(project)[0] == str(link)
    assert find(project, str(link))[0] == str(link)


def test_an_active_environment_counts_even_if_it_is_backprop_s_own(project):
    path, origin = find(project, env={"VIRTUAL_ENV": sys.prefix})
    assert os.path.dirname(path) == os.path.join(sys.prefix, "bin")
    assert origin == "$VIRTUAL_ENV"


def test_empty_variables_and_environments_without_python_are_passed_over(project):
    (project.parent / "empty" / "bin").mkdir(parents=True)
    (project / ".venv").mkdir()
    env = {"VIRTUAL_ENV": "", "CONDA_PREFIX": str(project.parent / "empty")}
    assert find(project, env=env)[1] == "backprop's own"


def test_a_relative_virtual_env_counts_from_the_working_directory(project):
    venv = make_python(project / "env" / "bin" / "python")
    assert find(project, env={"VIRTUAL_ENV": "env"})[0] == venv


def test_the_search_for_a_dot_venv_ends_at_the_repository(project):
    make_python(project.parent / ".venv" / "bin" / "python")
    assert find(project, script="src/deep/train.py")[1] == "backprop's own"
    inner = make_python(project / ".venv" / "bin" / "python")
    assert find(project, script="src/deep/train.py")[0] == inner
    nearer = make_python(project / "src" / ".venv" / "bin" / "python")
    assert find(project, script="src/deep/train.py")[0] == nearer


def test_the_search_for_a_dot_venv_ends_at_home(project):
    (project / ".git").rmdir()
    make_python(project.parent.parent / ".venv" / "bin" / "python")
    assert find(project)[1] == "backprop's own"
    at_home = make_python(project.parent / ".venv" / "bin" / "python")
    assert find(project)[0] == at_home


def test_a_file_named_dot_venv_is_passed_over(project):
    (project / ".venv").write_text("name-of-an-environment\n")
    assert find(project)[1] == "backprop's own"


@pytest.mark.parametrize("broken", ["link to nothing", "not executable", "folder"])
@pytest.mark.parametrize("where", ["VIRTUAL_ENV", "CONDA_PREFIX", ".venv"])
def test_a_broken_environment_is_said(project, broken, where):
    folder = project / ".venv" if where == ".venv" else project.parent / "env"
    python = folder / "bin" / "python"
    python.parent.mkdir(parents=True)
    (python.parent / "python3").symlink_to("python")
    if broken == "link to nothing":
        python.symlink_to("/nowhere/python3.9")
    elif broken == "not executable":
        python.write_text("")
    else:
        python.mkdir()
    message, hint = refused(project, env={} if where == ".venv" else {where: str(folder)})
    assert (".venv" if where == ".venv" else f"${where}") in message
    assert str(python) in message
    assert broken in message
    assert "--python PATH" in hint


def test_an_environment_that_is_gone_is_said(project):
    message, hint = refused(project, env={"VIRTUAL_ENV": "/nowhere/env"})
    assert message == '$VIRTUAL_ENV names "/nowhere/env", which is not a folder'
    assert "--python PATH" in hint
    (project / ".venv").symlink_to("/nowhere/env")
    assert "is not a folder" in refused(project)[0]


def test_the_working_name_counts_where_the_other_is_broken(project):
    bin_folder = project / ".venv" / "bin"
    python3 = make_python(bin_folder / "python3")
    (bin_folder / "python").symlink_to("/nowhere")
    assert find(project)[0] == python3


@pytest.mark.parametrize(("owner", "ok"), [(4242, False), (0, True)])
def test_a_stranger_s_environment_in_a_public_folder_is_not_trusted(project, monkeypatch, owner, ok):
    folder = project / ".venv"
    make_python(folder / "bin" / "python")
    project.chmod(0o777)
    real = os.lstat

    def lstat(name):
        info = real(name)
        return os.stat_result((*info[:4], owner, *info[5:])) if name == str(folder) else info

    monkeypatch.setattr(os, "lstat", lstat)
    if ok:
        assert find(project)[1] == ".venv of the script"
    else:
        assert "belongs to another user" in refused(project)[0]


def test_settings_are_paths_or_names(project, monkeypatch):
    python = make_python(project / "env" / "bin" / "python")
    assert find(project, "./env/bin/python")[0] == python
    assert find(project, "env/bin/python", cwd=project)[0] == python
    assert find(project, "bin/python", cwd=project / "env")[0] == python
    monkeypatch.setenv("HOME", str(project))
    assert find(project, "~/env/bin/python")[0] == python
    assert find(project, "python", env={"PATH": str(project / "env" / "bin")})[0] == python


@pytest.mark.parametrize(
    ("setting", "said", "hint"),
    [
        ("/nowhere/python", '"/nowhere/python" (flag --python) does not exist', "--python PATH"),
        ("./link", '"./link" (flag --python) is a link to nothing', "--python PATH"),
        ("./plain", '"./plain" (flag --python) is not executable', "--python PATH"),
        ("./pipe", '"./pipe" (flag --python) is not a file', "--python PATH"),
        ("./env", '"./env" (flag --python) is a folder', "did you mean {project}/env/bin/python?"),
        ("env", '"env" (flag --python) is not on PATH', "did you mean {project}/env/bin/python?"),
        ("python9", '"python9" (flag --python) is not on PATH', "--python PATH"),
        ("a\0b/c", r'"a\x00b/c" (flag --python) does not exist', "--python PATH"),
        ("\x1b[31m/x", r'"\x1b[31m/x" (flag --python) does not exist', "--python PATH"),
    ],
)
def test_a_dead_setting_is_named_with_its_origin(project, setting, said, hint):
    make_python(project / "env" / "bin" / "python")
    (project / "link").symlink_to("/nowhere")
    (project / "plain").write_text("")
    os.mkfifo(project / "pipe")
    message, found = refused(project, setting=setting)
    assert message == f"the interpreter {said}"
    assert hint.format(project=project) in found


def test_what_cannot_be_started_is_passed_over_on_path(project):
    (project.parent / "first").mkdir()
    (project.parent / "first" / "python").write_text("")
    second = make_python(project.parent / "second" / "python")
    env = {"PATH": f"{project.parent / 'first'}:{project.parent / 'second'}"}
    assert find(project, env=env)[0] == second
