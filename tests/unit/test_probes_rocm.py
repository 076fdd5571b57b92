from __future__ import annotations

import json

import pytest

from backprop_tui.errors import ProbeUnavailable
from backprop_tui.model.samples import GpuProcess, GpuSample
from backprop_tui.probes import rocm
from backprop_tui.probes.answer import Answer
from backprop_tui.probes.unavailable import NotInstalled

GIB = 1 << 30
CARD = {
    "Temperature (Sensor edge) (C)": "47.0",
    "Temperature (Sensor junction) (C)": "52.0",
    "GPU use (%)": "12",
    "VRAM Total Memory (B)": str(16 * GIB),
    "VRAM Total Used Memory (B)": str(GIB),
    "Average Graphics Package Power (W)": "33.5",
    "Card series": "Radeon Seven",
    "Unique ID": "0x1234abcd",
}
SAMPLE = GpuSample(
    index="0",
    mask="0",
    uuid="GPU-1234abcd",
    name="Radeon Seven",
    total_bytes=16 * GIB,
    free_bytes=15 * GIB,
    temp_c=47,
    util_percent=12,
    power_w=33.5,
    vendor="amd",
)


def without(*keys: str):
    return {key: value for key, value in CARD.items() if key not in keys}


@pytest.mark.parametrize(
    ("card", "expected"),
    [
        (CARD, SAMPLE),
        (without("Temperature (Sensor edge) (C)"), SAMPLE.replace(temp_c=52)),
        (CARD | {"GPU use (%)": "N/A"}, SAMPLE.replace(util_percent=None)),
        (CARD | {"VRAM Total Used Memory (B)": "?"}, SAMPLE.replace(free_bytes=None)),
        (CARD | {"VRAM Total Used Memory (B)": str(99 * GIB)}, SAMPLE.replace(free_bytes=0)),
        (without("Unique ID", "Card series"), SAMPLE.replace(uuid="", name="AMD GPU")),
        (
            without("Average Graphics Package Power (W)") | {"Current Socket Graphics Package Power (W)": 40},
            SAMPLE.replace(power_w=40.0),
        ),
        ({}, GpuSample(index="0", mask="0", uuid="", name="AMD GPU", vendor="amd")),
    ],
)
def test_one_card_of_rocm_smi(card, expected):
    text = "WARNING: AMD GPU device(s) is/are in a low-power state\n" + json.dumps({"card0": card, "system": {}})
    assert rocm.parse(text) == Answer(gpus=(expected,))


def test_cards_come_in_the_order_of_their_numbers():
    cards: dict[str, object] = {f"card{n}": {} for n in (10, 2, 0)}
    assert [gpu.index for gpu in rocm.parse(json.dumps(cards)).gpus] == ["0", "2", "10"]


@pytest.mark.parametrize("text", ["", "no GPUs", "{", "[1]", '{"card0":', "{" * 100000])
def test_no_json(text):
    with pytest.raises(ProbeUnavailable):
        rocm.parse(text)


def make_card(root, name, address, **files):
    device = root.parent / "devices" / address
    (device / "hwmon/hwmon3").mkdir(parents=True)
    for path, content in {"vendor": "0x1002", **files}.items():
        (device / path.replace("__", "/")).write_text(f"{content}\n")
    (root / name).mkdir(parents=True)
    (root / name / "device").symlink_to(device)


def test_sysfs(tmp_path):
    root = tmp_path / "drm"
    make_card(
        root,
        "card1",
        "0000:03:00.0",
        mem_info_vram_total=16 * GIB,
        mem_info_vram_used=GIB,
        gpu_busy_percent=12,
        unique_id="1234abcd",
        product_name="Radeon Seven",
        hwmon__hwmon3__temp1_input=47000,
        hwmon__hwmon3__temp1_crit=97000,
        hwmon__hwmon3__power1_cap=250000000,
        hwmon__hwmon3__power1_average=33500000,
    )
    make_card(root, "card0", "0000:0c:00.0", mem_info_vram_total=8 * GIB, device="0x73bf")
    make_card(root, "card2", "0000:10:00.0", mem_info_vram_total=GIB // 2, mem_info_vram_used=1)
    make_card(root, "card3", "0000:01:00.0", vendor="0x10de", mem_info_vram_total=8 * GIB)
    (root / "card0-DP-1").mkdir()
    answer = rocm.read_sysfs(str(root))
    assert answer.gpus[0] == SAMPLE.replace(slowdown_c=97, power_limit_w=250.0)
    assert answer.gpus[1] == GpuSample(
        index="1", mask="1", uuid="", name="AMD GPU 0x73bf", total_bytes=8 * GIB, vendor="amd"
    )
    assert answer.notes == (("GPU 2", "is integrated graphics with too little memory of its own"),)
    assert rocm.sample({}, 5.0, sysfs=str(root)) == answer


def test_rocm_smi_is_the_second_choice(tmp_path):
    program = tmp_path / "rocm-smi"
    program.write_text(f"#!/bin/sh\ncat <<'END'\n{json.dumps({'card0': CARD})}\nEND\n")
    program.chmod(0o755)
    env = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    assert rocm.sample(env, 20.0, sysfs=str(tmp_path / "nothing")) == Answer(gpus=(SAMPLE,))
    program.write_text("#!/bin/sh\necho '{}'; exit 3\n")
    with pytest.raises(ProbeUnavailable, match="exit code 3"):
        rocm.sample(env, 20.0, sysfs=str(tmp_path / "nothing"))


def test_nothing_of_amd(tmp_path):
    with pytest.raises(NotInstalled):
        rocm.sample({"PATH": "/nowhere"}, 5.0, sysfs=str(tmp_path))


def test_processes_of_the_compute_driver(tmp_path):
    root, kfd = tmp_path / "drm", tmp_path / "kfd"
    for n in range(2):
        make_card(root, f"card{n}", f"0000:0{n}:00.0", mem_info_vram_total=8 * GIB)
        (root / f"card{n}/device/drm/renderD{128 + n}").mkdir(parents=True)
    for node, number, minor in ((0, 0, 0), (1, 4711, 129), (2, 4712, 128)):
        folder = kfd / f"topology/nodes/{node}"
        folder.mkdir(parents=True)
        (folder / "gpu_id").write_text(f"{number}\n")
        (folder / "properties").write_text(f"cpu_cores_count 0\ndrm_render_minor {minor}\nhive_id 0\n")
    for pid, number, used in ((70, 4711, 5 * GIB), (70, 4712, 0), (9, 4711, 1), (71, 4711, "?")):
        folder = kfd / f"proc/{pid}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"vram_{number}").write_text(f"{used}\n")
    first, second = rocm.sample({}, 5.0, True, sysfs=str(root), kfd=str(kfd)).gpus
    assert first.processes == ()
    assert second.processes == (GpuProcess(pid=9, used_bytes=1), GpuProcess(pid=70, used_bytes=5 * GIB))
    assert rocm.sample({}, 5.0, True, sysfs=str(root), kfd=str(tmp_path)).gpus[0].processes is None
    assert rocm.sample({}, 5.0, sysfs=str(root), kfd=str(kfd)).gpus[0].processes is None
