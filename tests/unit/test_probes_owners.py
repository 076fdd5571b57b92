from __future__ import annotations

import os
import pwd

import pytest

from backprop_tui.model.samples import GpuProcess, GpuSample
from backprop_tui.probes.owners import named, with_owners

ME = pwd.getpwuid(os.getuid()).pw_name
NOBODY = 4_000_000_000


def write(proc, pid, content):
    (proc / str(pid)).mkdir(parents=True)
    (proc / str(pid) / "status").write_bytes(content)


@pytest.mark.parametrize(
    ("status", "name", "user"),
    [
        (f"Name:\tpython3.11\nUmask:\t0022\nUid:\t{os.getuid()}\t0\t0\t0\nGid:\t0\n", "python3.11", ME),
        (f"Name:\tpt_main_thread\nUid:\t{NOBODY}\t0\t0\t0\n", "python", str(NOBODY)),
        (f"Name:\tUid: 0\nUid:\t{os.getuid()}\t0\n", "Uid: 0", ME),
        ("Name:\ta\x1b[31m\u202eb\nUid:\tx\n", "a [31m b", ""),
        ("Name:\t\nUid:\n", "", ""),
        ("Uid:\t99999999999999999999\n", "", "99999999999999999999"),
        ("\udcff", "", ""),
        ("", "", ""),
    ],
)
def test_names_and_users(tmp_path, status, name, user):
    write(tmp_path, 7, status.encode("utf-8", "surrogateescape"))
    assert named(GpuProcess(pid=7, used_bytes=5), str(tmp_path)) == GpuProcess(
        pid=7, used_bytes=5, name=name, user=user
    )


def test_a_process_that_is_gone_keeps_its_number(tmp_path):
    assert named(GpuProcess(pid=7), str(tmp_path)) == GpuProcess(pid=7)


def test_gpus_with_and_without_a_list(tmp_path):
    write(tmp_path, 7, f"Name:\ttrain\nUid:\t{os.getuid()}\n".encode())
    bare = GpuSample(index="0", mask="0", uuid="", name="One")
    gpus = (bare, bare.replace(processes=()), bare.replace(processes=(GpuProcess(pid=7),)))
    told = with_owners(gpus, str(tmp_path))
    assert told[:2] == gpus[:2]
    assert told[2].processes == (GpuProcess(pid=7, name="train", user=ME),)
