"""Which changes beneath a run's folders are seen, and how many entries that takes."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from backprop_tui.artifacts import places as module
from backprop_tui.artifacts.places import MAX_COST, Places
from backprop_tui.artifacts.remembered import MAX_FRESH, MAX_OLD, Folder
from backprop_tui.artifacts.watching import Watch

LONG_AGO_NS = 1_600_000_000 * 10**9


def old(path: Path, content: str = "x") -> Path:
    """A file from before the slice."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    os.utime(path, ns=(LONG_AGO_NS, LONG_AGO_NS))
    return path


def new(path: Path, content: str = "x") -> Path:
    """A file that the training writes now."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


class Walk:
    """The looks at one tree; every folder's time is taken for settled, so that none is listed without need."""

    def __init__(self, cwd: Path, *, watch: Watch | None = None, skip: tuple[str, ...] = ()) -> None:
        self.cwd = cwd
        self.places = Places(str(cwd), since=time.time(), watch=watch, skip=skip)

    def look(self, **limits: float) -> list[str]:
        found = self.places.look(time.time() + 100, seconds=60, **limits)  # type: ignore[arg-type]
        return sorted(os.path.relpath(seen.path, self.cwd) for seen in found)

    def cost(self, **limits: float) -> int:
        before = self.places.cost
        self.look(**limits)
        return self.places.cost - before


def test_what_was_there_before_is_not_seen(tmp_path):
    old(tmp_path / "pretrained.pt")
    walk = Walk(tmp_path)
    assert walk.look() == []
    new(tmp_path / "out" / "ckpt.pt")
    new(tmp_path / "out" / "notes.md")
    assert walk.look() == ["out/ckpt.pt"]
    assert walk.look() == []


def test_what_is_written_over_in_place_is_seen_each_time(tmp_path):
    path = old(tmp_path / "out" / "ckpt.pt")
    walk = Walk(tmp_path)
    walk.look()
    for content in ("one", "two two", "three three"):
        path.write_text(content)
        assert walk.look() == ["out/ckpt.pt"]
        assert walk.look() == []


def test_a_file_with_an_old_time_is_new_if_its_folder_was_known_without_it(tmp_path):
    old(tmp_path / "out" / "a.pt")
    walk = Walk(tmp_path)
    walk.look()
    old(tmp_path / "out" / "b.pt")
    assert walk.look() == ["out/b.pt"]


def test_a_file_that_goes_is_forgotten(tmp_path):
    path = new(tmp_path / "a.pt")
    walk = Walk(tmp_path)
    assert walk.look() == ["a.pt"]
    path.unlink()
    assert walk.look() == []
    new(path, "another")
    assert walk.look() == ["a.pt"]


@pytest.mark.parametrize(
    "folder",
    [".git", "__pycache__", "node_modules", "venv/lib/site-packages", ".cache", "wandb", "x.egg-info", "models--a--b"],
)
def test_folders_that_are_nobodys_output(tmp_path, folder):
    walk = Walk(tmp_path)
    new(tmp_path / folder / "model.pt")
    assert walk.look() == []


@pytest.mark.parametrize("mark", ["pyvenv.cfg", "CACHEDIR.TAG"])
def test_environments_and_caches_are_known_by_their_mark(tmp_path, mark):
    new(tmp_path / "mine" / mark)
    new(tmp_path / "mine" / "lib" / "model.pt")
    walk = Walk(tmp_path)
    assert walk.look() == []
    assert walk.cost() < 20


def test_input_folders_are_left_out(tmp_path):
    walk = Walk(tmp_path, skip=(str(tmp_path / "data"),))
    new(tmp_path / "data" / "model.pt")
    assert walk.look() == []


def test_depth_is_bounded(tmp_path):
    walk = Walk(tmp_path)
    new(tmp_path / "1/2/3/4/5/6" / "in.pt")
    new(tmp_path / "1/2/3/4/5/6/7" / "out.pt")
    assert walk.look() == ["1/2/3/4/5/6/in.pt"]


def test_links_are_followed_only_to_where_outputs_lie(tmp_path):
    new(tmp_path / "elsewhere" / "data" / "a.pt")
    new(tmp_path / "elsewhere" / "ckpts" / "b.pt")
    work = tmp_path / "work"
    work.mkdir()
    (work / "images").symlink_to(tmp_path / "elsewhere" / "data")
    (work / "checkpoints").symlink_to(tmp_path / "elsewhere" / "ckpts")
    (work / "latest.pt").symlink_to(tmp_path / "elsewhere" / "ckpts" / "b.pt")
    walk = Walk(work)
    walk.places = Places(str(work), since=time.time() - 100)
    assert walk.look() == ["checkpoints/b.pt"]


