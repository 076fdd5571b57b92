from __future__ import annotations

import signal

import pytest

from backprop_tui.config.settings import ENV_PREFIX, SETTINGS, by_key
from backprop_tui.config.values import from_plain
from backprop_tui.paths import RUN_VARIABLES


def test_no_two_settings_share_a_name():
    for names in (
        [s.key for s in SETTINGS],
        [s.env for s in SETTINGS],
        [flag for s in SETTINGS for flag in (s.flag, s.short) if flag],
    ):
        assert len(names) == len(set(names))


def test_no_variable_is_one_that_trainings_are_told():
    assert not {s.env for s in SETTINGS} & set(RUN_VARIABLES)
    assert not any(name.startswith(ENV_PREFIX) for name in RUN_VARIABLES)


@pytest.mark.parametrize(
    ("key", "env"),
    [
        ("maxRunMinutes", "BACKPROP_SET_MAX_RUN_MINUTES"),
        ("minFreeRamGB", "BACKPROP_SET_MIN_FREE_RAM_GB"),
        ("gpu.probe", "BACKPROP_SET_GPU_PROBE"),
        ("gpu.minFreeVramMB", "BACKPROP_SET_GPU_MIN_FREE_VRAM_MB"),
        ("gpu.maxTempC", "BACKPROP_SET_GPU_MAX_TEMP_C"),
        ("python", "BACKPROP_SET_PYTHON"),
    ],
)
def test_a_variable_is_named_after_its_key(key, env):
    assert by_key(key).env == env


@pytest.mark.parametrize(
    ("long", "short", "key", "default"),
    [
        ("--max-run-minutes", "-m", "maxRunMinutes", 10),
        ("--framework", "-f", "framework", "auto"),
        ("--checkpoint-every-minutes", "-c", "checkpointEveryMinutes", 5),
        ("--gpu-memory-limit", "-g", "gpuMemoryLimit", None),
        ("--max-parallel", "-p", "maxParallel", 2),
        ("--min-free-ram", "", "minFreeRamGB", 4),
        ("--max-cpu-load", "", "maxCpuLoadPerCore", 1.5),
        ("--gpu-probe", "", "gpu.probe", "auto"),
        ("--gpu-min-vram", "", "gpu.minFreeVramMB", 2500),
        ("--gpu-max-temp", "", "gpu.maxTempC", 85),
        ("--python", "", "python", None),
        ("--stop-signal", "", "stopSignal", None),
        ("--grace", "", "graceSeconds", None),
        ("--buffered", "", "buffered", False),
        ("--metric-pattern", "", "metrics.pattern", None),
        ("--metrics-without", "", "metrics.without", ()),
        ("--metric-files", "", "metrics.files", True),
        ("--watch", "", "checkpoints.watch", ()),
        ("--checkpoint-copy", "", "checkpoints.copy", True),
        ("--resume-arg", "", "resume.arg", None),
    ],
)
def test_flags_and_defaults_are_the_documented_ones(long, short, key, default):
    setting = by_key(key)
    assert (setting.flag, setting.short, setting.default) == (long, short, default)


def test_an_unknown_key():
    with pytest.raises(KeyError):
        by_key("nothing")


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda s: s.key)
def test_every_setting_is_described_and_its_default_is_allowed(setting):
    assert setting.help
    assert "\n" not in setting.help
    assert from_plain(setting, setting.default, "default") == setting.default
    assert setting.metavar or setting.kind == "boolean"


def test_every_stop_signal_exists():
    assert all(name in signal.Signals.__members__ for name in by_key("stopSignal").choices)
