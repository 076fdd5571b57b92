from __future__ import annotations

import os
import subprocess
import threading

import pytest

from backprop_tui.errors import ProbeUnavailable
from backprop_tui.model.run import Process
from backprop_tui.model.samples import GpuProcess, GpuSample
from backprop_tui.probes import nvidia_smi, tree
from backprop_tui.probes.answer import Answer
from backprop_tui.probes.command import MAX_OUTPUT_BYTES, run_tool
from backprop_tui.probes.nvidia_smi import NvidiaSmi
from backprop_tui.probes.tree import is_alive
from backprop_tui.probes.unavailable import NoAnswer, NotInstalled
from tests.stand_ins.waiting import wait_until

MIB = 1 << 20
NEWEST, THROTTLING, PLAINER, OLDEST = nvidia_smi.FIELDS
UUID = "GPU-8932f937-d72c-4106-c12f-20bd9faed9f6"
ROW = f"0, {UUID}, NVIDIA A100, 40960, 39000, 41, 7, 52.31, Disabled"
PLAIN = GpuSample(
    index="0",
    mask="0",
    uuid=UUID,
    name="NVIDIA A100",
    total_bytes=40960 * MIB,
    free_bytes=39000 * MIB,
    temp_c=41,
    util_percent=7,
    power_w=52.31,
)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (ROW, PLAIN),
        (ROW.replace(" 41,", " [N/A],"), PLAIN.replace(temp_c=None)),
        (ROW.replace(" 41,", " ERR!,"), PLAIN.replace(temp_c=None)),
        (ROW.replace(" 41,", " 0,"), PLAIN.replace(temp_c=None)),
        (ROW.replace(" 7,", " [Not Supported],"), PLAIN.replace(util_percent=None)),
        (ROW.replace(" 7,", " nan,"), PLAIN.replace(util_percent=None)),
        (ROW.replace("52.31", "[Unknown Error]"), PLAIN.replace(power_w=None)),
        (ROW.replace("40960, 39000", "[N/A], [N/A]"), PLAIN.replace(total_bytes=None, free_bytes=None)),
        (ROW.replace("39000", "[Insufficient Permissions]"), PLAIN.replace(free_bytes=None)),
        (ROW.replace("Disabled", "[N/A]"), PLAIN),
        (ROW.replace("NVIDIA A100", "A, B"), PLAIN.replace(name="A,B")),
        (ROW.replace("NVIDIA A100", "[N/A]"), PLAIN.replace(name="NVIDIA GPU")),
        (
            ROW.replace("NVIDIA A100", "x\x1b]0;\x07" + "y" * 500),
            PLAIN.replace(name="x ]0; " + "y" * 73 + "…"),
        ),
        (ROW.replace(UUID, "[N/A]"), PLAIN.replace(uuid="")),
    ],
)
def test_rows(row, expected):
    assert nvidia_smi.parse(row + "\n", PLAINER) == Answer(gpus=(expected,))


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (f"1, {UUID}, X" + ", [GPU is lost]" * 6, "is lost"),
        (f"1, {UUID}, X, 1, 1, [GPU requires reset], 1, 1, Disabled", "needs a reset"),
        (
            ROW.replace("0,", "1,", 1).replace("Disabled", "Enabled"),
            "is in MIG mode, whose slices only NVML can read",
        ),
    ],
)
def test_gpus_that_are_left_out(row, why):
    assert nvidia_smi.parse(f"{ROW}\n{row}\n", PLAINER) == Answer(gpus=(PLAIN,), notes=(("GPU 1", why),), unread=1)


@pytest.mark.parametrize("noise", ["", "No devices were found\n", "a, b\n", "\0" * 5000, ",,,,,,,,,,\n"])
def test_noise_is_no_gpu(noise):
    assert nvidia_smi.parse(noise, PLAINER) == Answer()


def test_old_drivers_know_no_mig():
    assert nvidia_smi.parse(ROW.removesuffix(", Disabled"), OLDEST) == Answer(gpus=(PLAIN,))


