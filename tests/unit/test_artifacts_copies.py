from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path

import pytest

from backprop_tui.artifacts import copies
from backprop_tui.artifacts.copies import Interrupted, NoRoom, copy_of, restore
from backprop_tui.artifacts.verdict import judge, stamp_of
from tests.unit.made_checkpoints import state_dict, torch_zip


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def spacy(folder: Path) -> Path:
    for name in ("meta.json", "config.cfg", "textcat/model", "vocab/strings.json"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}")
    return folder


def cannot_share(monkeypatch: pytest.MonkeyPatch, code: int = errno.EOPNOTSUPP) -> None:
    def ioctl(*_: object) -> None:
        raise OSError(code, "no")

    monkeypatch.setattr(fcntl, "ioctl", ioctl)


def with_room(monkeypatch: pytest.MonkeyPatch, free: int) -> None:
    class Disk:
        f_frsize, f_bavail = 1, free

    monkeypatch.setattr(os, "fstatvfs", lambda _fd: Disk)


def test_a_file_is_copied_with_its_times_and_its_name(tmp_path):
    path = torch_zip(tmp_path / "ckpt.pt", state_dict(3), ["0", "1", "2"])
    os.chmod(path, 0o640)
    os.utime(path, (5, 5))
    copy = Path(copy_of(str(path), str(tmp_path / "kept")))
    assert copy == tmp_path / "kept" / "1" / "ckpt.pt"
    assert copy.read_bytes() == path.read_bytes()
    assert stamp_of(str(copy)) == stamp_of(str(path))
    assert (copy.stat().st_mode & 0o777, copy.stat().st_nlink) == (0o640, 1)
    path.write_bytes(b"written over")
    assert judge(str(copy)).good


def test_a_folder_is_copied_whole(tmp_path):
    folder = spacy(tmp_path / "out" / "model-last")
    (folder / "link").symlink_to("meta.json")
    (folder / "empty").mkdir()
    copy = Path(copy_of(str(folder), str(tmp_path / "kept")))
    assert tree(copy) == tree(folder)
    assert (copy / "empty").is_dir()
    assert not (copy / "link").is_symlink(), "it must not lead to what is written over"
    assert judge(str(copy)).kind == "spacy"
    assert judge(str(copy)).good


def test_files_that_share_a_prefix_are_copied_together(tmp_path):
    for name in ("ckpt.index", "ckpt.data-00000-of-00001", "other.index"):
        (tmp_path / name).write_text(name)
    copy = copy_of(str(tmp_path / "ckpt"), str(tmp_path / "kept"))
    assert copy.endswith("kept/1/ckpt")
    assert sorted(os.listdir(os.path.dirname(copy))) == ["ckpt.data-00000-of-00001", "ckpt.index"]
    assert judge(copy).good


def test_the_newest_two_are_kept(tmp_path):
    path = tmp_path / "ckpt.pt"
    for number in range(1, 5):
        path.write_text(f"content {number}")
        copy = copy_of(str(path), str(tmp_path / "kept"))
        assert Path(copy).read_text() == f"content {number}"
    assert sorted(os.listdir(tmp_path / "kept")) == ["3", "4"]


def test_blocks_are_shared_where_the_filesystem_can(tmp_path, monkeypatch):
    def ioctl(writer: int, request: int, reader: int) -> int:
        assert request == 0x40049409
        os.write(writer, os.pread(reader, 100, 0))
        return 0

    monkeypatch.setattr(fcntl, "ioctl", ioctl)
    monkeypatch.setattr(os, "fstatvfs", None)  # room does not matter then
    (tmp_path / "ckpt.pt").write_text("content")
    assert Path(copy_of(str(tmp_path / "ckpt.pt"), str(tmp_path / "kept"))).read_text() == "content"


def test_an_error_of_the_disk_is_no_reason_to_copy_otherwise(tmp_path, monkeypatch):
    cannot_share(monkeypatch, errno.EIO)
    (tmp_path / "ckpt.pt").write_text("content")
    with pytest.raises(OSError, match="no"):
        copy_of(str(tmp_path / "ckpt.pt"), str(tmp_path / "kept"))
    assert os.listdir(tmp_path / "kept") == []


@pytest.mark.parametrize(("free", "fits"), [(2 * 1024**3 + 7, True), (2 * 1024**3 + 6, False)])
def test_room_is_left_on_the_disk(tmp_path, monkeypatch, free, fits):
    cannot_share(monkeypatch)
    with_room(monkeypatch, free)
    (tmp_path / "ckpt.pt").write_text("content")
    if fits:
        copy_of(str(tmp_path / "ckpt.pt"), str(tmp_path / "kept"))
        return
    with pytest.raises(NoRoom, match="too little room"):
        copy_of(str(tmp_path / "ckpt.pt"), str(tmp_path / "kept"))
    assert os.listdir(tmp_path / "kept") == []


def test_room_is_left_for_a_large_one_too(tmp_path, monkeypatch):
    cannot_share(monkeypatch)
    monkeypatch.setattr(copies, "LEFT_FREE_BYTES", 10)
    folder = spacy(tmp_path / "model-last")
    (folder / "big").write_bytes(bytes(1000))
    with_room(monkeypatch, 3 * 1008 - 1)
    with pytest.raises(NoRoom):
        copy_of(str(folder), str(tmp_path / "kept"))
    with_room(monkeypatch, 3 * 1008)
    copy_of(str(folder), str(tmp_path / "kept"))


