"""Can a training have written a file? Told from how much its processes had written by when. Pure."""

from __future__ import annotations

_MAX_SAMPLES = 512
_MAX_FILES = 64
_SLACK_S = 4.0
"""Two looks."""
_CLOCK_S = 0.05
"""Filesystems' clocks lag behind by so much."""
_SLOWEST_BYTES_S = 50e6
_SHARE = 0.8
"""Of a file's size must have been written: some of it may be a hole."""


class WriteHistory:
    """How many bytes the processes of a training had written at each look.

    The system does not say who wrote a file. But whoever saved 10 MB has written 10 MB by then, which other
    programs that use the same folder make improbable: their files appear while this training wrote nothing.
    """

    def __init__(self, began: float) -> None:
        """`began` is when the training started, epoch seconds: it had written nothing then."""
        self._samples = [(began, 0)]
        self._taken: list[tuple[int, float]] = []
        """(size, time) of the files that it is known to have written: what filled one did not fill another."""

    def note(self, epoch: float, total: int | None) -> None:
        """So much had been written at this time; None where the system does not tell."""
        if total is None:
            return
        self._samples.append((epoch, max(total, self._samples[-1][1])))
        if len(self._samples) > _MAX_SAMPLES:
            del self._samples[1::2]  # what is long ago may be coarse

    def can_hold(self, size: int, written: float) -> bool:
        """Whether a file of this size, last written at this time (epoch seconds), can be the training's."""
        last, _ = self._samples[-1]
        written += _CLOCK_S
        if len(self._samples) == 1 or written > last:
            return True  # there is no telling
        start = _start(size, written)
        until, after = next((t, total) for t, total in self._samples if t >= written)
        taken = 0
        for other, t in sorted(self._taken, key=lambda file: -file[1]):
            # The same size at the same nanosecond is a hard link, which took no writing.
            if start <= t <= until and (other, t + _CLOCK_S) != (size, written):
                taken += other
                start = min(start, _start(other, t))
        before = max((total for t, total in self._samples if t <= start), default=0)
        return after - before - taken >= _SHARE * size

    def take(self, size: int, written: float) -> None:
        """A file of this size is the training's."""
        kept = [file for file in self._taken if file != (size, written)]
        self._taken = [*kept[-(_MAX_FILES - 1) :], (size, written)]


def _start(size: int, written: float) -> float:
    """When its writing began, at the earliest."""
    return written - _SLACK_S - size / _SLOWEST_BYTES_S
