"""Real runs to press keys on; the id of each is its name."""

from __future__ import annotations

import json
from typing import Any

from tests.box import Box, script


def ended(box: Box, *names: str, steps: int = 20, words: tuple[str, ...] = ()) -> None:
    """Runs that have completed, the last one newest, with a checkpoint every ten steps."""
    for name in names:
        more = ("--steps", str(steps), "--interval", "0", "--output", f"ck-{name}", *words)
        box.run("run", "-q", "--run-id", name, "-n", name, script("metrics.py"), "--", *more)


def stopped(box: Box, *names: str) -> None:
    """Runs that were stopped after they had saved."""
    for name in names:
        going(box, name)
    for name in names:
        box.wait_for_step(name, 11)
        box.run("stop", name)


def failed(box: Box, name: str, *, lines: int = 0) -> None:
    """A run that failed with a traceback, after some lines."""
    said = f"for n in range({lines}):\n    print(f'line {{n}}', 'warning' * (n == {lines // 2}))\n" if lines else ""
    (box.work / f"{name}.py").write_text(f"{said}raise ValueError('no such thing')\n")
    box.run("run", "-q", "--run-id", name, "-n", name, f"{name}.py", code=1)


def going(box: Box, *names: str, words: tuple[str, ...] = ()) -> None:
    """Runs in progress."""
    box.env["BACKPROP_SET_MAX_PARALLEL"] = "9"
    for name in names:
        box.run(
            "run", "-d", "--run-id", name, "-n", name, "-m", "10", script("metrics.py"),
            "--", "--output", f"ck-{name}", *words,
        )  # fmt: skip
    for name in names:
        box.wait_for_step(name, 1)


def notes(box: Box, name: str) -> dict[str, Any]:
    """What people say of a run."""
    path = box.home / "runs" / name / "notes.json"
    found: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return found


def state(box: Box, name: str) -> str:
    return str(box.state(name).get("state"))


def box_s(box: Box, name: str) -> float:
    """The time box of the newest slice, seconds."""
    return float(box.state(name)["slices"][-1]["box_s"])
