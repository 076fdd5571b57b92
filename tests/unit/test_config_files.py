from __future__ import annotations

import json
import os

import pytest

from backprop_tui.config.document import MAX_BYTES
from backprop_tui.config.project import read_project
from backprop_tui.config.user import read_user
from backprop_tui.errors import ConfigError


def refused(path, content, read=read_project):
    """The message and hint with which a file is refused."""
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ConfigError) as caught:
        read(str(path))
    assert caught.value.message.startswith(str(path))
    assert caught.value.message.isprintable()
    return caught.value.message.removeprefix(str(path)).lstrip(": "), caught.value.hint


@pytest.fixture
def project(tmp_path):
    return tmp_path / "backprop.config.json"


@pytest.fixture
def user(tmp_path):
    return tmp_path / "config.toml"


def test_a_project_file_is_read(project):
    project.write_text(
        '{"$schema": "./s.json", "maxRunMinutes": "90s", "gpuMemoryLimit": 8, "graceSeconds": null,'
        ' "gpu": {"probe": "nvml", "maxTempC": 80.0}}'
    )
    assert read_project(str(project)) == {
        "maxRunMinutes": 1.5,
        "gpuMemoryLimit": "8GB",
        "graceSeconds": None,
        "gpu.probe": "nvml",
        "gpu.maxTempC": 80,
    }


@pytest.mark.parametrize("content", [b"\xef\xbb\xbf{}", b"{}", b" {\r\n} \n", b'{"gpu": {}}'])
def test_unusual_but_right_files_are_read(project, content):
    project.write_bytes(content)
    assert read_project(str(project)) == {}


@pytest.mark.parametrize(
    ("content", "place", "hint"),
    [
        ('{\n  "maxParallel": 2,\n}', "line 3, column 1", "remove the comma before it"),
        ('{\n  "maxParallel": 2\n  "python": "x"}', "line 3, column 3", ""),
        ('{\n  // two\n  "maxParallel": 2}', "line 2, column 3", "JSON has no comments"),
        ("{'maxParallel': 2}", "line 1, column 2", 'JSON quotes with " only'),
        ('{"maxParallel": ', "line 1, column 17", ""),
        ('\ufeff{"maxParallel" 2}', "line 1, column 16", ""),
        ("{} {}", "line 1, column 4", ""),
    ],
)
def test_broken_json_is_named_with_line_and_column(project, content, place, hint):
    message, found = refused(project, content)
    if "trailing comma" in message:  # newer readers point at the comma itself
        place, hint = "line 2, column 19", "remove this comma"
    assert message.startswith(f"broken JSON at {place}: ")
    assert found == hint


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "is empty"),
        (" \n", "is empty"),
        ("[1]", "found a list, allowed: an object with settings"),
        ("3", "found 3, allowed: an object"),
        ('{"maxParallel": 2, "maxParallel": 3}', 'the key "maxParallel" is there twice'),
        ('{"gpu": {"probe": "nvml", "probe": "rocm"}}', 'the key "probe" is there twice'),
        ('{"maxRunMinutes": NaN}', "found NaN, which is not JSON"),
        ('{"maxRunMinutes": -Infinity}', "found -Infinity, which is not JSON"),
        ('{"maxRunMinutes": 1e999}', "maxRunMinutes: found inf, allowed: minutes above 0"),
        ('{"maxRunMinutes": %s}' % ("9" * 9000), "a number is too long"),
        ("[" * 100_000, "a number is too long or the nesting too deep"),
        ('{"maxParallel": "2"}', 'maxParallel: found "2", allowed: a whole number from 1'),
        ('{"gpu": "nvml"}', 'gpu: found "nvml", allowed: an object with probe, minFreeVramMB, maxTempC'),
        (
            '{"gpu": {"probe": "cuda"}}',
            'gpu.probe: found "cuda", allowed: auto, nvml, nvidia-smi, rocm, none',
        ),
        (b'{\n"python": "\xff"}', "line 2 is not UTF-8 (byte 13)"),
        (b"{}" + b" " * MAX_BYTES, "is longer than 1 MB"),
        ('{"python": "\\u001b[31m", "x\\u001b": 1}', 'unknown key "x\\x1b"'),
    ],
)
def test_a_wrong_project_file_is_refused(project, content, said):
    message, _ = refused(project, content)
    assert message.startswith(said)