def test_a_copy_can_be_given_up(tmp_path, monkeypatch):
    cannot_share(monkeypatch)
    monkeypatch.setattr(copies, "_PIECE", 10)
    (tmp_path / "ckpt.pt").write_bytes(bytes(100))
    answers = iter([True, True, False])
    with pytest.raises(Interrupted):
        copy_of(str(tmp_path / "ckpt.pt"), str(tmp_path / "kept"), wanted=lambda: next(answers))
    assert os.listdir(tmp_path / "kept") == []


def test_what_was_not_copied_to_its_end_is_cleared_away(tmp_path):
    (tmp_path / "kept" / "1.unfinished").mkdir(parents=True)
    (tmp_path / "kept" / "1.unfinished" / "ckpt.pt").write_text("half")
    (tmp_path / "ckpt.pt").write_text("content")
    copy_of(str(tmp_path / "ckpt.pt"), str(tmp_path / "kept"))
    assert os.listdir(tmp_path / "kept") == ["1"]


def test_what_cannot_be_copied(tmp_path, monkeypatch):
    with pytest.raises(FileNotFoundError):
        copy_of(str(tmp_path / "missing"), str(tmp_path / "kept"))
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(OSError, match="not a regular file"):
        copy_of(str(tmp_path / "fifo"), str(tmp_path / "kept"))
    monkeypatch.setattr(copies, "MAX_ENTRIES", 3)
    with pytest.raises(OSError, match="too many files"):
        copy_of(str(spacy(tmp_path / "model-last")), str(tmp_path / "kept"))


def test_a_copy_is_put_back_and_what_lay_there_kept(tmp_path):
    path = tmp_path / "ckpt.pt"
    path.write_text("whole")
    copy = copy_of(str(path), str(tmp_path / "kept"))
    for n, newer in enumerate(("days of work", "another half", "")):
        path.write_text(newer)
        for _again in range(2):
            restore(copy, str(path))
        assert path.read_text() == "whole"
        aside = tmp_path / ("ckpt.pt.broken" if n == 0 else f"ckpt.pt.{n + 1}.broken")
        assert aside.read_text() == newer
    path.write_text("half of it")
    restore(copy, str(path))
    assert (tmp_path / "ckpt.pt.3.broken").read_text() == "half of it", "an empty one makes room"
    assert (tmp_path / "ckpt.pt.broken").read_text() == "days of work"
    assert len(os.listdir(tmp_path)) == 5
    assert Path(copy).read_text() == "whole"


def test_a_folder_is_put_back(tmp_path):
    folder = spacy(tmp_path / "out" / "model-last")
    before = tree(folder)
    copy = copy_of(str(folder), str(tmp_path / "kept"))
    (folder / "textcat" / "model").unlink()
    restore(copy, str(folder))
    assert tree(folder) == before
    assert "textcat/model" not in tree(tmp_path / "out" / "model-last.broken")
    assert judge(str(folder)).good


def test_files_that_share_a_prefix_are_put_back(tmp_path):
    for name in ("ckpt.index", "ckpt.data-00000-of-00001"):
        (tmp_path / name).write_text("whole")
    copy = copy_of(str(tmp_path / "ckpt"), str(tmp_path / "kept"))
    (tmp_path / "ckpt.index").write_text("")
    restore(copy, str(tmp_path / "ckpt"))
    assert judge(str(tmp_path / "ckpt")).good


def test_a_copy_is_put_back_where_nothing_is_left(tmp_path):
    path = tmp_path / "out" / "ckpt.pt"
    path.parent.mkdir()
    path.write_text("whole")
    copy = copy_of(str(path), str(tmp_path / "kept"))
    path.unlink()
    path.parent.rmdir()
    restore(copy, str(path))
    assert path.read_text() == "whole"
    assert os.listdir(path.parent) == ["ckpt.pt"]


def test_where_no_links_can_be_made_the_broken_one_is_moved(tmp_path, monkeypatch):
    path = tmp_path / "ckpt.pt"
    path.write_text("whole")
    copy = copy_of(str(path), str(tmp_path / "kept"))
    path.write_text("half")

    def link(*_: object, **_more: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", link)
    restore(copy, str(path))
    assert (path.read_text(), (tmp_path / "ckpt.pt.broken").read_text()) == ("whole", "half")


def test_what_cannot_be_put_back_leaves_everything_as_it_was(tmp_path, monkeypatch):
    path = tmp_path / "ckpt.pt"
    path.write_text("whole")
    copy = copy_of(str(path), str(tmp_path / "kept"))
    path.write_text("half")
    with pytest.raises(FileNotFoundError):
        restore(str(tmp_path / "missing"), str(path))
    cannot_share(monkeypatch, errno.EIO)
    with pytest.raises(OSError, match="no"):
        restore(copy, str(path))
    assert path.read_text() == "half"
    assert sorted(os.listdir(tmp_path)) == ["ckpt.pt", "kept"]
