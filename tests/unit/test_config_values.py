from __future__ import annotations

import datetime
import math

import pytest

from backprop_tui.config.settings import by_key
from backprop_tui.config.values import from_plain, from_text
from backprop_tui.config.wording import shown
from backprop_tui.errors import ConfigError, UsageError
from backprop_tui.text import printable

GIB = 1024**3
MIB = 1024**2


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("10", 10),
        ("0.2", 0.2),
        (" 10 ", 10),
        (".5", 0.5),
        ("1e2", 100),
        ("90s", 1.5),
        ("10m", 10),
        ("10min", 10),
        ("1h30m", 90),
        ("1h 30m", 90),
        ("1.5h", 90),
        ("2d", 2880),
        ("1d1h1m60s", 1502),
        ("0.001s", 0.001 / 60),
    ],
)
def test_times_become_minutes(text, minutes):
    setting = by_key("maxRunMinutes")
    assert from_text(setting, text, "-m") == pytest.approx(minutes)
    assert from_plain(setting, text.strip(), "file") == pytest.approx(minutes)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            " ",
            "0",
            "-1",
            "nan",
            "inf",
            "-inf",
            "1e999",
            "1e10",
            "ten",
            "10x",
            "m",
            "h30",
            "30m1h",
            "1m1m",
        ),
        *(
            "0s",
            "1_000",
            "١٠",
            "0x10",
            "10 20",
            "1,5",
            "+",
            "e",
            "--5",
            "1" * 41,
            "9" * 5000,
            "10m\n5",
            "1h-5m",
        ),
    ],
)
def test_what_is_no_time_is_refused(text):
    with pytest.raises(UsageError) as caught:
        from_text(by_key("maxRunMinutes"), text, "--max-run-minutes", UsageError)
    assert caught.value.message.startswith("--max-run-minutes: found ")
    assert "allowed: minutes above 0, such as 10" in caught.value.message
    assert len(caught.value.message) < 250


def test_whole_numbers_are_whole_whatever_their_writing():
    assert repr(from_plain(by_key("maxRunMinutes"), 10.0, "file")) == "10"
    assert repr(from_text(by_key("maxParallel"), "3.0", "-p")) == "3"


