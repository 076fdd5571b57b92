"""A box with NVIDIA GPUs that are not there, for processes that are started with its environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

SOURCE = "nvml.c"
LIBRARY = "libnvidia-ml.so.1"
STATE_VARIABLE = "NVML_STAND_IN"
LOST = 15


class NvmlStandIn:
    """Its state may be changed at any time; the keys are those of nvml.c."""

    def __init__(self, library: Path, state_file: Path) -> None:
        self.library = library
        self.state_file = state_file
        self._state: dict[str, object] = {}
        self.set({"count": 1})

    def set(self, changes: dict[str, object]) -> None:
        """Change some values; None takes a value back."""
        self._state.update(changes)
        lines = [f"{key} {value}\n" for key, value in self._state.items() if value is not None]
        fresh = self.state_file.with_suffix(".new")
        fresh.write_text("".join(lines))
        fresh.replace(self.state_file)

    def serve(self, index: int | str, processes: Mapping[int, int | None]) -> None:
        """The driver's list of processes on a GPU: bytes by pid, None where it does not tell them."""
        words = [f"{pid}:{'-' if used is None else used}" for pid, used in processes.items()]
        self.set({f"{index}.processes": ",".join(words) or None})

    def lose(self, index: int) -> None:
        """A GPU falls off the bus, until its key "N.error.all" is taken back."""
        self.set({f"{index}.error.all": LOST})

    def hang(self, is_hanging: bool = True) -> None:
        """From now on every call waits in the driver, or goes on again."""
        self.set({"hang": 1 if is_hanging else None})

    def env(self) -> dict[str, str]:
        """The environment in which a new process sees these GPUs."""
        return {
            **os.environ,
            "LD_LIBRARY_PATH": str(self.library.parent),
            STATE_VARIABLE: str(self.state_file),
        }
