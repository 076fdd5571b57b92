"""What one setting is: of a run, or of the dashboard."""

from __future__ import annotations

from backprop_tui.frozen import Frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Literal

    Kind = Literal[
        "minutes", "seconds", "number", "integer", "choice", "memory", "signal", "path", "boolean",
        "pattern", "names", "globs", "template", "goals", "command",
    ]  # fmt: skip

ENV_PREFIX = "BACKPROP_SET_"
"""Apart from the variables that a training is told, such as BACKPROP_MAX_MINUTES."""
DASHBOARD_ENV_PREFIX = ENV_PREFIX + "DASHBOARD_"
"""Of what only the dashboard reads."""
USERS_OWN = ("dashboard", "keys")
"""Tables of the user's file that a project's may not have."""
MAX_NUMBER = 1e9
"""No setting means anything above this; below it no product of units overflows."""


class Setting(Frozen):
    """One thing that a person can set."""

    key: str
    """In JSON and TOML; a dot stands for nesting, such as gpu.probe."""
    kind: Kind
    default: Any
    help: str
    """One line."""
    flag: str = ""
    """Empty for what no command takes."""
    short: str = ""
    metavar: str = ""
    """Empty for a switch, which is given or not."""
    choices: tuple[str, ...] = ()
    unit: str = ""
    """Of a plain number."""
    minimum: float = 0
    is_minimum_excluded: bool = False
    maximum: float = MAX_NUMBER
    none_word: str = ""
    """Says None where JSON's null cannot be written; empty when None is no value of this setting."""
    is_users_own: bool = False
    """Not to be set by a project's file: whoever runs somebody else's project decides it."""

    @property
    def env(self) -> str:
        """The environment variable, such as BACKPROP_SET_GPU_MAX_TEMP_C."""
        name = ""
        for before, char in zip(" " + self.key, self.key, strict=False):
            name += "_" if char.isupper() and not before.isupper() else ""
            name += char
        return ENV_PREFIX + name.replace(".", "_").upper()