@pytest.mark.parametrize(
    "value",
    [
        True,
        False,
        None,
        [],
        {},
        math.nan,
        math.inf,
        -math.inf,
        10**400,
        1 << 20000,
        -1,
        0,
        datetime.date(2026, 1, 2),
    ],
    ids=lambda value: str(type(value)),
)
@pytest.mark.parametrize("key", ["maxRunMinutes", "checkpointEveryMinutes", "maxParallel", "maxCpuLoadPerCore"])
def test_what_is_no_positive_number_is_refused(key, value):
    with pytest.raises(ConfigError) as caught:
        from_plain(by_key(key), value, f"f.json: {key}")
    assert caught.value.message.startswith(f"f.json: {key}: found {shown(value)}, allowed: ")


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("maxParallel", "64", 64),
        ("minFreeRamGB", "0", 0),
        ("minFreeRamGB", "0.5", 0.5),
        ("maxCpuLoadPerCore", "1.5", 1.5),
        ("gpu.minFreeVramMB", "0", 0),
        ("gpu.maxTempC", "90", 90),
        ("gpu.probe", "nvidia-smi", "nvidia-smi"),
        ("gpu.probe", "none", "none"),
        ("framework", "jax", "jax"),
        ("python", "/usr/bin/my python", "/usr/bin/my python"),
        ("python", "auto", None),
        ("stopSignal", "INT", "SIGINT"),
        ("stopSignal", "sigterm", "SIGTERM"),
        ("stopSignal", "USR1", "SIGUSR1"),
        ("graceSeconds", "45s", 45),
        ("graceSeconds", "1m", 60),
        ("graceSeconds", "12.5", 12.5),
        ("graceSeconds", "0", 0),
        ("graceSeconds", "auto", None),
        ("maxLogMB", "none", None),
        ("maxLogMB", "5", 5),
        ("buffered", "Yes", True),
        ("buffered", "0", False),
        ("metrics.pattern", r"s(?P<step>\d+) l(?P<loss>\S+)", r"s(?P<step>\d+) l(?P<loss>\S+)"),
        ("metrics.pattern", "none", None),
        ("metrics.without", "bar, pairs,,bar", ("bar", "pairs")),
        ("metrics.without", "", ()),
        ("metrics.files", "no", False),
        ("checkpoints.watch", "out/*.pt, /data/run/**", ("out/*.pt", "/data/run/**")),
        ("resume.arg", "--resume {checkpoint}", "--resume {checkpoint}"),
        ("resume.arg", "--init_from=resume", "--init_from=resume"),
        ("resume.arg", "resume=true model={checkpoint}", "resume=true model={checkpoint}"),
        ("resume.arg", " rerun ", "rerun"),
        ("resume.arg", "auto", None),
        ("gpuMemoryLimit", "none", None),
        ("gpuMemoryLimit", "80%", "80%"),
        ("gpuMemoryLimit", "8", "8GB"),
        ("gpuMemoryLimit", "8GB", "8GB"),
        ("gpuMemoryLimit", "8 gib", "8GB"),
        ("gpuMemoryLimit", "1.50G", "1.5GB"),
        ("gpuMemoryLimit", "512MB", "512MB"),
        ("gpuMemoryLimit", "12345678m", "12345678MB"),
        ("gpuMemoryLimit", "1TB", "1TB"),
    ],
)
def test_texts_are_read(key, text, value):
    found = from_text(by_key(key), text, "flag")
    assert found == value
    assert type(found) is type(value)
    assert from_plain(by_key(key), found, "record") == value


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("maxParallel", "0"),
        ("maxParallel", "1.5"),
        ("maxParallel", "-2"),
        ("minFreeRamGB", "-0.1"),
        ("minFreeRamGB", "4GB"),
        ("gpu.maxTempC", "0"),
        ("gpu.maxTempC", "201"),
        ("gpu.probe", "NVML"),
        ("framework", "torch"),
        ("python", ""),
        ("python", "a\0b"),
        ("python", "x" * 5000),
        ("stopSignal", "KILL"),
        ("stopSignal", "2"),
        ("graceSeconds", "-1"),
        ("buffered", "maybe"),
        ("metrics.pattern", "(?P<loss>"),
        ("metrics.pattern", r"loss (\S+)"),
        ("metrics.pattern", r"(?P<step>\d+)"),
        ("metrics.pattern", "(?P<loss>x)" + "a" * 1000),
        ("metrics.without", "bars"),
        ("checkpoints.watch", ",".join(map(str, range(60)))),
        ("checkpoints.watch", "a\0b"),
        ("resume.arg", "--resume {path}"),
        ("resume.arg", "--resume '{checkpoint}"),
        ("resume.arg", "resume"),
        ("resume.arg", " "),
        ("gpuMemoryLimit", "101%"),
        ("gpuMemoryLimit", "0"),
        ("gpuMemoryLimit", "0.0000001"),
        ("gpuMemoryLimit", "8KB"),
        ("gpuMemoryLimit", "-8"),
        ("gpuMemoryLimit", "%"),
        ("gpuMemoryLimit", "nan"),
        ("gpuMemoryLimit", "99999999999"),
        ("gpuMemoryLimit", "8GB\nx"),
    ],
)
def test_texts_are_refused_with_what_is_allowed(key, text):
    with pytest.raises(ConfigError, match=r"found .*, allowed: ") as caught:
        from_text(by_key(key), text, "$X")
    assert caught.value.message.isprintable()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("maxParallel", "2"),
        ("minFreeRamGB", "4"),
        ("buffered", "true"),
        ("buffered", 1),
        ("framework", 3),
        ("python", ["python"]),
        ("stopSignal", 2),
        ("gpuMemoryLimit", True),
        ("gpuMemoryLimit", 0),
        ("gpuMemoryLimit", math.nan),
        ("gpuMemoryLimit", 10**400),
        ("gpu.probe", None),
    ],
)
def test_types_in_files_count(key, value):
    with pytest.raises(ConfigError, match="allowed: "):
        from_plain(by_key(key), value, "file")


def test_a_memory_limit_may_be_a_json_number_of_gigabytes():
    assert from_plain(by_key("gpuMemoryLimit"), 8, "file") == "8GB"
    assert from_plain(by_key("gpuMemoryLimit"), 7.25, "file") == "7.25GB"
    assert from_plain(by_key("gpuMemoryLimit"), None, "file") is None


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (3, "3"),
        (2.5, "2.5"),
        (1 << 100, "a number of more than 19 digits"),
        ("plain", '"plain"'),
        ("x" * 100, '"' + "x" * 59 + '…"'),
        ("\x1b[31m\u202e\x9b\n", '"\\x1b[31m\\u202e\\x9b\\n"'),
        ([1], "a list"),
        ({}, "an object"),
    ],
)
def test_foreign_values_are_shown_short_and_printable(value, text):
    assert shown(value) == text


def test_printable_leaves_what_is_printable():
    assert printable("/home/zoë/x y") == "/home/zoë/x y"
    assert printable("a\udcffb").isprintable()


def test_numbers_too_long_to_print_are_refused():
    with pytest.raises(ConfigError, match="found a number of more than 19 digits"):
        from_plain(by_key("maxParallel"), 1 << 20000, "file")


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("loss<0.3", ("loss<0.3",)),
        ("loss < 0.30, step>=20000,", ("loss<0.3", "step>=20000")),
        (["no-improve 3"], ("no-improve 3",)),
        ("", ()),
    ],
)
def test_goals_are_read_into_one_form(value, read):
    assert from_plain(by_key("until"), value, "until") == read


@pytest.mark.parametrize("value", ["loss", "loss<x", ["no-improve"], 3, [3]])
def test_what_is_no_goal_is_refused_with_an_example(value):
    with pytest.raises(ConfigError, match=r"such as loss<0\.3"):
        from_plain(by_key("until"), value, "until")
