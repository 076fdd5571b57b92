"""What a script needs: learned from its slices, asked for by a person, or as the settings have it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from backprop_tui.config.settings import SETTINGS
from backprop_tui.model.run import Checkpoint, Run, Slice
from backprop_tui.model.spec import SettingValue, SliceSpec
from backprop_tui.model.states import RunState
from backprop_tui.store import scripts
from backprop_tui.store.home import Home
from backprop_tui.supervisor.enrolment import request_of
from backprop_tui.supervisor.needs import Needs, learn_needs, recall_needs
from tests.unit.test_store import a_spec

GB = 1024**3
MB = 1024**2


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(str(tmp_path / "home"))
    made.ensure()
    return made


def spec(**given: Any) -> SliceSpec:
    values = {setting.key: SettingValue(value=setting.default, origin="default") for setting in SETTINGS}
    values |= {key.replace("__", "."): SettingValue(value=value, origin="flag") for key, value in given.items()}
    return a_spec("r1").replace(settings=values)


def learn(home: Home, *, peak: int | None = None, sizes: tuple[int | None, ...] = (), **fields: Any) -> None:
    kept = {"n": 2, "state": RunState.TIMEBOXED, "started": 1.0, "box_s": 600.0, "used_s": 600.0, **fields}
    found = tuple(
        Checkpoint(path=f"/w/{n}", step=n, t=1.0, slice=2, size=size, good=True) for n, size in enumerate(sizes)
    )
    newest = Slice(**kept, peak_gpu_bytes=peak)
    run = Run(id="r1", state=newest.state, created=1.0, updated=1.0, slices=(newest,), checkpoints=found)
    learn_needs(home, spec(), run, 5.0)


def test_the_largest_of_the_last_few_peaks_counts(home: Home) -> None:
    assert recall_needs(home, spec()) == Needs()
    for peak in (20, 3, 5):
        learn(home, peak=peak * GB, sizes=(7, 9, None))
    assert recall_needs(home, spec()) == Needs(gpu_bytes=20 * GB, checkpoint_bytes=9)
    for _ in range(scripts.KEPT_PEAKS - 2):
        learn(home, peak=4 * GB)
    assert recall_needs(home, spec()) == Needs(gpu_bytes=5 * GB, checkpoint_bytes=9)
    assert recall_needs(home, spec().replace(command=("other.py",))) == Needs()


@pytest.mark.parametrize("name", ['a"b.py', "a\\b.py", "ü.py", "a\nb.py", "\x7f.py", "plain.py"])
def test_scripts_of_any_name_are_remembered(home: Home, name: str) -> None:
    scripts.remember_needs(home, f"/w/{name}", gpu_peak=7, checkpoint_bytes=None, t=1.0)
    assert recall_needs(home, spec().replace(command=(name,))).gpu_bytes == 7


@pytest.mark.parametrize(
    ("fields", "learned"),
    [
        ({"used_s": 19.0, "state": RunState.FAILED}, None),
        ({"used_s": 19.0, "state": RunState.STOPPED}, None),
        ({"used_s": 1.0, "state": RunState.COMPLETED}, 3),
        ({"used_s": 21.0, "state": RunState.FAILED}, 3),
    ],
)
def test_a_slice_that_was_cut_short_teaches_nothing(home: Home, fields: dict[str, Any], learned: int | None) -> None:
    learn(home, peak=3, **fields)
    assert recall_needs(home, spec()).gpu_bytes == learned


def test_what_is_known_of_resuming_is_kept(home: Home) -> None:
    key = "/w/train.py"
    scripts.remember_taken(home, key, "--load {checkpoint}", "d1", 1.0)
    learn(home, peak=GB, sizes=(5,))
    assert scripts.recall(home, key).template == "--load {checkpoint}"
    refusal = scripts.Refusal(template="--load {checkpoint}", digest="d2", said="no")
    scripts.remember_refused(home, key, refusal, 2.0)
    known = scripts.recall(home, key)
    assert (known.template, known.refused, known.gpu_peaks, known.checkpoint_bytes) == ("", (refusal,), (GB,), 5)
    scripts.remember_taken(home, key, "--x {checkpoint}", "d3", 3.0)
    assert scripts.recall(home, key).gpu_peaks == (GB,)


@pytest.mark.parametrize("peaks", ['"x"', "[null, true, -1, 1e9, 5]", "{}", "[99999999999999999999999]", '["5"]'])
def test_nonsense_in_the_file_is_no_need(home: Home, peaks: str) -> None:
    text = f'{{"version": 1, "scripts": {{"/w/train.py": {{"gpu_peaks": {peaks}, "checkpoint_bytes": "big"}}}}}}'
    Path(home.path, "scripts.json").write_text(text)
    assert recall_needs(home, spec()) == Needs(gpu_bytes=5 if ", 5]" in peaks else None)


def test_nothing_is_raised_where_it_cannot_be_written(home: Home) -> None:
    Path(home.path, "scripts.json").mkdir()
    learn(home, peak=GB)
    assert recall_needs(home, spec()) == Needs()


@pytest.mark.parametrize(
    ("given", "learned", "need"),
    [
        ({}, None, (2500 * MB, "")),
        ({}, 10 * GB, (11 * GB, "learned")),
        ({}, GB, (int(1.1 * GB), "learned")),
        ({"gpu__minFreeVramMB": 4000}, GB, (4000 * MB, "")),
        ({"gpu__minFreeVramMB": 4000}, 10 * GB, (11 * GB, "learned")),
        ({"gpu__needMB": 1000}, 10 * GB, (1000 * MB, "given")),
        ({"gpu__needMB": 1000, "gpu__minFreeVramMB": 4000}, None, (4000 * MB, "")),
        ({"gpu__needMB": 5000, "gpu__minFreeVramMB": 4000}, None, (5000 * MB, "given")),
        ({"gpu__needMB": 0}, None, (0, "given")),
    ],
)
def test_the_memory_that_a_start_asks_for(
    home: Home, given: dict[str, Any], learned: int | None, need: tuple[int, str]
) -> None:
    if learned is not None:
        learn(home, peak=learned)
    request = request_of(spec(**given), {}, home)
    assert (request.need_bytes, request.need_from) == need


def test_what_else_the_governor_is_told(home: Home) -> None:
    learn(home, sizes=(3 * GB,))
    wanted = spec(gpus=2, priority=4, minFreeDiskGB=2, gpu__maxTempC=80, graceSeconds=7, maxRunMinutes=3)
    request = request_of(wanted.replace(name="nano", env={"CUDA_VISIBLE_DEVICES": "1"}), {}, home)
    assert (request.gpus_wanted, request.priority, request.box_s, request.grace_s) == (2, 4, 180.0, 7.0)
    assert (request.min_free_disk_bytes, request.checkpoint_bytes) == (2 * GB, 3 * GB)
    assert (request.name, request.home, request.user_mask) == ("nano", home.path, "1")
    assert (request.max_temp_c, request.resume_temp_c) == (80, 70)
    assert request.disks == (("records", home.path), ("checkpoints", "/w"))
    resumed = request_of(wanted.replace(resume_from="/big/ck/5.pt"), {}, home)
    assert resumed.disks[1] == ("checkpoints", "/big/ck")


@pytest.mark.parametrize(("resume_temp", "expected"), [(None, 75), (60, 60), (85, 84), (99, 84)])
def test_it_has_cooled_down_only_below_the_limit(home: Home, resume_temp: int | None, expected: int) -> None:
    given = {} if resume_temp is None else {"gpu__resumeTempC": resume_temp}
    assert request_of(spec(gpu__maxTempC=85, **given), {}, home).resume_temp_c == expected


def test_a_record_older_than_the_settings(home: Home) -> None:
    old = spec()
    kept = ("maxParallel", "minFreeRamGB", "maxCpuLoadPerCore", "gpu.minFreeVramMB", "gpu.maxTempC", "gpu.probe")
    known = {key: old.settings[key] for key in (*kept, "maxRunMinutes", "graceSeconds")}
    request = request_of(old.replace(settings=known), {}, home)
    assert (request.gpus_wanted, request.priority, request.min_free_disk_bytes) == (1, 0, 0)
