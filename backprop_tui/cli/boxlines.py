"""The box, its GPUs and who uses them, in words."""

from __future__ import annotations

from backprop_tui.cli import output, words
from backprop_tui.text import short
from backprop_tui.watch.figures import gigabytes, short_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from backprop_tui.model.samples import DiskSample, GpuProcess, GpuReport, GpuSample, Lease
    from backprop_tui.watch.box import BoxSample
    from backprop_tui.watch.situation import Situation, Waiting

_MOST_USERS = 4
_NAME = 32


def host_line(box: BoxSample, disks: Sequence[DiskSample]) -> str:
    """Cores, load, RAM and disks."""
    host = box.host
    parts = [f"{box.name}: {host.cores} core{'s' if host.cores != 1 else ''}"]
    if host.load1 is not None:
        parts.append(f"load {host.load1:.2f}")
    if host.ram_free_bytes is not None and host.ram_total_bytes is not None:
        parts.append(f"RAM {gigabytes(host.ram_free_bytes)} of {gigabytes(host.ram_total_bytes)} GB free")
    parts += [f"disk of the {disk.what} {gigabytes(disk.free_bytes)} GB free" for disk in disks]
    return ", ".join(parts)


def gpu_line(gpu: GpuSample, leases: Sequence[Lease]) -> str:
    """One GPU: its name, what is free, how hot and busy it is, and who uses it."""
    parts = [memory(gpu)]
    if gpu.temp_c is not None:
        parts.append(temperature(gpu))
    if gpu.util_percent is not None:
        parts.append(f"{gpu.util_percent} % busy")
    users = ", ".join(users_of(gpu, leases))
    return f"{short(gpu.name, _NAME)}: {', '.join(parts)}" + (f"; {users}" if users else "")


def memory(gpu: GpuSample) -> str:
    """3.1 of 24.0 GB free."""
    if gpu.free_bytes is None:
        return "its memory cannot be read"
    of = "" if gpu.total_bytes is None else f" of {gigabytes(gpu.total_bytes)}"
    shared = ", shared with the box's RAM" if gpu.is_unified else ""
    return f"{gigabytes(gpu.free_bytes)}{of} GB free{shared}"


def temperature(gpu: GpuSample) -> str:
    """71 °C, and whether the driver slows it down."""
    return f"{gpu.temp_c} °C" + (", slowed down for heat" if gpu.is_slowed else "")


def users_of(gpu: GpuSample, leases: Sequence[Lease]) -> list[str]:
    """The runs that hold a GPU, then the processes that use it as far as the driver tells."""
    names = [lease.name or lease.run_id for lease in leases if gpu.index in lease.gpus]
    users = [short(name, _NAME) + _held(gpu, name) for name in names]
    processes = [process for process in gpu.processes or () if process.run not in names]
    users += [_process(process) for process in processes[:_MOST_USERS]]
    if len(processes) > _MOST_USERS:
        users.append(f"{len(processes) - _MOST_USERS} more processes")
    return users


def report_lines(report: GpuReport, now: float) -> list[str]:
    """What is to be said where no GPU can be read, or not at present."""
    if report.gpus:
        return []
    if not report.failed:
        return ["none" if report.probe != "none" or report.tried else "none is looked at"]
    whys = "; ".join(f"{probe}: {why}" for probe, why in report.tried)
    seen = "" if report.last_good is None else f", last seen {words.age(now - report.last_good)} ago"
    return [f"none can be read{seen} ({whys})"]


def _held(gpu: GpuSample, run: str) -> str:
    """What a run's processes have in use on a GPU, where the driver tells."""
    used = [process.used_bytes for process in gpu.processes or () if process.run == run]
    known = [amount for amount in used if amount is not None]
    return f" {gigabytes(sum(known))} GB" if known and len(known) == len(used) else ""


def _process(process: GpuProcess) -> str:
    owner = process.run or process.user
    who = f" ({short(owner, _NAME)})" if owner else ""
    used = "" if process.used_bytes is None else f" {gigabytes(process.used_bytes)} GB"
    return f"{short(process.name, _NAME) or 'process'} {process.pid}{who}{used}"


def show_box(found: Situation) -> None:
    """The box, its GPUs, runs of other homes on it, and what was ordered for all."""
    now = found.box.t
    output.emit_wrapped("box     ", host_line(found.box, found.disks))
    for gpu in found.box.gpus.gpus:
        output.emit_wrapped(f"{f'GPU {gpu.index}':<8}", gpu_line(gpu, found.leases))
    for index, why in found.box.gpus.missing if found.box.gpus.gpus else ():
        output.emit_wrapped(f"{f'GPU {index}':<8}", why)
    for line in report_lines(found.box.gpus, now):
        output.emit_wrapped("GPUs    ", line)
    if found.orders.drained_by:
        text = f"by {found.orders.drained_by}: nothing new starts until backprop drain --off"
        output.emit_wrapped("drained ", text)
    if found.orders.yield_by:
        text = f"by {found.orders.yield_by}: the GPUs stay free for another {found.yield_left}"
        output.emit_wrapped("yielded ", f"{text}, or until backprop yield --off")


def show_elsewhere(leases: Sequence[Lease], now: float) -> None:
    """The runs of other homes that have started on this box."""
    for lease in leases:
        ident = f"{lease.run_id} ({lease.name})" if lease.name else lease.run_id
        on = f" on GPU {', '.join(lease.gpus)}" if lease.gpus else ""
        left = "" if lease.ends is None else f", {words.duration(lease.ends - now)} left"
        output.emit_wrapped("  ", f"{ident}{on}{left}, in {short_path(lease.home)}")


def show_queue(queue: Sequence[Waiting], home: str) -> None:
    """Who waits, in the order in which they go on."""
    for place in queue:
        ident = f"{place.run_id} ({place.name})" if place.name else place.run_id
        where = "" if place.home in ("", home) else f", in {short_path(place.home)}"
        priority = f", priority {place.priority}" if place.priority else ""
        output.emit_wrapped(f"{place.position:>3}  ", f"{ident}{where}{priority}: {place.text or 'waits'}")
