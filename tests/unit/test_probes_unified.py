from __future__ import annotations

import pytest

from backprop_tui.model.samples import GpuSample
from backprop_tui.probes import unified
from backprop_tui.probes.host import sample_host

GPU = GpuSample(index="0", mask="0", uuid="", name="Orin (nvgpu)")


@pytest.mark.parametrize(
    ("name", "expected"),
    [("NVIDIA GB10", True), ("Orin (nvgpu)", True), ("NVIDIA Thor", True), ("NVIDIA A100-SXM4-80GB", False)],
)
def test_by_name(monkeypatch, name, expected):
    monkeypatch.setattr(unified, "_is_arm", lambda: False)
    assert unified.is_unified(name) is expected


def test_on_arm_a_gpu_without_memory_has_the_boxs(monkeypatch):
    monkeypatch.setattr(unified, "_is_arm", lambda: True)
    assert unified.is_unified("NVIDIA Next")


def write(root, path, text):
    (root / path).parent.mkdir(parents=True)
    (root / path).write_text(text)


def test_the_systems_figures_fill_what_nvml_leaves_out(tmp_path):
    root = f"{tmp_path}/"
    write(tmp_path, "sys/devices/gpu.0/load", "437\n")
    for n, (kind, temp) in enumerate((("CPU-therm", 61000), ("GPU-therm", 52500))):
        write(tmp_path, f"sys/class/thermal/thermal_zone{n}/type", f"{kind}\n")
        (tmp_path / f"sys/class/thermal/thermal_zone{n}/temp").write_text(f"{temp}\n")
    told = unified.completed(GPU, root)
    assert (told.is_unified, told.util_percent, told.temp_c) == (True, 44, 52)
    assert told.total_bytes == sample_host(0.0).ram_total_bytes
    told = unified.completed(GPU.replace(util_percent=3, temp_c=40), root)
    assert (told.util_percent, told.temp_c) == (3, 40)


def test_a_system_that_tells_nothing(tmp_path):
    told = unified.completed(GPU, f"{tmp_path}/")
    assert (told.util_percent, told.temp_c) == (None, None)
    write(tmp_path, "sys/devices/gpu.0/load", "?\n")
    write(tmp_path, "sys/class/thermal/thermal_zone0/type", "gpu-thermal\n")
    told = unified.completed(GPU, f"{tmp_path}/")
    assert (told.util_percent, told.temp_c) == (None, None)
