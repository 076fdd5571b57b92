from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backprop_tui.artifacts.arguments import places_in
from backprop_tui.artifacts.ownership import WriteHistory
from backprop_tui.artifacts.skipping import is_shared, is_skipped
from backprop_tui.artifacts.watching import Watch

MB = 1_000_000


@pytest.mark.parametrize(
    ("words", "outputs", "files", "data"),
    [
        ("--output_dir out --lr 0.1", ["/w/out"], [], []),
        ("--out=/x/y save_dir=z", ["/x/y", "/w/z"], [], []),
        ("-o o1 --outputDir ../q", ["/w/o1", "/q"], [], []),
        ("--data-dir ../d --dataset=imagenet", [], [], ["/d", "/w/imagenet"]),
        ("--save model.pt --ckpt=out/ckpt.pt", ["/w/out"], ["/w/model.pt", "/w/out/ckpt.pt"], []),
        ("hydra.run.dir=outputs/a data.root=/data +trainer.default_root_dir=/r", ["/w/outputs/a", "/r"], [], ["/data"]),
        ("--resume_from_checkpoint out/checkpoint-5 --init_from=resume --model_name_or_path gpt2", [], [], []),
        ("--save_steps 500 --logging_steps=5 --save_strategy epoch --log-level info --report_to none", [], [], []),
        ("--output_dir . --project_dir p train.py out", ["/w/p"], [], []),
        ("--save --verbose --output", [], [], []),
        ("--log_dir s3://bucket/x --out= --save 1e-3 --export true", [], [], []),
        ("--output_dir ~/runs", [os.path.expanduser("~/runs")], [], []),
        ("--data out --output out", ["/w/out"], [], []),
    ],
)
def test_places_among_arguments(words, outputs, files, data):
    found = places_in(words.split(), "/w")
    assert (list(found.outputs), list(found.files), list(found.data)) == (outputs, files, data)


@given(st.lists(st.text(max_size=40), max_size=6))
def test_no_argument_raises(words):
    for path in places_in(words, "/w").outputs:
        assert path.startswith("/")


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("out/**/*.pt", "/w/out/a.pt", True),
        ("out/**/*.pt", "/w/out/x/y/a.pt", True),
        ("out/**/*.pt", "/w/a.pt", False),
        ("out/*.pt", "/w/out/x/a.pt", False),
        ("/abs/x-[0-9].bin", "/abs/x-1.bin", True),
        ("/abs/x-[0-9].bin", "/abs/x-a.bin", False),
        ("a?c/[!x]*", "/w/abc/y", True),
        ("a?c/[!x]*", "/w/abc/x", False),
        ("ckpts", "/w/ckpts", True),
        ("**/deep", "/w/deep", True),
        ("**/deep", "/w/a/b/deep", True),
        ("out/**", "/w/out/a/b", True),
        ("out/**", "/w/out", True),
        ("o[z-a]", "/w/oz", False),
        ("**/**/**/**/**/**/**/x", "/w/" + "a/" * 100, False),
        ("../up/*", "/up/x", True),
        ("~/ck/*", os.path.expanduser("~/ck/x"), True),
    ],
)
def test_watch_patterns(pattern, path, matches):
    assert Watch([pattern], "/w").matches(path) is matches


def test_a_pattern_that_ends_in_two_stars_means_files():
    assert not Watch(["out/**"], "/w").matches("/w/out/a", is_folder=True)
    assert Watch(["out/*"], "/w").matches("/w/out/a", is_folder=True)


def test_where_watched_files_lie():
    watch = Watch(["out/**/*.pt", "/abs/x-*.bin", "ckpt.pt", "**/a"], "/w")
    assert watch.bases == ("/w/out", "/abs", "/w")


@pytest.mark.parametrize(
    ("path", "shared"),
    [("/tmp", True), ("/home/me", True), ("/home/me/.cache/hf", True), ("/dev/shm", True), ("/home/me/out", False)],
)
def test_folders_that_are_everybodys(path, shared):
    assert is_shared(path, "/home/me") is shared


def test_system_folders_are_skipped():
    assert is_skipped("1", "/proc/1")
    assert is_skipped("proc", "/proc")
    assert not is_skipped("runs", "/runs")


def written(*samples: tuple[float, int | None]) -> WriteHistory:
    """Looks at seconds after the start, and what had been written by then."""
    history = WriteHistory(0)
    for t, total in samples:
        history.note(t, total)
    return history


def test_who_has_written_nothing_owns_nothing():
    history = written(*[(t, 100 * t) for t in range(2, 40, 2)])
    assert not history.can_hold(MB, 20)
    assert not history.can_hold(MB, 1)
    assert history.can_hold(300, 20)


def test_who_wrote_as_much_as_the_file_holds_can_own_it():
    history = written(*[(t, 0) for t in range(2, 20, 2)], (20, 10 * MB), *[(t, 10 * MB) for t in range(22, 40, 2)])
    assert history.can_hold(10 * MB, 19.5)
    assert history.can_hold(10 * MB, 20)
    assert not history.can_hold(10 * MB, 12)
    assert not history.can_hold(10 * MB, 30)
    assert not history.can_hold(20 * MB, 19.5)


def test_a_large_file_takes_its_time():
    history = written(*[(t, 50 * MB * t) for t in range(2, 60, 2)])
    assert history.can_hold(1000 * MB, 40)


def test_what_filled_one_file_did_not_fill_another():
    history = written(*[(t, 0) for t in range(2, 20, 2)], (20, 10 * MB), (22, 10 * MB))
    history.take(10 * MB, 19.5)
    assert not history.can_hold(10 * MB, 19.6), "another program's, saved at the same time"
    assert history.can_hold(10 * MB, 19.5), "a hard link"


def test_saves_one_after_the_other_are_all_owned():
    history = written()
    for number in range(1, 40):
        history.note(2 * number, number * 10 * MB)
        assert history.can_hold(10 * MB, 2 * number - 0.5), number
        history.take(10 * MB, 2 * number - 0.5)


def test_a_small_file_after_a_large_one_that_began_long_before():
    history = written(*[(t, min(100 * t, 1000) * MB) for t in range(2, 20, 2)])
    history.take(1000 * MB, 10)
    history.note(20, 1001 * MB)
    assert not history.can_hold(MB, 12)
    history = written(*[(t, min(100 * t, 1000) * MB + (t >= 12) * MB) for t in range(2, 20, 2)])
    history.take(1000 * MB, 10)
    assert history.can_hold(MB, 11.5)


def test_where_there_is_no_telling_it_may_be():
    assert written().can_hold(MB, 5)
    assert written((2, None), (4, None)).can_hold(MB, 3)
    assert written((2, 0), (4, 0)).can_hold(MB, 5), "written after the last look"


def test_the_history_is_bounded():
    history = written(*[(t, t) for t in range(5000)])
    assert len(history._samples) <= 512
    assert not history.can_hold(MB, 4000)
