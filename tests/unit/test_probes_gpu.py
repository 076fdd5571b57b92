from __future__ import annotations

import subprocess
import sys

import pytest

from backprop_tui.errors import ProbeUnavailable
from backprop_tui.model.samples import GpuReport, GpuSample
from backprop_tui.probes import signs
from backprop_tui.probes.answer import Answer
from backprop_tui.probes.describe import describe_probes, finding
from backprop_tui.probes.gpu import GpuSampler, sample_gpus
from backprop_tui.probes.unavailable import NoAnswer, NotInstalled

GPU = GpuSample(index="0", mask="0", uuid="GPU-1", name="One")
NOTHING = signs.Signs(nvml=False, nvidia_smi=False, rocm=False, nvidia_device=False, amd_device=False)


@pytest.fixture
def answers(monkeypatch):
    """What each probe says or raises; the probes that were asked are in `asked`."""
    said: dict[str, object] = {}
    asked: list[str] = []

    def ask(_self, name, _wanted):
        asked.append(name)
        answer = said[name]
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(GpuSampler, "_ask", ask)
    said["asked"] = asked
    return said


def found(monkeypatch, **seen):
    monkeypatch.setattr(signs, "look", lambda _env: NOTHING.replace(**seen))


def test_none_asks_nobody(answers):
    assert sample_gpus("none", t=5.0, env={}) == GpuReport(t=5.0, probe="none")
    assert answers["asked"] == []


def test_auto_takes_the_first_that_answers(answers, monkeypatch):
    found(monkeypatch, nvml=True, nvidia_smi=True)
    answers["nvml"] = ProbeUnavailable("no luck")
    answers["nvidia-smi"] = Answer(gpus=(GPU,), notes=(("GPU 1", "is lost"),))
    report = sample_gpus("auto", t=5.0, env={})
    assert report == GpuReport(
        t=5.0,
        probe="nvidia-smi",
        gpus=(GPU,),
        tried=(("nvml", "no luck"), ("nvidia-smi GPU 1", "is lost")),
    )


def test_auto_without_signs_is_no_failure(answers, monkeypatch):
    found(monkeypatch)
    report = sample_gpus("auto", t=5.0, env={})
    assert (report.probe, report.failed, answers["asked"]) == ("none", False, [])
    assert [name for name, _why in report.tried] == ["nvml", "nvidia-smi", "rocm"]


@pytest.mark.parametrize(
    ("error", "seen", "failed"),
    [
        (ProbeUnavailable("refused"), {}, True),
        (NoAnswer("hangs"), {}, True),
        (NotInstalled("no library"), {}, False),  # a container that sees only the kernel's half
        (NotInstalled("no library"), {"nvidia_device": True}, True),
    ],
)
def test_auto_fails_where_a_gpu_may_be_in_use(answers, monkeypatch, error, seen, failed):
    found(monkeypatch, nvml=True, **seen)
    answers["nvml"] = error
    assert sample_gpus("auto", t=5.0, env={}).failed is failed


def test_a_hanging_driver_is_asked_only_once(answers, monkeypatch):
    found(monkeypatch, nvml=True, nvidia_smi=True)
    answers["nvml"] = NoAnswer("hangs")
    report = sample_gpus("auto", t=5.0, env={})
    assert answers["asked"] == ["nvml"]
    assert report.failed
    assert dict(report.tried)["nvidia-smi"] == "not asked: the driver does not answer"


def test_auto_goes_on_when_nvidia_has_no_gpu(answers, monkeypatch):
    found(monkeypatch, nvml=True, rocm=True)
    answers["nvml"] = Answer()
    answers["rocm"] = Answer(gpus=(GPU.replace(vendor="amd"),))
    assert sample_gpus("auto", t=5.0, env={}).probe == "rocm"
    answers["rocm"] = Answer()
    assert sample_gpus("auto", t=5.0, env={}) == GpuReport(
        t=5.0, probe="nvml", tried=(("nvidia-smi", "nvidia-smi is not on PATH"),)
    )


