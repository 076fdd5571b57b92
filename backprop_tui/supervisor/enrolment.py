"""Makes the record of a slice before it starts, and asks the Governor in its name."""

from __future__ import annotations

import os

from backprop_tui import paths
from backprop_tui.engines.argv import grace_s
from backprop_tui.errors import RunActive, StoreError
from backprop_tui.files import FileLock
from backprop_tui.governor.devices import LEARNED_MARGIN
from backprop_tui.governor.request import Request
from backprop_tui.model.run import Notes, Owner, Process, Run, Slice
from backprop_tui.model.secrets import masked
from backprop_tui.model.states import RunState, check_transition
from backprop_tui.probes import host
from backprop_tui.probes import tree as processes
from backprop_tui.store.home import Home
from backprop_tui.supervisor.needs import recall_needs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from backprop_tui.model.spec import SliceSpec
    from backprop_tui.store.folder import RunFolder
    from backprop_tui.supervisor.clock import Clock
    from backprop_tui.supervisor.needs import Needs
    from backprop_tui.supervisor.session import Plan

GB = 1024**3
MB = 1024**2


def request_of(spec: SliceSpec, env: Mapping[str, str], home: Home | None = None) -> Request:
    """What the Governor has to know of a slice.

    Args:
        spec: what is wanted.
        env: the environment that it is started in.
        home: where its record lies; without one the environment's.
    """
    home = home or Home(paths.home(env))
    env = {**env, **spec.env}
    needs = recall_needs(home, spec)
    need, need_from = _gpu_need(spec, needs)
    return Request(
        run_id=spec.run_id,
        max_parallel=int(spec.setting("maxParallel")),
        min_free_ram_bytes=int(float(spec.setting("minFreeRamGB")) * GB),
        max_load_per_core=float(spec.setting("maxCpuLoadPerCore")),
        max_temp_c=int(spec.setting("gpu.maxTempC")),
        resume_temp_c=min(spec.resume_temp_c, int(spec.setting("gpu.maxTempC")) - 1),
        gpu_probe=str(spec.setting("gpu.probe")),
        user_mask=env.get("CUDA_VISIBLE_DEVICES", env.get("HIP_VISIBLE_DEVICES")),
        gpus_wanted=int(spec.setting_or("gpus", 1)),
        need_bytes=need,
        need_from=need_from,
        priority=int(spec.setting_or("priority", 0)),
        box_s=spec.box_s,
        grace_s=grace_s(spec),
        min_free_disk_bytes=int(float(spec.setting_or("minFreeDiskGB", 0)) * GB),
        checkpoint_bytes=needs.checkpoint_bytes or 0,
        disks=(
            ("records", home.path),
            ("checkpoints", spec.cwd if spec.resume_from is None else os.path.dirname(spec.resume_from)),
        ),
        name=spec.name or "",
        home=home.path,
    )


def _gpu_need(spec: SliceSpec, needs: Needs) -> tuple[int, str]:
    """Memory to keep on each GPU, and what that was taken from."""
    least = int(float(spec.setting("gpu.minFreeVramMB")) * MB)
    given = spec.setting_or("gpu.needMB", None)
    if given is not None:
        need, need_from = int(float(given) * MB), "given"
    elif needs.gpu_bytes is not None:
        need, need_from = int(needs.gpu_bytes * LEARNED_MARGIN), "learned"
    else:
        return least, ""
    is_floor = spec.settings["gpu.minFreeVramMB"].origin != "default"  # a person asked for so much
    return (least, "") if is_floor and least > need else (need, need_from)


def enrol(home: Home, plan: Plan, lock: FileLock | None, clock: Clock) -> tuple[RunFolder, SliceSpec, Run, FileLock]:
    """Write the slice's spec and make the run's record, locked; the state is `queued` and not yet written.

    Args:
        home: where the record goes.
        plan: what is wanted.
        lock: the run's lock when it is resumed, None for a new run.
        clock: for the times in the record.

    Raises:
        StoreError: the record cannot be written.
        RunActive: the run went on in another place meanwhile.
        UsageError: the run's id exists already.
    """
    spec, now = plan.spec, round(clock.epoch(), 3)
    if lock is not None:
        folder = home.run(spec.run_id)
        run = _next_slice(folder.read_run(), spec)
    else:
        folder = home.new_run(spec.run_id)
        spec = spec.replace(run_id=folder.id)
        lock = FileLock(folder.file("lock"))
        if not lock.try_acquire():
            raise RunActive(f"run {folder.id} is held by another process")
        if spec.name or spec.tags:
            folder.write_notes(Notes(name=spec.name, tags=spec.tags))
        run = Run(id=folder.id, state=RunState.QUEUED, created=now, updated=now)
    folder.write_spec(spec.replace(env=masked(spec.env)))
    home.mark_active(run.id)
    newest = Slice(
        n=spec.n,
        state=RunState.QUEUED,
        started=now,
        box_s=spec.box_s,
        by_itself=plan.by_itself,
        resumed_from=spec.resume_from,
        log_start=_size(folder.file("output.log")),
        metrics_start=_size(folder.file("metrics.jsonl")),
    )
    run = run.replace(
        state=RunState.QUEUED,
        reason=None,
        owner=owner(spec.n),
        slices=(*run.slices, newest),
        warnings=(),
    )
    return folder, spec, run, lock


def owner(slice_n: int) -> Owner:
    """This process, as the writer of a slice."""
    pid = os.getpid()
    return Owner(
        host=host.hostname(),
        boot_id=host.boot_id(),
        process=Process(pid=pid, start=processes.start_of(pid)),
        token=os.urandom(8).hex(),
        slice=slice_n,
    )


def _next_slice(run: Run, spec: SliceSpec) -> Run:
    check_transition(run.state, RunState.QUEUED)
    expected = run.slice.n + 1 if run.slice else 1
    if spec.n != expected:
        raise RunActive(f"run {run.id} went on meanwhile: slice {expected} is next, not {spec.n}")
    return run


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except FileNotFoundError:
        return 0
    except OSError as error:
        raise StoreError(f"cannot look at {path}: {error.strerror}")
