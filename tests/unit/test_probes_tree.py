from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import Any

import pytest

from backprop_tui.model.run import Process
from backprop_tui.probes import tree, tree_psutil
from backprop_tui.probes.proc import Proc
from tests.stand_ins.waiting import wait_until

linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

STAT = (
    "{pid} ({name}) S 17 18 19 34816 2042 4194304 1234 0 0 0 111 22 0 0 20 0 7 0 987654 "
    "123456789 2500 18446744073709551615 1 1 0 0 0 0 0 16781312 134217730 0 0 0 17 1 0 0 0 0 0\n"
)


@pytest.mark.parametrize("name", ["python", "my job", "a) R (b", ")", "", "((", "\udcff"])
def test_names_may_hold_anything(name):
    process = tree.parse_stat(STAT.format(pid=42, name=name).encode("utf-8", "surrogateescape"))
    assert process is not None
    assert (process.pid, process.ppid, process.pgid, process.sid, process.state) == (42, 17, 18, 19, "S")
    assert (process.start, process.cpu_ticks, process.threads) == (987654, 133, 7)
    assert process.rss_bytes == 2500 * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.parametrize("data", [b"", b"42", b"42 (x", b"42 (x) S 1 2", b"x (y) S" + b" 1" * 40])
def test_a_torn_stat_is_nothing(data):
    assert tree.parse_stat(data) is None


def table_of(*rows: tuple[Any, ...]):
    """Rows of pid, ppid, sid, start, or with a state behind; each process leads its own group."""
    table = {}
    for pid, ppid, sid, start, *state in rows:
        table[pid] = Proc(pid=pid, ppid=ppid, pgid=pid, sid=sid, start=start, state=state[0] if state else "S")
    return table


ROOT = Process(pid=100, start=50)
SUPERVISOR = 90
BASE = ((1, 0, 1, 1), (SUPERVISOR, 1, 90, 40), (95, SUPERVISOR, 95, 45), (100, SUPERVISOR, 100, 50))


def members(rows, *, known=(), adopter=None, exclude=(95,), root=ROOT):
    found = tree.tree_of(table_of(*rows), root, known, adopter=adopter, exclude=set(exclude))
    return [process.pid for process in found]


@pytest.mark.parametrize(
    ("rows", "options", "expected"),
    [
        pytest.param(BASE, {}, [100], id="root alone"),
        pytest.param(
            (*BASE, (101, 100, 100, 51), (102, 101, 102, 52), (200, 1, 200, 60)),
            {},
            [100, 101, 102],
            id="descendants, in whatever session",
        ),
        pytest.param((*BASE, (101, 1, 100, 51)), {}, [100, 101], id="orphan in the session"),
        pytest.param(BASE[:3], {}, [], id="all gone"),
        pytest.param((*BASE[:3], (101, 1, 100, 51)), {}, [101], id="session outlives root"),
        pytest.param((*BASE[:3], (101, 1, 100, 49)), {}, [], id="session of an older leader"),
        pytest.param((*BASE[:3], (100, 1, 100, 70), (101, 100, 100, 71)), {}, [], id="root's number is another's now"),
        pytest.param(
            (*BASE, (101, 1, 101, 51), (102, 101, 101, 52)),
            {"known": [Process(pid=101, start=51)]},
            [100, 101, 102],
            id="known before, with what it started",
        ),
        pytest.param(
            (*BASE, (101, 1, 101, 77)),
            {"known": [Process(pid=101, start=51)]},
            [100],
            id="known number is another's now",
        ),
        pytest.param(
            (*BASE, (101, SUPERVISOR, 101, 51), (102, 101, 101, 52)),
            {"adopter": SUPERVISOR},
            [100, 101, 102],
            id="adopted orphan",
        ),
        pytest.param((*BASE, (101, SUPERVISOR, 101, 51)), {}, [100], id="no adopter"),
        pytest.param((*BASE, (96, 95, 95, 60)), {"adopter": SUPERVISOR}, [100], id="the guard and what is below it"),
        pytest.param((*BASE, (80, SUPERVISOR, 80, 41)), {"adopter": SUPERVISOR}, [100], id="older child"),
        pytest.param((*BASE, (101, 100, 100, 51, "Z")), {}, [100], id="zombie"),
        pytest.param((*BASE[:3], (100, 90, 100, 50, "Z"), (101, 1, 100, 51)), {}, [101], id="zombie root"),
        pytest.param((*BASE, (101, 100, 100, 51, "T")), {}, [100, 101], id="stopped"),
        pytest.param((*BASE, (101, 102, 101, 51), (102, 101, 102, 52)), {}, [100], id="a loop elsewhere"),
        pytest.param(BASE, {"root": Process(pid=100, start=0)}, [100], id="start not known"),
        pytest.param(BASE, {"exclude": (100,)}, [], id="excluded root"),
    ],
)
def test_members(rows, options, expected):
    assert members(rows, **options) == expected


def test_a_probes_own_tool_is_no_member(monkeypatch):
    rows = (*BASE, (101, SUPERVISOR, 101, 51), (102, SUPERVISOR, 102, 52), (103, 102, 102, 53))
    monkeypatch.setattr(tree, "TOOLS", {102})
    assert members(rows, adopter=SUPERVISOR) == [100, 101]
    assert members(rows, adopter=SUPERVISOR, known=[Process(pid=102, start=52)]) == [100, 101]


def test_members_of_the_group_in_another_session():
    table = table_of(*BASE)
    table[101] = Proc(pid=101, ppid=1, pgid=100, sid=7, start=55)
    assert [p.pid for p in tree.tree_of(table, ROOT, (), adopter=None, exclude=set())] == [100, 101]