@pytest.mark.parametrize(
    ("fields", "more", "expected"),
    [
        (NEWEST, "300.00, Not Active, Not Active, 49", {"slowdown_c": 90, "is_slowed": False}),
        (NEWEST, "300.00, Not Active, Active, 49", {"slowdown_c": 90, "is_slowed": True}),
        (NEWEST, "300.00, [N/A], [N/A], [N/A]", {}),
        (NEWEST, "300.00, [N/A], [N/A], -41", {}),
        (THROTTLING, "300.00, Active, Not Active", {"is_slowed": True}),
        (THROTTLING, "[N/A], Not Active, Not Active", {"is_slowed": False, "power_limit_w": None}),
    ],
)
def test_what_newer_drivers_tell_about_heat(fields, more, expected):
    gpu = PLAIN.replace(power_limit_w=300.0).replace(**expected)
    assert nvidia_smi.parse(f"{ROW}, {more}\n", fields) == Answer(gpus=(gpu,))


def test_processes_by_gpu():
    csv = f"{UUID}, 123, 512\n{UUID}, 124, [N/A]\nGPU-2, 125, 1\nbad\n{UUID}, x, 1\n{UUID}, 99999999999, 1\n"
    assert nvidia_smi.parse_processes(csv) == {
        UUID: [GpuProcess(pid=123, used_bytes=512 * MIB), GpuProcess(pid=124)],
        "GPU-2": [GpuProcess(pid=125, used_bytes=MIB)],
    }


LISTING = """
==============NVSMI LOG==============

Timestamp                                 : Tue Nov 24 22:00:00 2026
Attached GPUs                             : 2

GPU 00000000:01:00.0
    Temperature
        GPU Current Temp                  : 41 C
        GPU Slowdown Temp                 : 93 C
        GPU Max Operating Temp            : 85 C

GPU 00000000:02:00.0
    Temperature
        GPU Current Temp                  : 40 C
        GPU Slowdown Temp                 : N/A
"""


@pytest.mark.parametrize(
    ("indices", "points"), [(["0", "1"], {"0": 93}), (["3", "10"], {"3": 93}), (["0"], {}), ([], {})]
)
def test_slowdown_points_of_older_gpus(indices, points):
    assert nvidia_smi.parse_slowdown(LISTING, indices) == points


@pytest.fixture
def install(tmp_path):
    """Puts an nvidia-smi with the given shell script, that has no more to tell than asked for, on a PATH."""

    def put(script):
        program = tmp_path / "nvidia-smi"
        program.write_text(f'#!/bin/sh\ncase "$1" in -q) exit 1;; esac\n{script}\n')
        program.chmod(0o755)
        return {"PATH": f"{tmp_path}:/usr/bin:/bin"}

    return put


def sample(env, timeout_s=20.0, **options):
    return NvidiaSmi(env, timeout_s).sample(**options)


def test_the_program_is_run(install):
    env = install(f'echo "{ROW}, 300.00, Not Active, Active, 50"; [ -z "$(cat)" ]')
    told = PLAIN.replace(power_limit_w=300.0, is_slowed=True, slowdown_c=91)
    assert sample(env) == Answer(gpus=(told,))


def test_an_old_driver_is_asked_for_less_and_only_once(install, tmp_path):
    asked = tmp_path / "asked"
    env = install(
        f'echo "$1" >> {asked}\n'
        'case "$1" in *mig*) echo "Field mig.mode.current is not a valid field"; exit 2;; esac\n'
        f'echo "{ROW.removesuffix(", Disabled")}"'
    )
    smi = NvidiaSmi(env, 20.0)
    assert smi.sample() == smi.sample() == Answer(gpus=(PLAIN,))
    assert len(asked.read_text().splitlines()) == len(nvidia_smi.FIELDS) + 1


def test_an_older_gpu_tells_its_slowdown_point_in_the_long_listing(install, tmp_path):
    listing = LISTING[: LISTING.index("GPU 00000000:02")]
    (tmp_path / "listing").write_text(listing)
    env = install(f'echo "{ROW}, 300.00, Not Active, Not Active, [N/A]"')
    program = tmp_path / "nvidia-smi"
    program.write_text(program.read_text().replace("exit 1", f"cat {tmp_path}/listing; exit"))
    assert sample(env).gpus[0].slowdown_c == 93


