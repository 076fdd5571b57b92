"""The command line and the environment of a slice. Pure: values in, values out."""

from __future__ import annotations

import os
import signal

from backprop_tui.paths import RUN_VARIABLES, SLICE_TOKEN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from backprop_tui.model.samples import GpuSample
    from backprop_tui.model.spec import SliceSpec

DEFAULT_STOP_SIGNAL = "SIGINT"
GRACE_S = 30.0
TORCHRUN_GRACE_S = 40.0
"""Its agent gives the workers 30 s of its own."""
_ELASTIC = frozenset({"torchrun", "torch.distributed.run", "torch.distributed.launch", "accelerate"})
_INPUTS = frozenset({".yaml", ".yml", ".toml", ".cfg", ".ini", ".py", ".csv", ".tsv", ".parquet"})
NO_GPU = {"CUDA_VISIBLE_DEVICES": "", "HIP_VISIBLE_DEVICES": "-1"}
"""Shows a training no GPU; an empty HIP_VISIBLE_DEVICES would show it all."""
OUTPUT_COLUMNS = "300"
"""Rich draws a progress line 80 columns wide where it sees no terminal, and wraps it."""


def argv_of(spec: SliceSpec) -> tuple[str, ...]:
    """The whole command: a script gets those of backprop's flags that it declares and was not given."""
    first, *args = spec.command
    args = without_given(args, spec.resume_args)
    if spec.is_command or spec.interpreter is None:
        return (first, *args, *spec.resume_args)
    if spec.resume_from is not None and spec.resume_how == "flag":
        args = without_given(args, ("--resume-from", spec.resume_from))
    return (spec.interpreter, first, *_told_flags(spec, args), *args, *spec.resume_args)


def without_given(args: Sequence[str], added: Sequence[str]) -> list[str]:
    """The arguments without those that `added` gives anew: --name value, --name=value and name=value.

    A word behind a name that can hardly be its value stays: it is the script's own.
    """
    renewed: dict[str, str | None] = {}
    for word, following in zip(added, [*added[1:], "-"], strict=False):
        name, equals, value = word.partition("=")
        if _is_option(word) or equals:
            renewed[_plain(name)] = value if equals else None if _is_option(following) else following
    kept: list[str] = []
    words = list(args)
    while words:
        word = words.pop(0)
        name, equals, _ = word.partition("=")
        if not (_is_option(word) or equals) or _plain(name) not in renewed:
            kept.append(word)
            continue
        given = renewed[_plain(name)]
        if given is not None and not equals and words and _may_replace(given, words[0]):
            words.pop(0)
    return kept


def _is_option(word: str) -> bool:
    """Whether it is an option, which a negative number is not."""
    return word.startswith("-") and not word[1:2].isdecimal() and word[1:2] != "."


def _may_replace(value: str, word: str) -> bool:
    """Whether a word can be what an option had before this value: a file of settings or data is no checkpoint."""
    end = os.path.splitext(word)[1].lower()
    return not _is_option(word) and (end not in _INPUTS or value.lower().endswith(end))


def _plain(name: str) -> str:
    """Many parsers take --a_b and --a-b for the same."""
    return name.replace("_", "-")


def _told_flags(spec: SliceSpec, args: list[str]) -> list[str]:
    values = {
        "--run-id": spec.run_id,
        "--max-minutes": f"{spec.box_s / 60:g}",
        "--framework": spec.framework if spec.framework != "unknown" else None,
        "--checkpoint-every-seconds": f"{checkpoint_every_s(spec):g}",
        "--resume-from": spec.resume_from if spec.resume_how in ("", "flag") else None,
    }
    told: list[str] = []
    for flag in spec.declared_flags:
        given = any(arg == flag or arg.startswith(flag + "=") for arg in args)
        value = values.get(flag)
        if flag in spec.whole_number_flags and not (value or "").isdecimal():
            continue
        if value is not None and not given:
            told += [flag, value]
    return told


def checkpoint_every_s(spec: SliceSpec) -> float:
    """How often the script is asked to save, seconds."""
    return float(spec.setting("checkpointEveryMinutes")) * 60


def stop_signal_of(spec: SliceSpec) -> signal.Signals:
    """The signal that asks this training to save and end."""
    return signal.Signals[spec.setting("stopSignal") or DEFAULT_STOP_SIGNAL]


def grace_s(spec: SliceSpec) -> float:
    """How long the training may take to save and end after the stop signal, seconds."""
    asked = spec.setting("graceSeconds")
    if asked is not None:
        return float(asked)
    words = {word.rpartition("/")[2] for word in spec.command}
    return TORCHRUN_GRACE_S if words & _ELASTIC else GRACE_S


def environment_of(
    spec: SliceSpec, inherited: Mapping[str, str], *, gpus: Sequence[GpuSample], deadline: float, token: str = ""
) -> dict[str, str]:
    """The training's environment.

    Args:
        spec: what the slice was asked.
        inherited: the environment that backprop was started in.
        gpus: those that the Governor chose, none to leave the choice to the script.
        deadline: when the time box ends, epoch seconds.
        token: the slice's own, by which its processes are known.
    """
    env = {name: value for name, value in inherited.items() if name not in RUN_VARIABLES}
    env["COLUMNS"] = OUTPUT_COLUMNS
    if not spec.setting("buffered"):
        env["PYTHONUNBUFFERED"] = "1"
    if gpus:
        env.update(mask_of(gpus))
    elif spec.setting_or("gpus", 1) == 0:
        env.update(NO_GPU)
    env.update(spec.env)
    env["BACKPROP_RUN_ID"] = spec.run_id
    env["BACKPROP_SLICE"] = str(spec.n)
    env["BACKPROP_DEADLINE"] = f"{deadline:.3f}"
    env["BACKPROP_MAX_MINUTES"] = f"{spec.box_s / 60:g}"
    env["BACKPROP_CHECKPOINT_EVERY_SECONDS"] = f"{checkpoint_every_s(spec):g}"
    env["BACKPROP_FRAMEWORK"] = spec.framework
    if token:
        env[SLICE_TOKEN] = token
    if spec.resume_from:
        env["BACKPROP_RESUME_FROM"] = spec.resume_from
    return env


def mask_of(gpus: Sequence[GpuSample]) -> dict[str, str]:
    """The variables that show a training these GPUs only; there must be one."""
    mask = ",".join(gpu.mask for gpu in gpus)
    if gpus[0].vendor == "amd":
        return {"HIP_VISIBLE_DEVICES": mask}
    # PCI order makes CUDA's numbers those of NVML and nvidia-smi.
    return {"CUDA_DEVICE_ORDER": "PCI_BUS_ID", "CUDA_VISIBLE_DEVICES": mask}