def test_a_process_whose_main_thread_ended_lives():
    assert Proc(pid=1, ppid=0, pgid=1, sid=1, state="Z", threads=1).is_dead
    assert not Proc(pid=1, ppid=0, pgid=1, sid=1, state="Z", threads=2).is_dead


def test_usage_is_summed():
    processes = [Proc(pid=1, ppid=0, pgid=1, sid=1, rss_bytes=10, cpu_ticks=3, state=state) for state in "RDSTZ"]
    assert tree.usage_of(processes) == (50, 15, 5, 2)
    assert tree.usage_of([]) == (0, 0, 0, 0)


@pytest.fixture
def start():
    """Starts Python programs, in sessions of their own, that are all killed afterwards."""
    running: list[Any] = []

    def run(program, **options):
        process = subprocess.Popen(
            [sys.executable, "-S", "-c", program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
            **options,
        )
        running.append(process)
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        return process

    yield run
    for process in running:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            pipe.close()


WAIT = "print('ready', flush=True); input()"


def test_this_process():
    me = tree.read_process(os.getpid())
    assert me is not None
    assert (me.pid, me.ppid, me.pgid, me.sid) == (os.getpid(), os.getppid(), os.getpgid(0), os.getsid(0))
    assert me.rss_bytes > 1 << 20
    assert tree.read_table()[me.pid].start == me.start == tree.start_of(me.pid) > 0
    assert me.pid in tree.read_table(os.geteuid())
    assert me.pid not in tree.read_table(os.geteuid() + 1)


def test_no_process():
    assert tree.read_process(2**31 - 1) is None
    assert tree.start_of(2**31 - 1) == 0
    assert not tree.is_alive(Process(pid=2**31 - 1, start=0))


def test_life_and_death(start):
    process = start(WAIT)
    same = Process(pid=process.pid, start=tree.start_of(process.pid))
    assert tree.is_alive(same)
    assert tree.is_alive(same.replace(start=0))
    assert not tree.is_alive(same.replace(start=same.start + 1))
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # a zombie now
    assert tree.start_of(process.pid) == same.start
    assert not tree.is_alive(same)
    process.wait()
    assert tree.start_of(process.pid) == 0


FAMILY = """
import os, sys
reader, writer = os.pipe()
def serve():
    os.write(writer, b'x')
    sys.stdin.buffer.read()
    os._exit(0)
if os.fork() == 0:
    serve()
between = os.fork()
if between == 0:
    os.setsid()
    if os.fork() == 0:
        serve()
    os._exit(0)
os.waitpid(between, 0)
for _ in range(2):
    os.read(reader, 1)
print('ready', flush=True)
sys.stdin.buffer.read()
"""


@linux
def test_a_real_family(start):
    process = start(FAMILY, env={**os.environ, "BACKPROP_TEST_FAMILY": "a b=c"})
    root = Process(pid=process.pid, start=tree.start_of(process.pid))
    family = tree.tree_of(tree.read_table(), root, (), adopter=None, exclude=set())
    assert len(family) == 2  # root and child; the daemon left the session and was orphaned
    marked = tree.processes_with_variable("BACKPROP_TEST_FAMILY", "a b=c", tree.read_table())
    assert {p.pid for p in family} < {p.pid for p in marked}
    assert len(marked) == 3
    assert tree.processes_with_variable("BACKPROP_TEST_FAMILY", "a b", tree.read_table()) == []
    assert tree.processes_with_variable("TEST_FAMILY", "a b=c", tree.read_table()) == []
    process.send_signal(signal.SIGKILL)
    process.wait()
    known = [Process(pid=p.pid, start=p.start) for p in marked]
    left = tree.tree_of(tree.read_table(), root, known, adopter=None, exclude=set())
    assert {p.pid for p in left} <= {p.pid for p in marked} - {root.pid}
    process.stdin.close()
    wait_until(lambda: not tree.tree_of(tree.read_table(), root, known, adopter=None, exclude=set()))


@linux
def test_threads_that_want_a_core_are_counted(start):
    busy = "import threading\nfor _ in range(3): threading.Thread(target=input, daemon=True).start()\n"
    process = start(busy + "print('ready', flush=True)\nwhile True: pass")
    found = tree.read_process(process.pid)
    assert found is not None
    assert found.threads == 4
    wait_until(lambda: tree.usage_of([found])[3] == 1)


def test_through_psutil(start):
    process = start(WAIT, env={**os.environ, "BACKPROP_TEST_PSUTIL": "yes"})
    table = tree_psutil.read_table(os.geteuid())
    found = table[process.pid]
    assert (found.ppid, found.pgid, found.sid) == (os.getpid(), process.pid, process.pid)
    assert found.start > 0
    assert found.rss_bytes > 0
    assert tree_psutil.processes_with_variable("BACKPROP_TEST_PSUTIL", "yes", table) == [found]
    assert tree_psutil.processes_with_variable("BACKPROP_TEST_PSUTIL", "no", table) == []
    assert tree_psutil.read_table(os.geteuid() + 1).get(process.pid) is None
    process.kill()
    process.wait()
    assert tree_psutil.read_process(process.pid) is None
    assert tree_psutil.processes_with_variable("BACKPROP_TEST_PSUTIL", "yes", {found.pid: found}) == []


def test_without_proc_psutil_is_asked(monkeypatch):
    monkeypatch.setattr(tree, "_IS_LINUX", False)
    me = tree.read_process(os.getpid())
    assert me is not None
    assert tree.read_table()[me.pid].start == me.start
    assert tree.processes_with_variable("NO_SUCH_VARIABLE", "x", {me.pid: me}) == []
    assert tree.usage_of([me])[2] == 1