def test_the_probe_that_has_found_gpus_is_the_only_one_asked_from_then_on(answers, monkeypatch):
    found(monkeypatch, nvml=True, nvidia_smi=True)
    sampler = GpuSampler("auto", env={})
    answers["nvml"] = ProbeUnavailable("not yet")
    answers["nvidia-smi"] = ProbeUnavailable("not yet")
    assert sampler.sample(1.0).last_good is None
    answers["nvml"] = Answer(gpus=(GPU,))
    assert sampler.sample(2.0) == GpuReport(t=2.0, probe="nvml", gpus=(GPU,))
    answers["nvml"] = ProbeUnavailable("was updated")
    assert sampler.sample(3.0) == GpuReport(
        t=3.0, probe="none", failed=True, tried=(("nvml", "was updated"),), last_good=2.0
    )
    assert answers["asked"] == ["nvml", "nvidia-smi", "nvml", "nvml"]


def test_only_the_wanted_gpus_are_told(answers):
    answers["nvidia-smi"] = Answer(gpus=(GPU, GPU.replace(index="1")))
    sampler = GpuSampler("nvidia-smi", env={})
    assert [gpu.index for gpu in sampler.sample(1.0, only=("1",)).gpus] == ["1"]


@pytest.mark.parametrize("probe", ["nvml", "nvidia-smi", "rocm"])
def test_an_explicit_probe_that_cannot_answer_has_failed(answers, probe):
    answers[probe] = NotInstalled("not here")
    report = sample_gpus(probe, t=5.0, env={})
    assert report == GpuReport(t=5.0, probe="none", failed=True, tried=((probe, "not here"),))


def test_an_unknown_probe_has_failed():
    assert sample_gpus("psychic", t=5.0, env={}).failed


@pytest.mark.parametrize(
    ("path", "seen"),
    [
        ("dev/nvidiactl", {"nvml": True, "nvidia_device": True}),
        ("proc/driver/nvidia", {"nvml": True}),
        ("sys/module/nvidia", {"nvml": True}),
        ("dev/dxg", {"nvml": True}),
        ("dev/kfd", {"rocm": True, "amd_device": True}),
        ("etc/ld.so.cache", {"nvml": True}),
        ("etc/passwd", {}),
    ],
)
def test_signs_in_files(tmp_path, path, seen):
    file = tmp_path / path
    file.parent.mkdir(parents=True)
    file.write_bytes(b"glibc-ld.so.cache1.1 libm.so.6\0libnvidia-ml.so.1\0")
    assert signs.look({}, str(tmp_path)) == NOTHING.replace(**seen)


def test_signs_in_variables(tmp_path):
    (tmp_path / "libnvidia-ml.so.1").touch()
    for name in ("nvidia-smi", "rocm-smi"):
        (tmp_path / name).touch(mode=0o755)
    env = {"PATH": f"relative::{tmp_path}", "LD_LIBRARY_PATH": f":{tmp_path}"}
    assert signs.look(env, str(tmp_path)) == NOTHING.replace(nvml=True, nvidia_smi=True, rocm=True)
    (tmp_path / "nvidia-smi").chmod(0o644)
    assert not signs.look(env, str(tmp_path)).nvidia_smi


def test_a_box_without_signs_pays_no_import():
    program = (
        "import sys\n"
        "from backprop_tui.probes import gpu, signs\n"
        "signs.look.__defaults__ = ('/nowhere',)\n"
        "report = gpu.sample_gpus('auto', t=1.0, env={'PATH': '/nowhere'})\n"
        "assert report.probe == 'none' and not report.failed, report\n"
        "heavy = {'ctypes', 'pynvml', 'subprocess', 'threading', 'psutil', 'typing', 'dataclasses'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-S", "-c", program], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("[]\n", "")


@pytest.mark.parametrize(
    ("report", "text"),
    [
        (GpuReport(t=0, probe="nvml", gpus=(GPU,)), "GPU 0 One"),
        (
            GpuReport(t=0, probe="nvml", gpus=(GPU,), tried=(("nvml GPU 1", "is lost"),)),
            "GPU 0 One; nvml GPU 1: is lost",
        ),
        (GpuReport(t=0, probe="none", failed=True, tried=(("nvml", "no library"),)), "no library"),
        (GpuReport(t=0, probe="nvml"), "answers, but there is no GPU"),
    ],
)
def test_a_finding_in_words(report, text):
    assert finding("nvml", report).text == text
    assert finding("nvml", report).found is bool(report.gpus)


def test_every_probe_is_described(answers):
    answers.update({"nvml": Answer(gpus=(GPU,)), "nvidia-smi": NotInstalled("no"), "rocm": Answer()})
    findings = describe_probes(t=1.0, env={})
    assert [(f.probe, f.found) for f in findings] == [("nvml", True), ("nvidia-smi", False), ("rocm", False)]
