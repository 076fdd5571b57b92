from __future__ import annotations

import pytest

from backprop_tui.errors import ProbeUnavailable
from backprop_tui.model.run import Process
from backprop_tui.model.samples import GpuSample
from backprop_tui.probes import nvidia_smi
from backprop_tui.probes.answer import Answer
from backprop_tui.probes.command import MAX_OUTPUT_BYTES, run_tool
from backprop_tui.probes.tree import is_alive
from backprop_tui.probes.unavailable import NoAnswer, NotInstalled
from tests.stand_ins.waiting import wait_until

MIB = 1 << 20
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
    assert nvidia_smi.parse(row + "\n") == Answer(gpus=(expected,))


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
    assert nvidia_smi.parse(f"{ROW}\n{row}\n") == Answer(gpus=(PLAIN,), notes=(("GPU 1", why),), unread=1)


@pytest.mark.parametrize("noise", ["", "No devices were found\n", "a, b\n", "\0" * 5000, ",,,,,,,,,,\n"])
def test_noise_is_no_gpu(noise):
    assert nvidia_smi.parse(noise) == Answer()


def test_old_drivers_know_no_mig():
    assert nvidia_smi.parse(ROW.removesuffix(", Disabled"), has_mig=False) == Answer(gpus=(PLAIN,))


@pytest.fixture
def install(tmp_path):
    """Puts an nvidia-smi with the given shell script on a PATH."""

    def put(script):
        program = tmp_path / "nvidia-smi"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        return {"PATH": f"{tmp_path}:/usr/bin:/bin"}

    return put


def test_the_program_is_run(install):
    env = install(f'echo "{ROW}"; [ -z "$(cat)" ]')
    assert nvidia_smi.sample(env, 20.0) == Answer(gpus=(PLAIN,))


def test_an_old_driver_is_asked_again_without_mig(install):
    env = install(
        'case "$1" in *mig*) echo "Field mig.mode.current is not a valid field"; exit 2;; esac\n'
        f'echo "{ROW.removesuffix(", Disabled")}"'
    )
    assert nvidia_smi.sample(env, 20.0) == Answer(gpus=(PLAIN,))


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
        nvidia_smi.sample(install(script), 20.0)


@pytest.mark.parametrize("script", ["exit 6", "echo No devices were found"])
def test_no_devices(install, script):
    assert nvidia_smi.sample(install(script), 20.0) == Answer()


def test_one_lost_gpu_does_not_hide_the_others(install):
    env = install(f'echo "Unable to determine the device handle: GPU is lost."; echo "{ROW}"; exit 15')
    assert nvidia_smi.sample(env, 20.0) == Answer(gpus=(PLAIN,))


def test_not_installed():
    with pytest.raises(NotInstalled):
        nvidia_smi.sample({"PATH": "/nowhere"}, 5.0)


def test_a_hanging_program_is_killed_with_its_children(install, tmp_path):
    pids = tmp_path / "pids"
    env = install(f"sleep 3600 & echo $! $$ > {pids}; wait")
    with pytest.raises(NoAnswer):
        nvidia_smi.sample(env, 1.0)
    child, program = (int(pid) for pid in pids.read_text().split())
    assert not is_alive(Process(pid=program, start=0))
    wait_until(lambda: not is_alive(Process(pid=child, start=0)))


def test_endless_output_is_bounded(install):
    env = install("head -c 30000000 /dev/zero")
    output = run_tool((f"{env['PATH'].split(':')[0]}/nvidia-smi",), env=env, timeout_s=30.0)
    assert (output.code, len(output.out)) == (0, MAX_OUTPUT_BYTES)
