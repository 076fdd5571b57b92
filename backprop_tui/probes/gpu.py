"""Samples the GPUs through whichever probe answers."""

from __future__ import annotations

from backprop_tui.errors import ProbeUnavailable
from backprop_tui.frozen import Frozen
from backprop_tui.model.samples import GpuReport
from backprop_tui.probes import signs
from backprop_tui.probes.unavailable import NoAnswer, NotInstalled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from backprop_tui.model.samples import GpuSample
    from backprop_tui.probes.answer import Answer
    from backprop_tui.probes.nvidia_smi import NvidiaSmi
    from backprop_tui.probes.nvml import NvmlProbe
    from backprop_tui.probes.signs import Signs

PROBES = ("nvml", "nvidia-smi", "rocm")
TIMEOUT_S = 5.0


def sample_gpus(
    probe: str, *, t: float, env: Mapping[str, str], timeout_s: float = TIMEOUT_S, processes: bool = False
) -> GpuReport:
    """One look at the GPUs; never raises, and waits at most `timeout_s` for each probe.

    Args:
        probe: auto (the first that answers), nvml, nvidia-smi, rocm, or none.
        t: epoch seconds to put into the report.
        env: where PATH and LD_LIBRARY_PATH are looked up, and what a vendor's tool is started with.
        timeout_s: after this a silent driver counts as unreadable.
        processes: also who uses each GPU.
    """
    sampler = GpuSampler(probe, env=env, timeout_s=timeout_s)
    try:
        return sampler.sample(t, processes)
    finally:
        sampler.close()


class GpuSampler:
    """Looks again and again, and keeps the driver open in between: opening it is the slow part."""

    def __init__(self, probe: str, *, env: Mapping[str, str], timeout_s: float = TIMEOUT_S) -> None:
        self._probe = probe
        self._env = env
        self._timeout_s = timeout_s
        self._nvml: NvmlProbe | None = None
        self._smi: NvidiaSmi | None = None
        self._answering = ""
        """The probe that has once found GPUs: from then on only it is asked."""
        self._last_good: float | None = None

    def sample(self, t: float, processes: bool = False, only: Sequence[str] = ()) -> GpuReport:
        """The GPUs now; never raises.

        Args:
            t: epoch seconds to put into the report.
            processes: also who uses each of them; that takes milliseconds rather than microseconds.
            only: the `index` of those that are wanted, all if there are none: another one that hangs or is
                lost then does no harm.
        """
        if self._probe == "none":
            return GpuReport(t=t, probe="none")
        is_open = self._probe == "auto" and not self._answering
        found = signs.look(self._env) if is_open else None
        report = self._first_answer(t, found, _Wanted(processes=processes, only=tuple(only)))
        if not report.gpus:
            return report.replace(last_good=self._last_good)
        self._last_good = t
        self._answering = report.probe
        return report

    def close(self) -> bool:
        """Let go of the driver and end its thread; `sample` may be called again.

        Returns:
            Whether the thread is gone; it lasts for as long as the driver hangs.
        """
        nvml, self._nvml = self._nvml, None
        return nvml is None or nvml.close()

    def _first_answer(self, t: float, found: Signs | None, wanted: _Wanted) -> GpuReport:
        tried: list[tuple[str, str]] = []
        failed, is_silent, answered = False, False, "none"
        for name in PROBES if found else (self._answering or self._probe,):
            if found and (why := _why_not_ask(name, found, is_silent)):
                tried.append((name, why))
                continue
            try:
                answer = self._ask(name, wanted)
            except ProbeUnavailable as error:
                tried.append((name, error.message))
                is_silent = is_silent or isinstance(error, NoAnswer)
                failed = failed or _is_failure(name, error, found)
                continue
            tried.extend((f"{name} {gpu}", why) for gpu, why in answer.notes)
            if gpus := _chosen(answer, wanted):
                return GpuReport(t=t, probe=name, gpus=gpus, tried=tuple(tried))
            failed = failed or answer.unread > 0
            answered = name if answered == "none" else answered
        return GpuReport(t=t, probe=answered, failed=failed, tried=tuple(tried))

    def _ask(self, name: str, wanted: _Wanted) -> Answer:
        if name == "nvml":
            from backprop_tui.probes.nvml import NvmlProbe

            if self._nvml is None:
                self._nvml = NvmlProbe(self._timeout_s)
            return self._nvml.sample(wanted.processes, wanted.only)
        if name == "nvidia-smi":
            from backprop_tui.probes.nvidia_smi import NvidiaSmi

            if self._smi is None:
                self._smi = NvidiaSmi(self._env, self._timeout_s)
            return self._smi.sample(wanted.processes)
        if name == "rocm":
            from backprop_tui.probes import rocm

            return rocm.sample(self._env, self._timeout_s, wanted.processes)
        raise ProbeUnavailable("there is no such probe")


class _Wanted(Frozen):
    """What a sample shall tell."""

    processes: bool
    only: tuple[str, ...]


def _chosen(answer: Answer, wanted: _Wanted) -> tuple[GpuSample, ...]:
    gpus = tuple(gpu for gpu in answer.gpus if not wanted.only or gpu.index in wanted.only)
    if not wanted.processes:
        return gpus
    from backprop_tui.probes.owners import with_owners

    return with_owners(gpus)


def _why_not_ask(name: str, found: Signs, is_silent: bool) -> str:
    if name == "nvml" and not found.nvml:
        return "no sign of an NVIDIA driver"
    if name == "nvidia-smi" and not found.nvidia_smi:
        return "nvidia-smi is not on PATH"
    if name == "nvidia-smi" and is_silent:
        return "not asked: the driver does not answer"
    if name == "rocm" and not found.rocm:
        return "neither /dev/kfd nor rocm-smi is here"
    return ""


def _is_failure(name: str, error: ProbeUnavailable, found: Signs | None) -> bool:
    """Whether a GPU may be in use that nobody can watch.

    A container on a GPU box sees the kernel's driver but has neither device file nor library: nothing in it
    can use the GPU, so that is no failure.
    """
    if found is None or not isinstance(error, NotInstalled):
        return True
    return found.amd_device if name == "rocm" else found.nvidia_device
