"""What a slice needs to start, and its place in the queue."""

from __future__ import annotations

from backprop_tui.frozen import Frozen
from backprop_tui.model.samples import Lease
from backprop_tui.text import printable


class Request(Frozen):
    """What a slice needs to start."""

    run_id: str
    max_parallel: int = 1
    min_free_ram_bytes: int = 0
    max_load_per_core: float = 1e9
    max_temp_c: int = 1000
    resume_temp_c: int = 1000
    """A GPU that was too hot while the run waited is taken from this temperature on."""
    gpu_probe: str = "auto"
    user_mask: str | None = None
    """The user's own CUDA_VISIBLE_DEVICES or HIP_VISIBLE_DEVICES, None where it is not set."""
    gpus_wanted: int = 1
    need_bytes: int = 0
    """Memory kept on each GPU."""
    need_from: str = ""
    """What the need was taken from: given, learned (what the script took before), "" for gpu.minFreeVramMB."""
    priority: int = 0
    box_s: float = 600.0
    grace_s: float = 30.0
    """How long it may take to save and end after its box."""
    min_free_disk_bytes: int = 0
    checkpoint_bytes: int = 0
    """Size of one checkpoint of the script, 0 where that is not known."""
    disks: tuple[tuple[str, str], ...] = ()
    """(what is kept there, folder) of the places that it will write to."""
    name: str = ""
    home: str = ""

    @property
    def called(self) -> str:
        """The name people gave it, else its id."""
        return printable(self.name or self.run_id)

    def lease(self, *, pid: int, since: float, gpus: tuple[str, ...]) -> Lease:
        """What the slice holds once it starts.

        Args:
            pid: of its supervisor.
            since: when it starts, epoch seconds.
            gpus: their `index`.
        """
        return Lease(
            run_id=self.run_id,
            pid=pid,
            since=since,
            gpus=gpus,
            gpu_bytes=self.need_bytes if gpus else 0,
            ends=since + self.box_s,
            name=self.name,
            priority=self.priority,
            home=self.home,
            min_free_ram_bytes=self.min_free_ram_bytes,
        )


class Ticket(Frozen):
    """A place in the queue."""

    request: Request
    pid: int
    since: float
    """Epoch seconds."""
    held: str = ""
    """Who wants it to wait until it is released; "" for nobody."""
    hot: tuple[str, ...] = ()
    """GPUs, by index, that were too hot while it waited, and have not cooled down to its resume temperature."""
    aside: str = ""
    """What keeps it from starting whatever the others do, such as its own full disk; "" for nothing."""

    @property
    def order(self) -> tuple[int, float, int]:
        """Sorts the queue: higher priority first, then first come."""
        return -self.request.priority, self.since, self.pid
