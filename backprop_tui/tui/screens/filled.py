"""What a launch form holds, and what it asks for."""

from __future__ import annotations

import os
import re
import shlex

from backprop_tui.control.resuming import ResumeWish, plan_resume
from backprop_tui.control.wishes import Wish, plan_start
from backprop_tui.frozen import Frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from backprop_tui.control.wishes import Planned
    from backprop_tui.store.home import Home
    from backprop_tui.watch.record import Record

FIELDS = (
    ("script", "Script", "a script, or a command behind --"),
    ("args", "Args", "passed to the script"),
    ("cwd", "Folder", "where it runs"),
    ("name", "Name", "to find the run by"),
    ("maxRunMinutes", "Minutes", ""),
    ("gpu", "GPU", "auto; or 0, or 0,1; or none"),
    ("gpu.minFreeVramMB", "VRAM", ""),
    ("minFreeRamGB", "RAM", ""),
    ("framework", "Framework", ""),
)
"""Key, label, and what is said while it is empty; settings say what is in force."""
SETTINGS = frozenset({"maxRunMinutes", "gpu.minFreeVramMB", "minFreeRamGB", "framework"})
OF_A_RUN = frozenset({"script", "cwd", "name"})
"""What a run keeps for good: not asked when it is resumed."""
FOREVER = float("inf")
MASK = "CUDA_VISIBLE_DEVICES"
_GPU = re.compile(r"\d+|(GPU|MIG)-[\w/-]+", re.ASCII)


class Filled(Frozen):
    """What the form holds: by field."""

    values: dict[str, str]
    resumes: str = ""
    """The run that shall go on, "" for a new one."""
    resume_from: str | None = None

    @property
    def fields(self) -> list[tuple[str, str, str]]:
        """The fields to be shown."""
        return [field for field in FIELDS if not (self.resumes and field[0] in OF_A_RUN)]

    @property
    def cwd(self) -> str:
        """Where it runs, as typed; the current folder if nothing is."""
        return self.values.get("cwd", "").strip()

    def plan(self, home: Home) -> Planned:
        """What it asks for.

        Raises:
            ValueError: the arguments hold an open quote, or the GPUs are none that can be named.
            BackpropError: as `plan_start` and `plan_resume`.
        """
        flags = {key: value for key, value in self.values.items() if key in SETTINGS and value.strip()}
        args, env = tuple(shlex.split(self.values.get("args", ""))), self._mask()
        if self.resumes:
            wish = ResumeWish(flags=flags, args=args, env=env, resume_from=self.resume_from, wait_s=FOREVER)
            return plan_resume(home, self.resumes, wish)
        words = shlex.split(self.values.get("script", ""))
        is_command = words[:1] == ["--"]
        name = self.values.get("name", "").strip() or None
        command = (*words[1:], *args) if is_command else (*words, *args)
        return plan_start(
            home,
            Wish(command=command, is_command=is_command, flags=flags, cwd=self.cwd or None, env=env, name=name,
                 wait_s=FOREVER),
        )  # fmt: skip

    def _mask(self) -> dict[str, str]:
        """A choice of GPUs by hand, as the variable that everything honours."""
        asked = self.values.get("gpu", "").replace(" ", "")
        if asked in ("", "auto"):
            return {}
        if asked != "none" and not all(_GPU.fullmatch(name) for name in asked.split(",")):
            raise ValueError("gpu: auto, none, or which ones, such as 0 or 0,1")
        return {MASK: "" if asked == "none" else asked}


def filled_from(record: Record, *, resumes: str = "", resume_from: str | None = None) -> Filled:
    """The form as a run was asked."""
    spec = record.spec
    if spec is None:
        return Filled(values={})
    script = shlex.join(("--", spec.command[0]) if spec.is_command else spec.command[:1])
    values = {
        "script": script,
        "args": shlex.join(spec.command[1:]),
        "cwd": spec.cwd,
        "name": record.notes.name or "",
    }
    if MASK in spec.env:
        values["gpu"] = spec.env[MASK] or "none"
    for key in SETTINGS:
        setting = spec.settings.get(key)
        if setting is not None and setting.origin.startswith("flag"):
            values[key] = _typed(key, setting.value)
    return Filled(values=values, resumes=resumes, resume_from=resume_from)


def _typed(key: str, value: object) -> str:
    """A setting's value as a person would type it: 10s rather than 0.166667 minutes."""
    if not isinstance(value, float):
        return str(value)
    return f"{value * 60:.6g}s" if key == "maxRunMinutes" and value < 1 else f"{value:g}"


def completions(typed: str, known: Sequence[str], cwd: str) -> list[str]:
    """Scripts that hold what is typed: known ones that are there first, then what lies in the folder."""
    needle, start = typed.lower(), os.path.expanduser(cwd) or "."
    found = [script for script in known if needle in script.lower() and os.path.exists(os.path.join(start, script))]
    folder, part = os.path.split(os.path.expanduser(typed))
    base = os.path.join(start, folder)
    try:
        names = sorted(os.listdir(base))
    except OSError:
        names = []
    for name in names:
        is_folder = os.path.isdir(os.path.join(base, name))
        if part.lower() in name.lower() and not name.startswith(".") and (name.endswith(".py") or is_folder):
            found.append(os.path.join(folder, name) + ("/" if is_folder else ""))
    return list(dict.fromkeys(found))