def test_processes_are_asked_for_when_they_are_wanted(install):
    env = install(f'case "$1" in *compute-apps*) echo "{UUID}, 77, 10"; exit;; esac\necho "{ROW}, 1, [N/A], [N/A], 50"')
    assert sample(env).gpus[0].processes is None
    assert sample(env, processes=True).gpus[0].processes == (GpuProcess(pid=77, used_bytes=10 * MIB),)


def test_processes_that_are_not_told_are_not_known(install):
    env = install(f'case "$1" in *compute-apps*) exit 4;; esac\necho "{ROW}, 1, [N/A], [N/A], 50"')
    assert sample(env, processes=True).gpus[0].processes is None


@pytest.mark.parametrize(
    ("script", "error", "part"),
    [
        ("echo broken >&2; exit 1", ProbeUnavailable, "exit code 1: broken"),
        ("exit 9", ProbeUnavailable, "driver is not loaded"),
        ("exit 18", ProbeUnavailable, "reboot"),
        ("echo gibberish", ProbeUnavailable, "not understood: gibberish"),
    ],
)
def test_failures(install, script, error, part):
    with pytest.raises(error, match=part):
        sample(install(script))


@pytest.mark.parametrize("script", ["exit 6", "echo No devices were found"])
def test_no_devices(install, script):
    assert sample(install(script)) == Answer()


def test_one_lost_gpu_does_not_hide_the_others(install):
    env = install(
        f'echo "Unable to determine the device handle: GPU is lost."; echo "{ROW}, 300.00, [N/A], [N/A], 49"; exit 15'
    )
    assert sample(env) == Answer(gpus=(PLAIN.replace(power_limit_w=300.0, slowdown_c=90),))


def test_not_installed():
    with pytest.raises(NotInstalled):
        sample({"PATH": "/nowhere"})


def test_a_hanging_program_is_killed_with_its_children(install, tmp_path):
    pids = tmp_path / "pids"
    env = install(f"sleep 3600 & echo $! $$ > {pids}; wait")
    with pytest.raises(NoAnswer):
        sample(env, 1.0)
    child, program = (int(pid) for pid in pids.read_text().split())
    assert not is_alive(Process(pid=program, start=0))
    wait_until(lambda: not is_alive(Process(pid=child, start=0)))


def test_a_program_that_runs_is_told_from_a_trainings_processes(install, tmp_path):
    fifo, pids = tmp_path / "fifo", tmp_path / "pids"
    os.mkfifo(fifo)
    env = install(f"echo $$ > {pids}; read line < {fifo}; echo done")
    training = subprocess.Popen(["sleep", "3600"])
    argv = (f"{env['PATH'].split(':')[0]}/nvidia-smi",)
    thread = threading.Thread(target=run_tool, args=(argv,), kwargs={"env": env, "timeout_s": 60.0})
    try:
        root = Process(pid=training.pid, start=tree.start_of(training.pid))
        thread.start()
        wait_until(lambda: pids.exists() and pids.read_text().strip())
        program = int(pids.read_text())
        wait_until(lambda: program in tree.TOOLS)
        table = tree.read_table()
        assert program in table
        found = tree.tree_of(table, root, (), adopter=os.getpid(), exclude=set())
        assert program not in {process.pid for process in found}
        assert training.pid in {process.pid for process in found}
        fifo.write_text("go\n")
        thread.join(60.0)
        assert not thread.is_alive()
        assert program not in tree.TOOLS
    finally:
        training.kill()
        training.wait()


def test_endless_output_is_bounded(install):
    env = install("head -c 30000000 /dev/zero")
    output = run_tool((f"{env['PATH'].split(':')[0]}/nvidia-smi",), env=env, timeout_s=30.0)
    assert (output.code, len(output.out)) == (0, MAX_OUTPUT_BYTES)
