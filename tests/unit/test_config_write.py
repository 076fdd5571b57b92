from __future__ import annotations

import os
import stat
import tomllib

import pytest

from backprop_tui import files
from backprop_tui.config import user as module
from backprop_tui.config.user import write_user
from backprop_tui.errors import ConfigError


@pytest.fixture
def path(tmp_path):
    return tmp_path / "folder" / "config.toml"


def write(path, text):
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(text.encode())


def test_the_first_setting_makes_the_file_private(path):
    assert write_user(str(path), {"maxRunMinutes": "90s", "dashboard.theme": "dark"}) is None
    assert path.read_text() == 'maxRunMinutes = 1.5\n\n[dashboard]\ntheme = "dark"\n'
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


BEFORE = """\
# mine
maxParallel = 2  # two "runs"
other = [1, 2]

# my gpus
[gpu]
probe = 'none' # it hangs

[keys]
"run.kill" = "K"
"""


@pytest.mark.parametrize(
    ("before", "changes", "after"),
    [
        (BEFORE, {"maxParallel": 4}, BEFORE.replace("maxParallel = 2", "maxParallel = 4")),
        (BEFORE, {"maxParallel": None}, BEFORE.replace('maxParallel = 2  # two "runs"\n', "")),
        (BEFORE, {"framework": None, "dashboard.theme": None}, BEFORE),
        (BEFORE, {"framework": "jax"}, BEFORE.replace("[1, 2]\n", '[1, 2]\nframework = "jax"\n')),
        (BEFORE, {"gpu.probe": "nvml"}, BEFORE.replace("'none'", '"nvml"')),
        (BEFORE, {"gpu.maxTempC": 80}, BEFORE.replace("hangs\n", "hangs\nmaxTempC = 80\n")),
        (BEFORE, {"dashboard.mouse": False}, BEFORE + "\n[dashboard]\nmouse = false\n"),
        (BEFORE.replace("\n", "\r\n"), {"gpu.probe": "nvml"}, BEFORE.replace("'none'", '"nvml"').replace("\n", "\r\n")),
        ("# a\n[gpu]\n", {"maxParallel": 3}, "maxParallel = 3\n\n# a\n[gpu]\n"),
        ("# a\n\n# b\n[gpu]\n", {"maxParallel": 3}, "# a\n\nmaxParallel = 3\n\n# b\n[gpu]\n"),
        ("maxParallel = 3", {"buffered": True}, "maxParallel = 3\nbuffered = true\n"),
        ("[gpu]", {"gpu.probe": "none"}, '[gpu]\nprobe = "none"\n'),
        ("gpu.probe = 'x' # c\n", {"gpu.probe": "none"}, 'gpu.probe = "none" # c\n'),
        ("gpuMemoryLimit = '8GB' # c\n", {"gpuMemoryLimit": "none"}, 'gpuMemoryLimit = "none" # c\n'),
        ('"maxParallel"=1#c\n', {"maxParallel": 2}, '"maxParallel"=2#c\n'),
    ],
)
def test_all_else_in_the_file_stays_comments_too(path, before, changes, after):
    write(path, before)
    assert write_user(str(path), changes) is None
    assert path.read_bytes().decode() == after
    assert not os.path.exists(f"{path}.bak")


@pytest.mark.parametrize(
    ("before", "changes", "after"),
    [
        ('gpu = {probe = "none"} # c\n', {"gpu.maxTempC": 80}, {"gpu": {"probe": "none", "maxTempC": 80}}),
        ("gpu.probe = 'none' # c\n", {"gpu.maxTempC": 80}, {"gpu": {"probe": "none", "maxTempC": 80}}),
        (
            "x = '''\n[gpu]\nprobe = 1\n''' # c\n",
            {"gpu.probe": "nvml"},
            {"x": "[gpu]\nprobe = 1\n", "gpu": {"probe": "nvml"}},
        ),
        ("maxParallel = '''\nx''' # c\n", {"maxParallel": 2}, {"maxParallel": 2}),
    ],
)
def test_where_lines_cannot_be_edited_the_comments_are_kept_beside(path, before, changes, after):
    write(path, before)
    assert write_user(str(path), changes) == f"{path}.bak"
    assert tomllib.loads(path.read_text()) == after
    assert path.with_name("config.toml.bak").read_text() == before
    write(path, before)
    assert write_user(str(path), changes) is None, "only the first copy is kept"


@pytest.mark.parametrize(
    ("before", "changes", "said"),
    [
        ("maxParallel = \n", {"maxParallel": 3}, "broken TOML"),
        ("gpu = 3\n", {"gpu.probe": "nvml"}, "gpu: found 3, allowed: a table"),
        ("", {"maxParallel": 0}, "maxParallel: found 0, allowed: a whole number from 1"),
        ("", {"dashboard.theme": "pink"}, 'dashboard.theme: found "pink", allowed: auto, dark, light'),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_written(path, before, changes, said):
    write(path, before)
    with pytest.raises(ConfigError, match=said):
        write_user(str(path), changes)
    assert path.read_text() == before


def test_a_broken_file_s_refusal_says_what_to_do(path):
    write(path, "x = \n")
    with pytest.raises(ConfigError) as caught:
        write_user(str(path), {"maxParallel": 3})
    assert caught.value.hint == "nothing was written; mend the file first, or move it away"


def test_a_wrong_value_is_mended_by_setting_it(path):
    write(path, "maxParallel = 0\n")
    write_user(str(path), {"maxParallel": 3})
    assert path.read_text() == "maxParallel = 3\n"


def test_an_unknown_setting(path):
    with pytest.raises(KeyError):
        write_user(str(path), {"nothing": 1})


def test_a_link_into_somebody_s_dotfiles_stays_one(path, tmp_path):
    real = tmp_path / "dotfiles.toml"
    real.write_text("# mine\n")
    real.chmod(0o644)
    path.parent.mkdir()
    path.symlink_to(real)
    write_user(str(path), {"maxParallel": 3})
    assert path.is_symlink()
    assert real.read_text() == "# mine\nmaxParallel = 3\n"
    assert stat.S_IMODE(real.stat().st_mode) == 0o644


def test_another_writer_is_waited_for_and_then_named(path, monkeypatch):
    monkeypatch.setattr(module, "_LOCK_S", 0.01)
    path.parent.mkdir()
    lock = files.FileLock(f"{path}.lock")
    assert lock.try_acquire()
    with pytest.raises(ConfigError, match="is being changed by another program"):
        write_user(str(path), {"maxParallel": 3})
    lock.release()
    write_user(str(path), {"maxParallel": 3})
    assert path.exists()


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"config\.toml cannot be written: "):
        write_user(str(tmp_path / "file" / "config.toml"), {"maxParallel": 3})
