from __future__ import annotations

import os
import socket
import sys

import psutil
import pytest

from backprop_tui.probes import cgroup, host

MIB = 1 << 20
linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def test_the_box_as_others_see_it():
    sample = host.sample_host(12.5)
    assert sample.t == 12.5
    assert 1 <= sample.cores <= (os.cpu_count() or 1)
    assert sample.load1 is not None
    assert sample.load1 >= 0
    assert sample.ram_total_bytes is not None
    assert sample.ram_free_bytes is not None
    assert 0 < sample.ram_free_bytes < sample.ram_total_bytes <= psutil.virtual_memory().total


@linux
def test_what_cannot_be_read_is_none(monkeypatch, tmp_path):
    monkeypatch.setattr(host, "_PROC", str(tmp_path))
    sample = host.sample_host(1.0)
    assert (sample.load1, sample.ram_total_bytes, sample.ram_free_bytes) == (None, None, None)
    assert host.boot_id() == ""
    assert host.filesystem_kind("/") == "unknown"
    (tmp_path / "loadavg").write_text("garbage\n")
    (tmp_path / "meminfo").write_text("MemTotal:\nMemAvailable: x kB\n")
    assert host.sample_host(1.0) == sample


@linux
def test_a_control_group_leaves_less(monkeypatch, tmp_path):
    (tmp_path / "meminfo").write_text("MemTotal: 8000 kB\nMemFree: 1 kB\nMemAvailable:    7000 kB\n")
    monkeypatch.setattr(host, "_PROC", str(tmp_path))
    monkeypatch.setattr(host, "memory_room", lambda _text: (4000 * 1024, 3000 * 1024))
    sample = host.sample_host(1.0)
    assert (sample.ram_total_bytes, sample.ram_free_bytes) == (4000 * 1024, 3000 * 1024)
    monkeypatch.setattr(host, "memory_room", lambda _text: (9000 * 1024, 8999 * 1024))
    sample = host.sample_host(1.0)
    assert (sample.ram_total_bytes, sample.ram_free_bytes) == (8000 * 1024, 7000 * 1024)


def test_through_psutil(monkeypatch):
    monkeypatch.setattr(host, "_IS_LINUX", False)
    sample = host.sample_host(1.0)
    assert sample.ram_total_bytes == psutil.virtual_memory().total
    assert sample.ram_free_bytes is not None
    assert host.boot_id() == f"boot-{round(psutil.boot_time())}"
    assert host.filesystem_kind("/proc/self") == "proc"

    def broken():
        raise OSError("no")

    monkeypatch.setattr(psutil, "virtual_memory", broken)
    assert host.sample_host(1.0).ram_free_bytes is None


def test_names():
    assert host.hostname() == socket.gethostname()
    assert host.boot_id() == host.boot_id() != ""


def test_cpu_ticks():
    busy, total = host.cpu_ticks() or (0, 0)
    assert 0 < busy < total
    sum(range(3_000_000))
    later = host.cpu_ticks() or (0, 0)
    assert later[1] >= total
    assert later[0] >= busy


def test_disk_free(tmp_path):
    free, total = host.disk_bytes(str(tmp_path)) or (0, 0)
    assert 0 < free <= total < 1 << 60
    assert host.disk_bytes(str(tmp_path / "nothing")) is None
    assert host.disk_bytes("\0") is None
    assert host.filesystem_kind("\0") == "unknown"


MOUNTS = r"""
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
23 22 0:5 / /home rw - autofs systemd-1 rw
24 23 0:6 / /home rw,x shared:2 master:3 - nfs4 server:/home rw
25 22 0:7 / /with\040space rw - xfs /dev/vdb rw
26 22 0:8 / /home/fuse rw - fuse.sshfs me@far:/ rw
nonsense
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "ext4"),
        ("/etc/x", "ext4"),
        ("/home", "nfs4"),
        ("/home/me", "nfs4"),
        ("/homes", "ext4"),
        ("/with space/x", "xfs"),
        ("/home/fuse/x", "fuse.sshfs"),
    ],
)
def test_the_deepest_mount_counts(path, kind):
    assert host.kind_of_mount(path, MOUNTS) == kind


@linux
def test_the_kind_of_a_real_place():
    assert host.filesystem_kind("/proc/self/stat") == "proc"
    assert host.filesystem_kind("/sys/nothing/there") == "sysfs"


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("nfs4", True),
        ("cifs", True),
        ("lustre", True),
        ("fuse.sshfs", True),
        ("fuse.s3fs", True),
        ("fuse.mergerfs", False),
        ("ext4", False),
        ("tmpfs", False),
        ("overlay", False),
        ("unknown", False),
    ],
)
def test_network_filesystems(kind, expected):
    assert host.is_network_filesystem(kind) is expected


def make_group(folder, version, limit, used, inactive):
    names = {
        1: ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
        2: ("memory.max", "memory.current", "inactive_file"),
    }[version]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / names[0]).write_text(f"{limit}\n")
    (folder / names[1]).write_text(f"{used}\n")
    (folder / "memory.stat").write_text(f"anon 5\n{names[2]} {inactive}\nslab 7\n")


@pytest.mark.parametrize("place", ["", "unified"])
def test_the_tightest_group_on_the_way_up(tmp_path, place):
    root = tmp_path / place
    make_group(root / "a", 2, 900, 500, 100)
    make_group(root / "a/b", 2, "max", 300, 0)
    make_group(root / "a/b/c", 2, 1000, 400, 150)
    make_group(root / "other", 2, 1, 1, 0)
    assert cgroup.memory_room(b"1:cpu:/other\n0::/a/b/c\n", str(tmp_path)) == (900, 500)


def test_version_1(tmp_path):
    make_group(tmp_path / "memory/a", 1, 800, 700, 100)
    make_group(tmp_path / "memory", 1, 9223372036854771712, 5000, 0)
    assert cgroup.memory_room(b"5:cpu,memory:/a\n0::/\n", str(tmp_path)) == (800, 200)


def test_inside_a_namespace_the_own_path_is_not_there(tmp_path):
    make_group(tmp_path, 2, 700, 100, 0)
    assert cgroup.memory_room(b"0::/docker/abc\n", str(tmp_path)) == (700, 600)
    assert cgroup.memory_room(b"0::/../../x\n", str(tmp_path)) == (700, 600)


@pytest.mark.parametrize(
    "membership", [b"", b"garbage", b"0::/", b"0::/\xff\xfe", b"\0\0:\n::::\n", b"0::" + b"/a" * 4000]
)
def test_no_group_no_limit(tmp_path, membership):
    assert cgroup.memory_room(membership, str(tmp_path)) == (None, None)


def test_overfull_and_unreadable_groups(tmp_path):
    make_group(tmp_path, 2, 700, 900, "many")
    assert cgroup.memory_room(b"0::/", str(tmp_path)) == (700, 0)
    make_group(tmp_path, 2, 700, "?", 0)
    assert cgroup.memory_room(b"0::/", str(tmp_path)) == (700, None)