def test_a_named_folder_is_walked_wherever_it_is_and_before_it_exists(tmp_path):
    work = tmp_path / "work"
    work.mkdir()
    walk = Walk(work)
    walk.places.add(str(tmp_path / "scratch" / ".hidden"))
    assert walk.look() == []
    new(tmp_path / "scratch" / ".hidden" / "ckpt.pt")
    assert walk.look() == ["../scratch/.hidden/ckpt.pt"]
    assert walk.places.is_named(str(tmp_path / "scratch" / ".hidden" / "ckpt.pt"))
    assert not walk.places.is_named(str(tmp_path / "scratch" / ".hidden-too" / "ckpt.pt"))
    assert not walk.places.is_named(str(work / "ckpt.pt"))


def test_what_lies_around_the_working_directory_is_not_its_own(tmp_path):
    work = tmp_path / "work"
    work.mkdir()
    walk = Walk(work)
    for folder in (tmp_path, Path("/")):
        walk.places.add(str(folder))
    new(tmp_path / "other" / "ckpt.pt")
    assert walk.look() == []


def test_a_watched_name_needs_no_known_end(tmp_path):
    watch = Watch(["out/*.weights", "**/state_*"], str(tmp_path))
    walk = Walk(tmp_path, watch=watch)
    for name in ("out/a.weights", "out/b/a.weights", "x/y/state_1", "x/other", "state_2/inner/file"):
        new(tmp_path / name)
    assert walk.look() == ["out/a.weights", "state_2/inner/file", "x/y/state_1"]


def test_pipes_and_folders_with_names_of_checkpoints_are_no_files(tmp_path):
    walk = Walk(tmp_path)
    os.mkfifo(tmp_path / "ckpt.pt")
    (tmp_path / "model.pth").mkdir()
    assert walk.look() == []


def make_data(top: Path, folders: int, files: int, end: str) -> None:
    for folder in range(folders):
        path = top / f"class{folder}"
        path.mkdir(parents=True)
        for number in range(files):
            os.close(os.open(path / f"{number}{end}", os.O_CREAT | os.O_WRONLY))
    age(top)


def age(top: Path) -> None:
    for path, folders, files in os.walk(top):
        for name in (*folders, *files):
            os.utime(os.path.join(path, name), ns=(LONG_AGO_NS, LONG_AGO_NS))


@pytest.mark.parametrize(
    ("folders", "files", "end"), [(1, 20_000, ".jpg"), (200, 100, ".jpg"), (1000, 20, ".png"), (1, 20_000, ".npy")]
)
def test_a_huge_data_set_costs_one_slow_round_and_then_next_to_nothing(tmp_path, folders, files, end):
    (tmp_path / "out").mkdir()
    make_data(tmp_path / "data", folders, files, end)
    walk = Walk(tmp_path)
    looks = [walk.cost() for _ in range(20)]
    assert max(looks) <= MAX_COST + 300, "a look is bounded"
    assert walk.cost() <= 4 * (folders + 50) + 500
    new(tmp_path / "out" / "run" / "ckpt.pt")
    assert walk.look() == ["out/run/ckpt.pt"]


@pytest.mark.slow
def test_a_hundred_thousand_files(tmp_path):
    (tmp_path / "out").mkdir()
    make_data(tmp_path / "data", 100, 1000, ".jpg")
    walk = Walk(tmp_path)
    looks = [walk.cost() for _ in range(60)]
    assert sum(looks) < 130_000, "each entry is listed once"
    assert looks[-1] < 500
    new(tmp_path / "out" / "ckpt.pt")
    assert walk.look() == ["out/ckpt.pt"]


def test_news_is_seen_while_the_first_round_is_still_under_way(tmp_path):
    (tmp_path / "out").mkdir()
    make_data(tmp_path / "data", 10, 500, ".jpg")
    walk = Walk(tmp_path)
    walk.look(cost=500)
    assert walk.places.has_rest
    new(tmp_path / "out" / "run1" / "checkpoints" / "ckpt.pt")
    seen = [walk.look(cost=500) for _ in range(4)]
    assert walk.places.has_rest
    assert ["out/run1/checkpoints/ckpt.pt"] in seen


