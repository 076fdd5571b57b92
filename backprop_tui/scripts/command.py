"""Finds the script within a command such as `torchrun --nproc-per-node 2 train.py`."""

from __future__ import annotations

import os

from backprop_tui.frozen import Frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.model.spec import SliceSpec

_LAUNCHERS = frozenset(
    {
        "torchrun", "accelerate", "deepspeed", "composer", "horovodrun", "mpirun", "mpiexec", "srun", "fabric",
        "uv", "poetry", "pipenv", "pixi", "hatch", "pdm", "rye", "conda", "mamba", "micromamba", "ipython",
        "env", "nice", "ionice", "nohup", "time", "timeout", "stdbuf", "taskset", "numactl", "setsid", "chrt",
        "xvfb-run", "caffeinate", "systemd-run", "coverage", "kernprof", "py-spy", "scalene", "sudo",
    }
)  # fmt: skip
"""Programs whose words end in another command."""
_LAUNCHING_MODULES = frozenset(
    {
        "torch.distributed.run",
        "torch.distributed.launch",
        "accelerate.commands.launch",
        "accelerate.commands.accelerate_cli",
        "deepspeed.launcher.runner",
        "cProfile",
        "coverage",
        "kernprof",
        "debugpy",
        "pdb",
    }
)
_PYTHON_VALUES = frozenset("WXQ")
"""Python's own options that take the next word, where nothing is glued to them."""
_PROGRAMS = {
    "yolo": "resume=True model={checkpoint}",
    "rl_zoo3": "-i {checkpoint}",
    "lightgbm": "input_model={checkpoint}",
}
"""Programs without a script of one's own, and how they take a checkpoint."""
_MODULES = {"rl_zoo3.train": "-i {checkpoint}"}
_MAX_WORDS = 500


class Found(Frozen):
    """What a command runs in the end."""

    script: str = ""
    """The script's path, absolute; "" for none."""
    at: int = 0
    """Where its arguments begin."""
    template: str = ""
    """How a known program takes a checkpoint."""
    program: str = ""
    """That program's name."""


def script_of(spec: SliceSpec) -> Found:
    """The script that a slice runs: itself, or within its command."""
    if not spec.is_command:
        return Found(script=os.path.join(spec.cwd, spec.command[0]), at=1)
    return find_script(spec.command, spec.cwd)


def key_of(found: Found) -> str:
    """By what a script is remembered; "" for nothing."""
    return os.path.realpath(found.script) if found.script else found.program


def find_script(words: tuple[str, ...], cwd: str) -> Found:
    """The script that a command runs, through whatever launches it; a shell's text is not looked into. Never raises."""
    at = 0
    while at < min(len(words), _MAX_WORDS):
        name = os.path.basename(words[at])
        if _is_python(name):
            after = _after_python(words, at + 1, cwd)
            if isinstance(after, Found):
                return after
            at = after
            continue
        if name in _PROGRAMS:
            return Found(template=_PROGRAMS[name], program=name, at=at + 1)
        if words[at].endswith(".py") and _is_file(words[at], cwd):
            return Found(script=os.path.join(cwd, words[at]), at=at + 1)
        if at == 0 and name not in _LAUNCHERS and "=" not in name:
            return Found()
        is_module = words[at] in ("-m", "--module") and at + 1 < len(words)
        if is_module and (found := _module(words[at + 1], at + 2, cwd)) is not None:
            return found
        at += 1
    return Found()


def _is_python(name: str) -> bool:
    rest = name.removeprefix("python").removeprefix("3").removeprefix(".")
    return name.startswith("python") and (not rest or rest.isdecimal())


def _after_python(words: tuple[str, ...], at: int, cwd: str) -> Found | int:
    """What Python is told to run; where to go on looking if that is a launcher."""
    while at < len(words):
        word = words[at]
        if word == "-m" or (word.startswith("-") and not word.startswith("--") and word.endswith("m")):
            module = words[at + 1] if at + 1 < len(words) else ""
            if module in _LAUNCHING_MODULES:
                return at + 2
            return _module(module, at + 2, cwd) or Found()
        if word in ("-c", "-"):
            return Found()
        if not word.startswith("-"):
            return Found(script=os.path.join(cwd, word), at=at + 1) if _is_file(word, cwd) else Found()
        takes_next = len(word) == 2 and word[1] in _PYTHON_VALUES
        at += 2 if takes_next or word == "--check-hash-based-pycs" else 1
    return Found()


def _module(name: str, at: int, cwd: str) -> Found | None:
    """A module of the project, or one that is known."""
    if name in _MODULES:
        return Found(template=_MODULES[name], program=name, at=at)
    if len(name) > 200 or not all(part.isidentifier() for part in name.split(".")):
        return None
    for root in (cwd, os.path.join(cwd, "src")):
        stem = os.path.join(root, *name.split("."))
        for path in (f"{stem}.py", os.path.join(stem, "__main__.py")):
            if os.path.isfile(path):
                return Found(script=path, at=at)
    return None


def _is_file(word: str, cwd: str) -> bool:
    return os.path.isfile(os.path.join(cwd, word))
