"""Who may start: one desk for all of this user's local runs, in every shell and home.

Tickets (waiting) and leases (started) are files locked by their holders: what nobody locks is dead.
"""

from __future__ import annotations

import os
import stat
import time

from backprop_tui import files
from backprop_tui.errors import StoreError
from backprop_tui.frozen import Frozen
from backprop_tui.governor.admission import Request, admit
from backprop_tui.governor.load import Residue, after_end, own_load
from backprop_tui.model.decisions import Admission, Decision
from backprop_tui.model.samples import GpuReport, HostSample, Lease

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

LOCK_WAIT_S = 30.0


class Ticket(Frozen):
    """A place in the queue."""

    run_id: str
    pid: int
    since: float
    """Epoch seconds: first come, first served."""


class HeldFile:
    """A ticket or lease of ours: a file that we keep locked."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._lock = files.FileLock(path)
        self._longest = 0

    def take(self, content: dict[str, Any]) -> None:
        if not self._lock.try_acquire():
            raise StoreError(f"{self.path} is held by another process", hint="start again")
        try:
            self._put(content)
        except OSError as error:
            self.drop()
            raise StoreError(f"cannot write {self.path}: {error.strerror}", hint="is there room on the disk?")

    def write(self, content: dict[str, Any]) -> None:
        """In place: the lock belongs to this very file."""
        try:
            self._put(content)
        except OSError:
            pass  # a stale measurement does no harm; the lock is what counts

    def _put(self, content: dict[str, Any]) -> None:
        data = files.to_json(content)
        # Never shorter than before, in one write: whoever reads at this moment sees one content or the other.
        self._longest = max(self._longest, len(data))
        os.pwrite(self._lock.fileno(), data.ljust(self._longest), 0)

    def fileno(self) -> int:
        return self._lock.fileno()

    def drop(self) -> None:
        try:
            os.unlink(self.path)
        except OSError:
            pass
        self._lock.release()


class HeldLease(HeldFile):
    """The lease of a run that has started."""

    def __init__(self, path: str, lease: Lease) -> None:
        super().__init__(path)
        self.lease = lease

    def update(self, **changes: Any) -> None:
        """Note what has become known of the run: its id, how many of its tasks want the processor."""
        self.lease = self.lease.replace(**changes)
        self.write(self.lease.plain())


class AdmissionDesk:
    """Reads the others, decides, and hands out a lease, all under one lock."""

    def __init__(
        self,
        folder: str,
        *,
        sample_host: Callable[[float], HostSample],
        sample_gpus: Callable[[float], GpuReport],
        count_starting: Callable[[set[int]], int],
    ) -> None:
        """`count_starting` counts backprop processes other than the given pids, for the load they cause."""
        self._folder = folder
        self._sample_host = sample_host
        self._sample_gpus = sample_gpus
        self._count_starting = count_starting
        self._ticket: HeldFile | None = None
        self._place: Ticket | None = None

    def open(self) -> None:
        """Make the folder, or make sure that it is ours alone.

        Raises:
            StoreError: somebody else could write to it.
        """
        for path in (self._folder, self._path("tickets"), self._path("leases")):
            try:
                os.mkdir(path, 0o700)
            except FileExistsError:
                pass
            except OSError as error:
                raise StoreError(
                    f"cannot make {path}: {error.strerror}", hint="set BACKPROP_ADMISSION_DIR to a local folder"
                )
            info = os.lstat(path)
            if not stat.S_ISDIR(info.st_mode) or info.st_uid != os.geteuid() or info.st_mode & 0o022:
                raise StoreError(
                    f"{path} is not a folder that only you can write to",
                    hint="remove it, or set BACKPROP_ADMISSION_DIR to a folder of your own",
                )

    def look(self, request: Request) -> Admission:
        """The verdict on a start now; takes nothing."""
        with self._locked():
            return self._decide(request, time.time())[0]

    def try_start(self, request: Request) -> tuple[Admission, HeldLease | None]:
        """The verdict on a start now and, when it is yes, the lease that makes it true."""
        with self._locked():
            now = time.time()
            admission, _leases = self._decide(request, now)
            if not admission.admitted:
                return admission, None
            gpu = admission.gpu
            lease = HeldLease(
                self._path("leases", f"{request.run_id}.{os.getpid()}"),
                Lease(
                    run_id=request.run_id,
                    pid=os.getpid(),
                    since=now,
                    gpus=(gpu.index,) if gpu else (),
                    gpu_bytes=request.min_free_vram_bytes if gpu else 0,
                ),
            )
            lease.take(lease.lease.plain())
            self.leave()
            return admission, lease

    def queue(self, run_id: str) -> None:
        """Take a place at the end of the queue."""
        if self._ticket is None:
            ticket = HeldFile(self._path("tickets", f"{run_id}.{os.getpid()}"))
            self._place = Ticket(run_id=run_id, pid=os.getpid(), since=time.time())
            with self._locked():
                ticket.take(self._place.plain())
            self._ticket = ticket

    def leave(self) -> None:
        """Give up the place in the queue, if there is one."""
        if self._ticket is not None:
            self._ticket.drop()
            self._ticket = self._place = None

    def end(self, held: HeldLease) -> None:
        """Give a lease back; the load that it leaves behind is remembered."""
        try:
            with self._locked():
                self._remember_end(held.lease, time.time())
                held.drop()
        except (OSError, StoreError):
            held.drop()

    def changed(self) -> tuple[int, ...]:
        """A mark that differs after somebody came or went."""
        return tuple(os.stat(self._path(kind)).st_mtime_ns for kind in ("tickets", "leases"))

    def leases(self) -> tuple[Lease, ...]:
        """Those of living holders; clears the others away."""
        return tuple(_lease(held) for held in self._living("leases"))

    def tickets(self) -> tuple[Ticket, ...]:
        """The queue, first come first; clears dead places away."""
        places = [_ticket(held) for held in self._living("tickets")]
        return tuple(sorted(places, key=lambda place: (place.since, place.pid)))

    def _path(self, *parts: str) -> str:
        return os.path.join(self._folder, *parts)

    def _locked(self) -> files.FileLock:
        lock = files.FileLock(self._path("admission.lock"))
        try:
            lock.acquire(LOCK_WAIT_S)
        except TimeoutError:
            raise StoreError(
                f"{lock.path} has been held by another backprop for {LOCK_WAIT_S:g} s",
                hint="look for a stopped backprop process (ps -C backprop)",
            )
        except OSError as error:
            raise StoreError(f"cannot lock {lock.path}: {error.strerror}")
        return lock

    def _decide(self, request: Request, now: float) -> tuple[Admission, tuple[Lease, ...]]:
        leases = self.leases()
        ahead = [place for place in self.tickets() if not self._place or place.pid != self._place.pid]
        if self._place is not None:
            ahead = [place for place in ahead if (place.since, place.pid) < (self._place.since, self._place.pid)]
        host, gpus = self._sample_host(now), self._sample_gpus(now)
        load = own_load(leases, self._residue(), now, len(ahead))
        admission = admit(request, host, gpus, leases, load)
        if any(d.rule == "cpu" and not d.ok for d in admission.decisions):
            # Other starts that have no lease yet weigh on the load as well; counting them is dear.
            starting = self._count_starting({lease.pid for lease in leases})
            load = own_load(leases, self._residue(), now, len(ahead) + starting)
            admission = admit(request, host, gpus, leases, load)
        if ahead:
            admission = _behind(admission, ahead)
        return admission, leases

    def _living(self, kind: str) -> list[dict[str, Any]]:
        living = []
        for name in sorted(os.listdir(self._path(kind))):
            path = self._path(kind, name)
            lock = files.FileLock(path)
            try:
                content = _content(path)
                if lock.try_acquire():
                    if kind == "leases":
                        self._remember_end(_lease(content), time.time())
                    os.unlink(path)
                    lock.release()
                    continue
            except OSError:
                continue
            living.append(content)
        return living

    def _residue(self) -> Residue:
        try:
            load, t = map(float, files.read_bytes(self._path("residue"), 64).split())
        except (OSError, ValueError):
            return Residue(load=0.0, t=0.0)
        return Residue(load=load, t=t)

    def _remember_end(self, lease: Lease, now: float) -> None:
        residue = after_end(self._residue(), lease, now)
        # Two numbers: JSON would have to be loaded to read them at every start. In place, under the desk's lock:
        # torn by a kill, it reads as nothing.
        data = f"{residue.load:.6f} {residue.t:.3f}\n".encode()
        fd = os.open(self._path("residue"), os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            os.pwrite(fd, data, 0)
            os.ftruncate(fd, len(data))
        finally:
            os.close(fd)


def _behind(admission: Admission, ahead: list[Ticket]) -> Admission:
    first = ahead[0].run_id
    others = f" and {len(ahead) - 1} more" if len(ahead) > 1 else ""
    queue = Decision(
        rule="queue",
        ok=False,
        text=f"queue: {first}{others} came first",
        value=float(len(ahead)),
        limit=0.0,
    )
    return admission.replace(admitted=False, gpu=None, decisions=(*admission.decisions, queue))


def _content(path: str) -> dict[str, Any]:
    try:
        content = files.from_json(files.read_bytes(path, 65536))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _number(content: dict[str, Any], key: str, default: float) -> float:
    value = content.get(key)
    return float(value) if isinstance(value, (int, float)) else default


def _ticket(content: dict[str, Any]) -> Ticket:
    return Ticket(
        run_id=str(content.get("run_id", "?")),
        pid=int(_number(content, "pid", 0)),
        since=_number(content, "since", 0.0),
    )


def _lease(content: dict[str, Any]) -> Lease:
    gpus = content.get("gpus")
    return Lease(
        run_id=str(content.get("run_id", "?")),
        pid=int(_number(content, "pid", 0)),
        since=_number(content, "since", 0.0),
        gpus=tuple(str(gpu) for gpu in gpus) if isinstance(gpus, list) else (),
        gpu_bytes=int(_number(content, "gpu_bytes", 0)),
        runnable=_number(content, "runnable", 1.0),
        home=str(content.get("home", "")),
    )
