"""Settings: what is read, from where, and what is said of mistakes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backprop_tui import paths
from backprop_tui.config.resolve import resolve
from backprop_tui.config.settings import SETTINGS, by_flag, by_key
from backprop_tui.config.values import from_plain, from_text, memory_limit_bytes
from backprop_tui.errors import BackpropError, ConfigError, UsageError
from backprop_tui.model.spec import SettingValue

GB = 1024**3


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("maxRunMinutes", "10", 10),
        ("maxRunMinutes", "0.2", 0.2),
        ("maxRunMinutes", "90s", 1.5),
        ("maxRunMinutes", "10m", 10),
        ("maxRunMinutes", "1h30m", 90),
        ("graceSeconds", "1m", 60),
        ("graceSeconds", "auto", None),
        ("gpuMemoryLimit", "80%", "80%"),
        ("gpuMemoryLimit", "8", "8GB"),
        ("gpuMemoryLimit", "512MB", "512MB"),
        ("gpuMemoryLimit", "none", None),
        ("stopSignal", "usr1", "SIGUSR1"),
        ("buffered", "yes", True),
        ("maxParallel", "3", 3),
    ],
)
def test_values_from_text(key: str, text: str, value: Any) -> None:
    assert from_text(by_key(key), text, "x") == value


@pytest.mark.parametrize(
    ("key", "text"),
    [
        *[("maxRunMinutes", text) for text in ("", "0", "-1", "nan", "inf", "ten", "1h30", "1e99", "1_000", "٣")],
        *[("maxParallel", text) for text in ("0", "1.5", "-2")],
        *[("gpuMemoryLimit", text) for text in ("120%", "-1", "8KB", "0", "GB")],
        ("gpu.probe", "cuda"),
        ("stopSignal", "KILL"),
        ("minFreeRamGB", "4GB"),
    ],
)
def test_bad_text_names_what_was_found_and_what_is_allowed(key: str, text: str) -> None:
    with pytest.raises(ConfigError, match=r"found .*, allowed: "):
        from_text(by_key(key), text, "x")


@given(st.sampled_from(SETTINGS), st.one_of(st.text(), st.integers(), st.floats(), st.booleans(), st.none()))
def test_any_value_is_read_or_refused(setting: Any, value: Any) -> None:
    for read in (from_plain, from_text) if isinstance(value, str) else (from_plain,):
        try:
            read(setting, value, "x")
        except BackpropError:
            pass


@pytest.mark.parametrize(
    ("limit", "size"), [("80%", 0.8 * 24 * GB), ("8GB", 8 * GB), ("512MB", GB / 2), ("100%", 24 * GB)]
)
def test_memory_limit(limit: str, size: float) -> None:
    assert memory_limit_bytes(limit, 24 * GB) == int(size)


def test_every_setting_has_its_own_names() -> None:
    for names in ([s.key for s in SETTINGS], [s.flag for s in SETTINGS], [s.env for s in SETTINGS]):
        assert len(set(names)) == len(SETTINGS)
    shorts = [s.short for s in SETTINGS if s.short]
    assert len(set(shorts)) == len(shorts)
    assert by_key("gpu.maxTempC").env == "BACKPROP_SET_GPU_MAX_TEMP_C"
    found = by_flag("-m")
    assert found is not None
    assert found.key == "maxRunMinutes"


def test_flag_before_environment_before_project_before_user_before_default(tmp_path: Path) -> None:
    (tmp_path / "config" / "backprop").mkdir(parents=True)
    user = tmp_path / "config" / "backprop" / "config.toml"
    user.write_text("maxRunMinutes = 1\nmaxParallel = 1\nminFreeRamGB = 1\n[gpu]\nmaxTempC = 71\n")
    project = tmp_path / "work" / ".backprop.json"
    project.parent.mkdir()
    project.write_text('{"maxRunMinutes": 2, "maxParallel": 2, "minFreeRamGB": 2}')
    env = {
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "BACKPROP_SET_MAX_PARALLEL": "3",
        "BACKPROP_SET_MAX_RUN_MINUTES": "3",
    }
    found = resolve(flags={"maxRunMinutes": "4"}, env=env, cwd=str(project.parent))
    got = {key: (value.value, value.origin) for key, value in found.settings.items()}
    assert got["maxRunMinutes"] == (4, "flag --max-run-minutes")
    assert got["maxParallel"] == (3, "environment BACKPROP_SET_MAX_PARALLEL")
    assert got["minFreeRamGB"] == (2, str(project))
    assert got["gpu.maxTempC"] == (71, str(user))
    assert got["gpu.minFreeVramMB"] == (2500, "default")
    assert (found.project_file, found.user_file) == (str(project), str(user))


def test_a_resumed_run_keeps_its_own_but_for_flags(tmp_path: Path) -> None:
    inherited = {
        "maxRunMinutes": SettingValue(value=7, origin="flag --max-run-minutes"),
        "maxParallel": SettingValue(value=5, origin="default"),
    }
    (tmp_path / ".backprop.json").write_text('{"maxParallel": 2, "minFreeRamGB": 2}')
    env = {"XDG_CONFIG_HOME": str(tmp_path / "none")}
    found = resolve(flags={"maxRunMinutes": "1"}, env=env, cwd=str(tmp_path), inherited=inherited).settings
    assert (found["maxRunMinutes"].value, found["maxParallel"].value, found["minFreeRamGB"].value) == (1, 5, 2)
    assert found["maxParallel"].origin == "run"


def test_bad_flag_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--max-parallel"):
        resolve(flags={"maxParallel": "x"}, env={}, cwd=str(tmp_path))


@pytest.mark.parametrize("text", ["maxRunMinutes = ", "maxRunMinute = 5", "[gpu]\nprobe = 3", "gpu = 1"])
def test_bad_user_file_names_the_file(tmp_path: Path, text: str) -> None:
    (tmp_path / "backprop").mkdir()
    (tmp_path / "backprop" / "config.toml").write_text(text)
    with pytest.raises(ConfigError, match=r"config\.toml"):
        resolve(flags={}, env={"XDG_CONFIG_HOME": str(tmp_path)}, cwd=str(tmp_path))


def test_project_file_is_looked_for_up_to_the_repositorys_root(tmp_path: Path) -> None:
    inner = tmp_path / "repository" / "a" / "b"
    inner.mkdir(parents=True)
    (tmp_path / "backprop.config.json").write_text("{}")
    assert paths.project_config_file(str(inner)) == str(tmp_path / "backprop.config.json")
    (tmp_path / "repository" / ".git").mkdir()
    assert paths.project_config_file(str(inner)) is None
    (tmp_path / "repository" / ".backprop.json").write_text("{}")
    assert paths.project_config_file(str(inner)) == str(tmp_path / "repository" / ".backprop.json")
