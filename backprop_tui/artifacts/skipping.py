"""Which folders beneath a working directory are walked. Pure."""

from __future__ import annotations

from backprop_tui.artifacts.vocabulary import vocabulary

ENVIRONMENT_MARKS = frozenset(("pyvenv.cfg", "CACHEDIR.TAG"))
"""A folder that holds one of these is a virtual environment or a cache."""
_SKIPPED = vocabulary(
    "__pycache__ node_modules site-packages dist-packages venv env virtualenv conda-meta egg-info wandb mlruns"
)
_SKIPPED_STARTS = (".", "models--", "datasets--")
"""Hidden ones, and the Hugging Face hub's caches."""
_SKIPPED_ENDS = (".egg-info", ".dist-info")
_SYSTEM = ("/proc/", "/sys/", "/dev/", "/run/")
_OUTPUT_NAMES = vocabulary(
    "checkpoint checkpoints ckpt ckpts exp experiment experiments lightning_logs log logs models out output outputs "
    "result results run runs save saved saves weights work_dir work_dirs"
)
_SHARED = vocabulary("/ /tmp /var/tmp /dev/shm /home /root /usr /var /etc /opt /mnt")


def is_skipped(name: str, path: str) -> bool:
    """Whether a folder of that name is nobody's output."""
    return (
        name in _SKIPPED
        or name.startswith(_SKIPPED_STARTS)
        or name.endswith(_SKIPPED_ENDS)
        or f"{path}/".startswith(_SYSTEM)
    )


def is_output_name(name: str) -> bool:
    """Whether a link of that name leads where a training is meant to write; others may lead to its data."""
    return name.lower() in _OUTPUT_NAMES


def is_shared(path: str, home: str) -> bool:
    """Whether a folder is everybody's: what lies in it says nothing about who wrote it."""
    return path in _SHARED or path == home or f"{path}/".startswith((*_SYSTEM, f"{home}/.cache/"))
