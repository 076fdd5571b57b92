"""What a slice was asked to be (the content of spec-<n>.json, never rewritten)."""

from __future__ import annotations

from backprop_tui.frozen import Frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


CHAIN_KEYS = ("totalMinutes", "slices", "until")
"""The settings by which a run goes on in further slices."""
COOLER_C = 10
"""So far below its limit a GPU has cooled down, unless gpu.resumeTempC says otherwise."""
HOOK = "hooks."
"""So begin the settings that are a person's own commands."""
RERUN = "rerun"
"""In place of a template for resuming: the script finds its checkpoint by itself."""


class SettingValue(Frozen):
    """A resolved setting and where its value came from."""

    value: Any
    origin: str
    """flag, environment, the project file's path, the user file's path, run (repeated by resume), default."""


class SliceSpec(Frozen):
    """Everything needed to start this slice again, on this machine, in this shell."""

    run_id: str
    n: int
    created: float
    command: tuple[str, ...]
    """A script and its arguments, or, if `is_command`, any command."""
    is_command: bool
    cwd: str
    interpreter: str | None
    """None for a command."""
    interpreter_origin: str
    framework: str
    """pytorch, tensorflow, jax or unknown."""
    declared_flags: tuple[str, ...]
    """Those of backprop's own flags that the script declares, such as --resume-from."""
    whole_number_flags: tuple[str, ...] = ()
    """Those of them that take nothing else."""
    settings: dict[str, SettingValue]
    """By configuration key, such as maxRunMinutes or gpu.probe."""
    env: dict[str, str]
    """What --env asked for; values of secret names are masked on disk."""
    recorded_env: dict[str, str]
    """The allow-listed part of the environment, for people to read."""
    resume_from: str | None = None
    resume_step: int | None = None
    resume_args: tuple[str, ...] = ()
    """What stands behind the script's own arguments to hand it the checkpoint."""
    resume_how: str = ""
    """How it is handed over: flag (--resume-from), variable, template (a person's), remembered, proposal, rerun (the
    script finds it itself), none."""
    resume_template: str = ""
    """What `resume_args` were made from; also of a rerun."""
    box_minutes: float | None = None
    """Of this slice, where it is not the setting maxRunMinutes: what was left of a box, or of the run's total."""
    fresh: bool = False
    name: str | None = None
    tags: tuple[str, ...] = ()
    git: dict[str, str] = {}  # noqa: RUF012  # never changed: a Frozen's default
    """commit and branch, where the script lies in a git checkout."""
    backprop: str = ""
    """Version that wrote this."""

    @property
    def script(self) -> str | None:
        """The script's path as it was given, None for a command."""
        return None if self.is_command else self.command[0]

    @property
    def box_s(self) -> float:
        """The slice's time box, seconds."""
        return float(self.setting("maxRunMinutes") if self.box_minutes is None else self.box_minutes) * 60

    @property
    def is_chain(self) -> bool:
        """Whether the run was asked to go on in further slices."""
        return any(self.setting_or(key, None) for key in CHAIN_KEYS)

    @property
    def resume_temp_c(self) -> int:
        """At which a run that heat has held back or paused goes on, °C."""
        given = self.setting_or("gpu.resumeTempC", None)
        return int(self.setting("gpu.maxTempC")) - COOLER_C if given is None else int(given)

    @property
    def hooks(self) -> dict[str, str]:
        """The person's own commands, by what they are run on: start, checkpoint, pause, end."""
        found = {key.removeprefix(HOOK): s.value for key, s in self.settings.items() if key.startswith(HOOK)}
        return {name: str(command) for name, command in found.items() if command}

    def setting_or(self, key: str, default: Any) -> Any:
        """The value of the setting `key`; `default` in a record that is older than the setting."""
        return self.settings[key].value if key in self.settings else default

    def setting(self, key: str) -> Any:
        """The value of the setting `key`.

        Raises:
            KeyError: there is no such setting.
        """
        return self.settings[key].value