@pytest.mark.parametrize(
    ("content", "key", "hint"),
    [
        (
            '{"maxRunMinuts": 3}',
            '"maxRunMinuts"',
            "did you mean maxRunMinutes? allowed: maxRunMinutes, totalMinutes",
        ),
        ('{"MAXPARALLEL": 3}', '"MAXPARALLEL"', "did you mean maxParallel? "),
        ('{"gpu": {"maxTemp": 3}}', '"gpu.maxTemp"', "did you mean gpu.maxTempC? allowed: gpu.probe, "),
        ('{"gpu": {"$schema": 3}}', '"gpu.$schema"', "allowed: gpu.probe, gpu.minFreeVramMB, gpu.maxTempC"),
        ('{"gpu.probe": "nvml"}', '"gpu.probe"', 'write it nested: {"gpu": {"probe": …}}'),
        ('{"zzzzz": 3}', '"zzzzz"', "allowed: maxRunMinutes, "),
    ],
)
def test_an_unknown_key_is_named_with_the_nearest(project, content, key, hint):
    message, found = refused(project, content)
    assert message == f"unknown key {key}"
    assert found.startswith(hint)


def test_an_unknown_key_is_shown_cut(project):
    message, hint = refused(project, '{"%s": 1}' % ("k" * 100_000))
    assert len(message) < 100
    assert hint.startswith("allowed: ")


def test_what_is_no_file_is_said(tmp_path):
    for name, said in [
        ("folder", "is a folder"),
        ("pipe", "is not a regular file"),
        ("link", "is a link to nothing"),
    ]:
        path = tmp_path / name
        if name == "folder":
            path.mkdir()
        elif name == "pipe":
            os.mkfifo(path)
        else:
            path.symlink_to("nowhere")
        with pytest.raises(ConfigError, match=said):
            read_project(str(path))


def test_an_unreadable_file_is_said(project, monkeypatch):
    def denied(path, limit):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("backprop_tui.config.document.read_bytes", denied)
    with pytest.raises(ConfigError, match="cannot be read: Permission denied"):
        read_project(str(project))


def test_a_path_with_a_nul_is_said():
    with pytest.raises(ConfigError, match="is no path"):
        read_project("a\0b")


@pytest.mark.parametrize(
    ("python", "expected"),
    [
        (".venv/bin/python", "{folder}/.venv/bin/python"),
        ("./.venv/bin/python", "{folder}/.venv/bin/python"),
        ("../env/bin/python", "{folder}/../env/bin/python"),
        ("/opt/py/bin/python", "/opt/py/bin/python"),
        ("~/py/bin/python", "~/py/bin/python"),
        ("python3.12", "python3.12"),
    ],
)
def test_an_interpreter_s_relative_path_counts_from_the_file(project, python, expected):
    project.write_text(json.dumps({"python": python}))
    assert read_project(str(project)) == {"python": expected.format(folder=project.parent)}


def test_a_user_file_is_read(user):
    user.write_bytes(b'\xef\xbb\xbfmaxRunMinutes = 0.5\npython = "auto"\nbuffered = true\n[gpu]\nprobe = "none"\n')
    assert read_user(str(user)) == {
        "maxRunMinutes": 0.5,
        "python": None,
        "buffered": True,
        "gpu.probe": "none",
    }


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("maxParallel = \n", "broken TOML: "),
        ("maxParallel = 1\nmaxParallel = 2\n", "broken TOML: "),
        ("maxParallel = 2026-01-02\n", "maxParallel: found a date, allowed: a whole number"),
        ("maxRunMinutes = nan\n", "maxRunMinutes: found nan, allowed: "),
        ("maxRunMinutes = 0x%s\n" % ("f" * 9000), "maxRunMinutes: found a number of more than 19 digits"),
        ("[gpu]\nprob = 1\n", 'unknown key "gpu.prob"'),
        ("x = " + "[" * 100_000, ""),
        (b"\xff\n", "line 1 is not UTF-8"),
    ],
)
def test_a_wrong_user_file_is_refused(user, content, said):
    message, _ = refused(user, content, read_user)
    assert message.startswith(said)


def test_broken_toml_is_named_with_line_and_column(user):
    message, _ = refused(user, "maxParallel = 2\npython = yes\n", read_user)
    assert "line 2, column" in message


def test_a_project_may_not_bring_commands_of_its_own(project):
    message, _hint = refused(project, '{"hooks": {"start": "touch x"}}')
    assert message == "hooks is no setting of a project: each person decides it for themselves"
