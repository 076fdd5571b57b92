from __future__ import annotations

import os
import subprocess
import sys

import pytest

import backprop_tui.config.resolve as module
from backprop_tui.config.describe import describe
from backprop_tui.config.resolve import resolve
from backprop_tui.config.settings import SETTINGS
from backprop_tui.errors import ConfigError, UsageError
from backprop_tui.model.spec import SettingValue


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A project's folder and a user's settings file that does not exist yet."""
    folder = tmp_path / "project"
    (folder / ".git").mkdir(parents=True)
    monkeypatch.setattr(module, "user_config_file", lambda env: str(tmp_path / "user" / "config.toml"))
    (tmp_path / "user").mkdir()
    return folder


def settle(place, flags=None, env=None, **more):
    return resolve(flags=flags or {}, env=env or {}, cwd=str(place), **more)


def said(resolved, key):
    value = resolved.settings[key]
    return value.value, value.origin


def test_without_anything_all_is_default(place):
    resolved = settle(place)
    assert list(resolved.settings) == [s.key for s in SETTINGS]
    assert all(said(resolved, s.key) == (s.default, "default") for s in SETTINGS)
    assert (resolved.project_file, resolved.user_file) == (None, None)


def test_each_source_gives_way_to_the_one_above_it(place):
    user = place.parent / "user" / "config.toml"
    project = place / "backprop.config.json"
    user.write_text("maxParallel = 3\n")
    assert said(settle(place), "maxParallel") == (3, str(user))
    project.write_text('{"maxParallel": 4}')
    assert said(settle(place), "maxParallel") == (4, str(project))
    env = {"BACKPROP_SET_MAX_PARALLEL": "5"}
    assert said(settle(place, env=env), "maxParallel") == (5, "environment BACKPROP_SET_MAX_PARALLEL")
    resolved = settle(place, {"maxParallel": "6"}, env)
    assert said(resolved, "maxParallel") == (6, "flag --max-parallel")
    assert (resolved.project_file, resolved.user_file) == (str(project), str(user))


def test_a_project_file_s_null_stands_above_the_user_s_value(place):
    (place.parent / "user" / "config.toml").write_text('gpuMemoryLimit = "80%"\n')
    (place / "backprop.config.json").write_text('{"gpuMemoryLimit": null}')
    assert settle(place).settings["gpuMemoryLimit"].value is None


def test_the_project_file_is_found_from_below(place):
    below = place / "a" / "b"
    below.mkdir(parents=True)
    (place / ".backprop.json").write_text('{"gpu": {"probe": "none"}}')
    assert said(settle(below), "gpu.probe") == ("none", str(place / ".backprop.json"))


def test_switches_and_flags_not_given(place):
    resolved = settle(place, {"buffered": True, "maxParallel": None})
    assert said(resolved, "buffered") == (True, "flag --buffered")
    assert said(resolved, "maxParallel") == (2, "default")
    assert said(settle(place, {"buffered": False}, {"BACKPROP_SET_BUFFERED": "1"}), "buffered")[0] is False


def test_an_empty_variable_counts_as_not_set(place):
    assert said(settle(place, env={"BACKPROP_SET_MAX_PARALLEL": " "}), "maxParallel") == (2, "default")


def test_what_trainings_are_told_sets_nothing(place):
    env = {"BACKPROP_MAX_MINUTES": "3", "BACKPROP_FRAMEWORK": "jax", "BACKPROP_HOME": "/x"}
    assert settle(place, env=env) == settle(place)


def test_a_bad_flag_is_a_usage_error(place):
    with pytest.raises(UsageError, match=r'^--max-run-minutes: found "soon", allowed: minutes above 0'):
        settle(place, {"maxRunMinutes": "soon"})


def test_a_flag_of_no_setting_is_a_bug(place):
    with pytest.raises(KeyError):
        settle(place, {"nothing": "1"})


def test_a_bad_variable_is_named(place):
    with pytest.raises(ConfigError, match=r'^\$BACKPROP_SET_MAX_PARALLEL: found "0", allowed: a whole number from 1'):
        settle(place, env={"BACKPROP_SET_MAX_PARALLEL": "0"})


def test_an_unknown_variable_is_named_with_the_nearest(place):
    with pytest.raises(ConfigError, match="BACKPROP_SET_MAX_PARALEL") as caught:
        settle(place, env={"BACKPROP_SET_MAX_PARALEL": "1"})
    assert caught.value.hint.startswith("did you mean BACKPROP_SET_MAX_PARALLEL?")


def test_config_replaces_the_search(place):
    (place / "backprop.config.json").write_text('{"maxParallel": 4}')
    (place / "other.json").write_text('{"maxRunMinutes": 1}')
    resolved = settle(place, config_path="./other.json")
    assert said(resolved, "maxRunMinutes") == (1, str(place / "other.json"))
    assert said(resolved, "maxParallel") == (2, "default")
    assert resolved.project_file == str(place / "other.json")
    assert settle(place, config_path=str(place / "other.json")) == resolved


@pytest.mark.parametrize("path", ["missing.json", "", "a\0b"])
def test_config_must_name_a_file(place, path):
    with pytest.raises(UsageError, match="--config: there is no file"):
        settle(place, config_path=path)


def test_config_may_not_be_a_folder(place):
    with pytest.raises(ConfigError, match="is a folder"):
        settle(place, config_path=".git")


def test_resume_repeats_the_run_s_values_below_flags_only(place):
    (place / "backprop.config.json").write_text('{"maxParallel": 4, "maxRunMinutes": 4, "minFreeRamGB": 1}')
    inherited = {
        "maxParallel": SettingValue(value=7, origin="flag --max-parallel"),
        "maxRunMinutes": SettingValue(value=0.2, origin="default"),
        "gpuMemoryLimit": SettingValue(value=None, origin="default"),
        "fromALaterVersion": SettingValue(value=1, origin="default"),
    }
    env = {"BACKPROP_SET_MAX_PARALLEL": "9", "BACKPROP_SET_GPU_MEMORY_LIMIT": "1GB"}
    resolved = settle(place, {"maxRunMinutes": "3"}, env, inherited=inherited)
    assert said(resolved, "maxParallel") == (7, "run")
    assert said(resolved, "maxRunMinutes") == (3, "flag --max-run-minutes")
    assert said(resolved, "gpuMemoryLimit") == (None, "run")
    assert said(resolved, "minFreeRamGB") == (1, str(place / "backprop.config.json"))
    assert "fromALaterVersion" not in resolved.settings


def test_a_whole_record_resumes_whatever_became_of_the_files(place):
    inherited = settle(place, {"maxRunMinutes": "1.5"}).settings
    (place / "backprop.config.json").write_text("{broken")
    resolved = settle(place, {"maxParallel": "1"}, inherited=inherited)
    assert said(resolved, "maxRunMinutes") == (1.5, "run")
    assert said(resolved, "maxParallel") == (1, "flag --max-parallel")
    with pytest.raises(ConfigError, match="broken JSON"):
        settle(place, inherited=inherited, config_path="backprop.config.json")


def test_a_damaged_record_is_refused(place):
    with pytest.raises(ConfigError, match=r"^the run's record: maxParallel: found \"x\""):
        settle(place, inherited={"maxParallel": SettingValue(value="x", origin="run")})


@pytest.mark.parametrize(("mode", "owner", "ok"), [(0o777, 4242, False), (0o777, 0, True), (0o755, 4242, True)])
def test_a_stranger_s_file_in_a_public_folder_is_not_trusted(place, monkeypatch, mode, owner, ok):
    path = place / "backprop.config.json"
    path.write_text('{"maxParallel": 4}')
    place.chmod(mode)
    real = os.lstat

    def lstat(name, **more):
        info = real(name, **more)
        return os.stat_result((*info[:4], owner, *info[5:])) if str(name) == str(path) else info

    monkeypatch.setattr(os, "lstat", lstat)
    if ok:
        assert settle(place).settings["maxParallel"].value == 4
    else:
        with pytest.raises(ConfigError, match="belongs to another user"):
            settle(place)
        assert settle(place, config_path=str(path)).settings["maxParallel"].value == 4


def test_a_user_file_that_cannot_be_read_is_said(place):
    (place.parent / "user" / "config.toml").mkdir()
    with pytest.raises(ConfigError, match="is a folder"):
        settle(place)


def test_without_the_user_s_folder_there_is_no_user_file(place):
    (place.parent / "user").rmdir()
    (place.parent / "user").write_text("no folder")
    assert settle(place).user_file is None


def test_rows_for_people(place):
    (place / "backprop.config.json").write_text('{"gpuMemoryLimit": "80%", "python": "/p\\u001b[0m/y"}')
    rows = {row.key: (row.value, row.origin) for row in describe(settle(place, {"buffered": True}).settings)}
    assert list(rows) == [s.key for s in SETTINGS]
    assert rows["maxRunMinutes"] == ("10 minutes", "default")
    assert rows["gpuMemoryLimit"] == ("80%", str(place / "backprop.config.json"))
    assert rows["graceSeconds"] == ("auto", "default")
    assert rows["buffered"] == ("true", "flag --buffered")
    assert rows["python"][0] == "/p\\x1b[0m/y"


@pytest.mark.skipif(sys.platform != "linux", reason="platformdirs is asked elsewhere")
def test_resolving_without_files_imports_nothing_costly(tmp_path):
    code = (
        "import os, sys; from backprop_tui.config.resolve import resolve;"
        "resolve(flags={'maxRunMinutes': '1h'}, env=os.environ, cwd=sys.argv[1]);"
        "costly = {'ast', 'dataclasses', 'typing', 'pathlib', 'difflib', 'tomllib', 'subprocess', 'shutil'};"
        "print(sorted(costly & set(sys.modules)))"
    )
    (tmp_path / ".git").mkdir()
    env = {**os.environ, "XDG_CONFIG_HOME": str(tmp_path), "HOME": str(tmp_path)}
    root = os.path.dirname(os.path.dirname(os.path.dirname(module.__file__)))
    done = subprocess.run(
        [sys.executable, "-S", "-c", code, str(tmp_path)],
        env=env,
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"
