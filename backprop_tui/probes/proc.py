"""One process of the process table."""

from __future__ import annotations


class Proc:
    """A process at one moment."""

    __slots__ = ("cpu_ticks", "pgid", "pid", "ppid", "rss_bytes", "sid", "start", "state", "threads")

    def __init__(  # noqa: PLR0913  # the fields of a record
        self,
        *,
        pid: int,
        ppid: int,
        pgid: int,
        sid: int,
        state: str = "S",
        start: int = 0,
        cpu_ticks: int = 0,
        rss_bytes: int = 0,
        threads: int = 1,
    ) -> None:
        self.pid = pid
        self.ppid = ppid
        self.pgid = pgid
        self.sid = sid
        self.state = state
        """One letter, as in /proc/PID/stat."""
        self.start = start
        """Clock ticks since boot; hundredths of a second since the epoch where there is no /proc."""
        self.cpu_ticks = cpu_ticks
        self.rss_bytes = rss_bytes
        self.threads = threads

    @property
    def is_dead(self) -> bool:
        """Ended, and only waiting to be reaped."""
        # With the main thread gone but others at work, the kernel says Z as well.
        return self.state in "ZXx" and self.threads <= 1

    def __repr__(self) -> str:
        return f"Proc({', '.join(f'{name}={getattr(self, name)!r}' for name in self.__slots__)})"
