"""The small training that ships with the package, as a wish like any other."""

from __future__ import annotations

import os
import sys
import time

from backprop_tui import paths
from backprop_tui.control.wishes import Wish

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.store.home import Home

SECONDS = 30.0
FIRST_SHARE = 0.6
"""The first slice's time box is this part of the whole: the rest is left for a resume."""
STEPS_PER_SECOND = 40.0
_SMALL = {"gpu.probe": "none", "minFreeRamGB": 0.25, "maxCpuLoadPerCore": 1000, "maxParallel": 1000}
"""It takes a fifth of a core and 20 MB: no box is too busy for it."""


def demo_wish(home: Home, seconds: float = SECONDS, config_path: str | None = None) -> Wish:
    """A training of so many seconds, whose first slice is over before it is done."""
    home.ensure()
    folder = os.path.join(home.path, "demo")
    os.makedirs(folder, mode=0o700, exist_ok=True)
    script = os.path.join(os.path.dirname(paths.__file__), "demo", "train.py")
    steps = max(10, int(seconds * 0.9 * STEPS_PER_SECOND))
    return Wish(
        command=(script, "--steps", str(steps), "--output", f"{time.time_ns():x}"),
        is_command=False,
        flags={
            "maxRunMinutes": seconds * FIRST_SHARE / 60,
            "checkpointEveryMinutes": max(0.5, seconds / 6) / 60,
            "python": sys.executable,
            **_SMALL,
        },
        cwd=folder,
        config_path=config_path,
        name="demo",
        tags=("demo",),
    )
