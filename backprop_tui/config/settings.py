"""The one table of a run's settings: flags, JSON keys, variables, form fields, help and schema are made from it."""

from __future__ import annotations

from backprop_tui.config.governing import GOING_ON, HOOKS, RUNNING
from backprop_tui.config.setting import (
    DASHBOARD_ENV_PREFIX,
    ENV_PREFIX,
    MAX_NUMBER,
    USERS_OWN,
    Setting,
)
from backprop_tui.model.events import RECOGNISERS

__all__ = ["DASHBOARD_ENV_PREFIX", "ENV_PREFIX", "MAX_NUMBER", "PROJECTS", "SETTINGS", "USERS_OWN", "Setting", "by_key"]

SETTINGS: tuple[Setting, ...] = (
    Setting(
        key="maxRunMinutes",
        flag="--max-run-minutes",
        short="-m",
        kind="minutes",
        default=10,
        metavar="TIME",
        unit="minutes",
        is_minimum_excluded=True,
        help="time box of a slice: minutes, or a time such as 90s, 10m, 1h30m",
    ),
    *GOING_ON,
    Setting(
        key="framework",
        flag="--framework",
        short="-f",
        kind="choice",
        default="auto",
        metavar="NAME",
        choices=("auto", "pytorch", "tensorflow", "jax"),
        help="what the script trains with; auto reads its imports",
    ),
    Setting(
        key="checkpointEveryMinutes",
        flag="--checkpoint-every-minutes",
        short="-c",
        kind="minutes",
        default=5,
        metavar="TIME",
        unit="minutes",
        is_minimum_excluded=True,
        help="how often the script is asked to save: minutes, or a time such as 90s",
    ),
    Setting(
        key="gpuMemoryLimit",
        flag="--gpu-memory-limit",
        short="-g",
        kind="memory",
        default=None,
        metavar="LIMIT",
        none_word="none",
        help="GPU memory for the run: 80%, 8 or 8GB, 512MB; none sets no limit",
    ),
    Setting(
        key="maxParallel",
        flag="--max-parallel",
        short="-p",
        kind="integer",
        default=2,
        metavar="N",
        unit="runs",
        minimum=1,
        help="start only while fewer than this many of your runs are active here",
    ),
    Setting(
        key="minFreeRamGB",
        flag="--min-free-ram",
        kind="number",
        default=4,
        metavar="GB",
        unit="GB",
        help="start only with at least this much free RAM",
    ),
    Setting(
        key="maxCpuLoadPerCore",
        flag="--max-cpu-load",
        kind="number",
        default=1.5,
        metavar="LOAD",
        unit="per core",
        is_minimum_excluded=True,
        help="start only up to this CPU load per core, without what your own runs cause",
    ),
    Setting(
        key="gpu.probe",
        flag="--gpu-probe",
        kind="choice",
        default="auto",
        metavar="NAME",
        choices=("auto", "nvml", "nvidia-smi", "rocm", "none"),
        help="who is asked about GPUs; none leaves them alone",
    ),
    Setting(
        key="gpu.minFreeVramMB",
        flag="--gpu-min-vram",
        kind="number",
        default=2500,
        metavar="MB",
        unit="MB",
        help="start only on a GPU with at least this much free memory",
    ),
    Setting(
        key="gpu.maxTempC",
        flag="--gpu-max-temp",
        kind="integer",
        default=85,
        metavar="C",
        unit="°C",
        minimum=1,
        maximum=200,
        help="start only on a GPU below this temperature",
    ),
    *RUNNING,
    Setting(
        key="python",
        flag="--python",
        kind="path",
        default=None,
        metavar="PATH",
        none_word="auto",
        help="interpreter of the script: a path, or a name on PATH; auto finds the script's own",
    ),
    Setting(
        key="stopSignal",
        flag="--stop-signal",
        kind="signal",
        default=None,
        metavar="NAME",
        choices=("SIGINT", "SIGTERM", "SIGUSR1", "SIGUSR2", "SIGHUP", "SIGQUIT"),
        none_word="auto",
        help="the signal that asks the training to save and end; auto is SIGINT unless the script handles another",
    ),
    Setting(
        key="graceSeconds",
        flag="--grace",
        kind="seconds",
        default=None,
        metavar="TIME",
        unit="seconds",
        none_word="auto",
        help="time to save and end after that signal: seconds, 45s, 1m; auto is 30 s, 40 s under torchrun",
    ),
    Setting(
        key="maxLogMB",
        flag="--max-log",
        kind="number",
        default=1000,
        metavar="MB",
        unit="MB",
        minimum=1,
        none_word="none",
        help="free the middle of the run's output beyond this size; none keeps all",
    ),
    Setting(
        key="buffered",
        flag="--buffered",
        kind="boolean",
        default=False,
        help="leave the buffering of the script's output alone",
    ),
    Setting(
        key="metrics.pattern",
        flag="--metric-pattern",
        kind="pattern",
        default=None,
        metavar="REGEX",
        none_word="none",
        help="a regular expression for your script's own lines: a group each for step, epoch, total and every metric",
    ),
    Setting(
        key="metrics.without",
        flag="--metrics-without",
        kind="names",
        default=(),
        metavar="NAMES",
        choices=(*RECOGNISERS, "all"),
        help="forms of plain output that are not read as metrics, commas between",
    ),
    Setting(
        key="metrics.files",
        flag="--metric-files",
        kind="boolean",
        default=True,
        metavar="YES|NO",
        help="read metric files that the training writes (TensorBoard, CSV) where it prints no metrics",
    ),
    Setting(
        key="checkpoints.watch",
        flag="--watch",
        kind="globs",
        default=(),
        metavar="PATTERNS",
        help="where checkpoints appear, such as 'out/**/*.pt', commas between; the usual names are found without",
    ),
    Setting(
        key="checkpoints.copy",
        flag="--checkpoint-copy",
        kind="boolean",
        default=True,
        metavar="YES|NO",
        help="keep a copy of a checkpoint that the script overwrites in place, before a slice goes on from it",
    ),
    Setting(
        key="resume.arg",
        flag="--resume-arg",
        kind="template",
        default=None,
        metavar="TEMPLATE",
        none_word="auto",
        help="how the script takes a checkpoint: '--resume {checkpoint}' (also {checkpoint_dir}, {step}), or rerun",
    ),
    *HOOKS,
)

PROJECTS = tuple(setting for setting in SETTINGS if not setting.is_users_own)
"""Those that a project's file may have."""
_BY_KEY = {setting.key: setting for setting in SETTINGS}


def by_key(key: str) -> Setting:
    """The setting of a run with this JSON key.

    Raises:
        KeyError: there is none.
    """
    return _BY_KEY[key]
