"""Training scripts of other people's frameworks, and what a run of one of them must show."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.box import Box, script
from tests.requirements import require
from tests.stand_ins.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

PYTHONS = ("BACKPROP_TEST_FRAMEWORKS_PYTHON", "BACKPROP_TEST_TORCH_PYTHON")
TORCHRUN = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")


class Case(NamedTuple):
    """A script, and what of its run differs from the others."""

    name: str
    script: str
    needs: tuple[str, ...]
    """Modules that its interpreter must have."""
    args: tuple[str, ...] = ()
    launcher: tuple[str, ...] = ()
    """Words before the script where a command is run."""
    metric: str = "loss"
    """The one that tells whether a slice goes on where the one before it stood."""
    resume: str = ""
    """The option that hands over the checkpoint; "" where the script is rerun."""
    until: int = 50
    """The first slice goes on until a checkpoint of this step or a later one is good."""
    slack: int = 15
    """Steps between a checkpoint and the first figure after it."""

    @property
    def requirement(self) -> str:
        return "torch" if self.needs == ("torch",) else "frameworks"


def python_with(case: Case) -> str:
    """An interpreter that has what the case needs."""
    for python in (sys.executable, *(os.environ.get(name, "") for name in PYTHONS)):
        if python and _has(python, case.needs):
            return python
    names = " ".join(case.needs)
    require(case.requirement, False, f"no interpreter has all of: {names} ({PYTHONS[0]} can name one)")
    raise AssertionError


@functools.cache
def _has(python: str, modules: tuple[str, ...]) -> bool:
    code = "import importlib.util as u, sys; sys.exit(any(u.find_spec(name) is None for name in sys.argv[1:]))"
    return subprocess.run([python, "-c", code, *modules], check=False).returncode == 0


ENV = {"OMP_NUM_THREADS": "1", "TF_NUM_INTRAOP_THREADS": "1"}
"""Several trainings on a few cores: threads that spin while they wait would take the time of the others."""
LIMIT_S = 400.0
"""An import alone may take half a minute on a busy box."""


def start(box: Box, case: Case) -> str:
    """Begin the case's first slice, in a box that is longer than the test; the run's id."""
    python, path = python_with(case), script(case.script)
    words = [python, *case.launcher, path] if case.launcher else [path]
    flags = ["-m", "60m", *(() if case.launcher else ("--python", python))]
    env = [word for name, value in ENV.items() for word in ("--env", f"{name}={value}")]
    before = ["--", *words] if case.launcher else [*words, "--"]
    return box.run("run", "-d", *flags, *env, *before, *case.args).stdout.strip()


def resume(box: Box, run_id: str, *words: str) -> None:
    """Go on without any setting."""
    box.run("resume", run_id, "-d", "-m", "60m", *words)


def wait_for(box: Box, run_id: str, condition: Callable[[dict[str, Any]], object]) -> None:
    """Wait until the record of the running slice shows it."""

    def holds() -> object:
        run = box.state(run_id)
        return run and (condition(run) or run["state"] not in ("starting", "running"))

    wait_until(holds, LIMIT_S)
    run = box.state(run_id)
    assert condition(run), f"{run['state']}: {run['reason']}; warnings: {run['warnings']}"


def end_box(box: Box, run_id: str) -> dict[str, Any]:
    """Let the time box end now; the run's record after it."""
    box.run("extend", run_id, "-60m")
    return box.wait_for(run_id, "timeboxed")


def curve(box: Box, run: dict[str, Any], n: int, metric: str) -> list[tuple[float, float]]:
    """(step, value) of a metric in slice `n`, as recorded."""
    starts = [piece["metrics_start"] for piece in run["slices"]]
    data = (box.home / "runs" / run["id"] / "metrics.jsonl").read_bytes()
    lines = data[starts[n - 1] : starts[n] if n < len(starts) else None].splitlines()
    points = [json.loads(line) for line in lines]
    return [(point["step"], point[metric]) for point in points if metric in point]


def used_checkpoint(box: Box, run: dict[str, Any], n: int) -> dict[str, Any]:
    """The checkpoint that slice `n` was resumed from."""
    path = run["slices"][n - 1]["resumed_from"]
    assert path, "not resumed from anything"
    known = box.lines(run["id"], "checkpoints.jsonl")
    found = [saved for saved in known if saved["path"] == path and saved["slice"] < n]
    assert found, f"{path} is not among the run's checkpoints: {sorted({saved['path'] for saved in known})}"
    return found[-1]


def newest_good(run: dict[str, Any]) -> dict[str, Any]:
    good = [saved for saved in run["checkpoints"] if saved["good"] and "best" not in saved["path"]]
    assert good, f"no good checkpoint among {run['checkpoints']}; warnings: {run['warnings']}"
    return dict(max(good, key=lambda saved: (saved["slice"], saved["step"] or 0)))


def check_first_slice(box: Box, case: Case, run: dict[str, Any]) -> None:
    """In a time box of a script that never heard of backprop: step, metrics and checkpoints were understood."""
    assert run["state"] == "timeboxed", run["reason"]
    piece = run["slices"][-1]
    assert (piece["forced"], piece["survivors"]) == (False, 0)
    assert run["step"] > 20
    points = curve(box, run, 1, case.metric)
    assert len(points) >= 5, f"{case.metric} was seen {len(points)} times; known: {sorted(run['last'])}"
    assert all(now <= later for (now, _), (later, _) in pairwise(points))
    assert "json" not in run["metric_sources"]
    saved = newest_good(run)
    assert saved["found"] in ("phrase", "folder", "copy")
    assert os.path.exists(saved["path"])


def check_goes_on(box: Box, case: Case, run: dict[str, Any], n: int) -> None:
    """Slice `n` took the training up where its checkpoint was saved, and got further."""
    before, piece = run["slices"][n - 2], run["slices"][n - 1]
    saved = used_checkpoint(box, run, n)
    assert saved["good"] is True
    assert saved["slice"] == n - 1, "an older slice's checkpoint was taken"
    step = saved["step"] if saved["step"] is not None else before["last_step"]
    assert step - 1 <= piece["first_step"] <= step + case.slack
    assert piece["last_step"] > piece["first_step"]
    check_seam(box, case, run, n)
    assert piece["seam"]["verdict"] != "suspicious", piece["seam"]
    assert piece["seam"]["step"] == piece["first_step"]


def check_seam(box: Box, case: Case, run: dict[str, Any], n: int) -> None:
    """The metric stands where it stood: most of what had been learned by then is still there."""
    first = [value for _, value in curve(box, run, 1, case.metric)][:3]
    old, new = curve(box, run, n - 1, case.metric), curve(box, run, n, case.metric)
    begun, ended = new[0][0], old[-1][0]
    near = [value for step, value in old if step >= begun][:10] or [value for _, value in old][-3:]
    after = [value for step, value in new if step <= ended][:10] or [value for _, value in new][:3]
    at_start, before_seam, after_seam = (sum(values) / len(values) for values in (first, near, after))
    learned = abs(at_start - before_seam)
    said = f"{case.metric}: {at_start:.4g} at the start, {before_seam:.4g} before the seam, {after_seam:.4g} after it"
    assert abs(after_seam - before_seam) < 0.5 * learned, said