def test_a_look_ends_when_its_time_is_over(tmp_path):
    make_data(tmp_path / "data", 1, 5000, ".jpg")
    walk = Walk(tmp_path)
    times = iter(range(1000))
    walk.places.look(time.time(), seconds=3, clock=lambda: next(times))
    assert walk.places.cost < 1500
    assert walk.places.has_rest


def test_of_a_wide_folder_only_what_is_new_is_walked(tmp_path):
    for number in range(300):
        old(tmp_path / "data" / str(number) / "a.pt")
    age(tmp_path)
    walk = Walk(tmp_path)
    walk.look()
    old(tmp_path / "data" / "7" / "b.pt")
    os.utime(tmp_path / "data" / "7", ns=(LONG_AGO_NS, LONG_AGO_NS))
    new(tmp_path / "data" / "fresh" / "c.pt")
    assert walk.look() == ["data/fresh/c.pt"]


def test_folders_are_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MAX_FOLDERS", 20)
    for number in range(100):
        old(tmp_path / f"d{number}" / "a.pt")
    age(tmp_path)
    walk = Walk(tmp_path)
    walk.look()
    assert walk.cost() < 4 * 2 * 22 + 20


def test_a_folder_that_cannot_be_listed_is_passed_over(tmp_path, monkeypatch):
    new(tmp_path / "shut" / "a.pt")
    new(tmp_path / "open" / "b.pt")
    real = os.scandir

    def scandir(path):
        if str(path).endswith("shut"):
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    walk = Walk(tmp_path)
    walk.places = Places(str(tmp_path), since=time.time() - 100)
    assert walk.look() == ["open/b.pt"]


def test_a_folder_that_has_just_changed_is_listed_again(tmp_path):
    walk = Walk(tmp_path)
    walk.look()
    new(tmp_path / "a.pt")
    stamp = tmp_path.stat().st_mtime_ns
    assert [seen.path for seen in walk.places.look(stamp / 1e9 + 0.5, seconds=60)] == [str(tmp_path / "a.pt")]
    new(tmp_path / "b.pt")
    os.utime(tmp_path, ns=(stamp, stamp))  # as a coarse clock leaves it
    assert [seen.path for seen in walk.places.look(stamp / 1e9 + 1, seconds=60)] == [str(tmp_path / "b.pt")]


def test_what_is_remembered_of_a_folder_is_bounded():
    folder = Folder("/f", 1, is_news=False)
    for number in range(MAX_OLD + 50):
        assert not folder.note(f"old{number}", (1, 5), since_ns=10)
    assert folder.is_crowded
    folder.is_listed = True
    assert not folder.note("another", (1, 5), since_ns=10), "it may have been there all the time"
    for number in range(2 * MAX_FRESH):
        assert folder.note(f"new{number}", (1, 20), since_ns=10)
    assert not folder.note(f"new{2 * MAX_FRESH - 1}", (1, 20), since_ns=10)
    due = list(folder.due())
    assert due[0] == f"new{2 * MAX_FRESH - 1}"
    assert len(due) <= 96
    seen: set[str] = set()
    for turn in range(MAX_FRESH):
        folder.turn = turn
        seen.update(folder.due())
    assert len(seen) == MAX_FRESH, "all have their turn"


def test_one_folder_under_two_names_is_walked_once(tmp_path):
    (tmp_path / "real" / "ck").mkdir(parents=True)
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "checkpoints").symlink_to(tmp_path / "real" / "ck")
    walk = Walk(tmp_path / "work")
    walk.look()
    walk.places.add(str(tmp_path / "real" / "ck"))
    new(tmp_path / "real" / "ck" / "last.ckpt")
    assert walk.look() == ["checkpoints/last.ckpt"]
    assert walk.places.is_named(str(tmp_path / "work" / "checkpoints" / "last.ckpt"))
    assert walk.look() == []


def test_links_in_circles_end(tmp_path):
    walk = Walk(tmp_path)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "runs").symlink_to(tmp_path)
    new(tmp_path / "out" / "a.pt")
    assert walk.look() == ["out/a.pt"]


def test_names_that_are_no_text_are_left_alone(tmp_path):
    walk = Walk(tmp_path)
    for name in (b"ck\xff.pt", b"ck\x1b[2J.pt", b"ck\n.pt"):
        with open(os.path.join(os.fsencode(tmp_path), name), "w") as file:
            file.write("x")
    new(tmp_path / "ckü.pt")
    assert walk.look() == ["ckü.pt"]
