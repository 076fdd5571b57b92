"""The time box of a slice: running time only, counted on the monotonic clock. Pure."""

from __future__ import annotations


class TimeBox:
    """Counts a slice's running time against its limit; all times are monotonic seconds."""

    def __init__(self, limit_s: float, now: float) -> None:
        self.limit_s = limit_s
        self._used_s = 0.0
        self._paused_s = 0.0
        self._since = now
        self._is_paused = False

    def used_s(self, now: float) -> float:
        """Running time without pauses."""
        return self._used_s + (0.0 if self._is_paused else now - self._since)

    def paused_s(self, now: float) -> float:
        return self._paused_s + (now - self._since if self._is_paused else 0.0)

    def left_s(self, now: float) -> float:
        """Time until the box ends, negative once it is over."""
        return self.limit_s - self.used_s(now)

    def pause(self, now: float) -> None:
        """Stand still from `now` on."""
        if not self._is_paused:
            self._used_s += now - self._since
            self._since, self._is_paused = now, True

    def resume(self, now: float) -> None:
        """Go on counting."""
        if self._is_paused:
            self._paused_s += now - self._since
            self._since, self._is_paused = now, False

    def extend(self, by_s: float, now: float) -> None:
        """Move the end; never to less than what is used already."""
        self.limit_s = max(self.limit_s + by_s, self.used_s(now))

    def clocks(self, now: float) -> dict[str, float]:
        """How long the slice has trained and stood still so far, seconds, as the record has it."""
        return {"used_s": round(self.used_s(now), 3), "paused_s": round(self.paused_s(now), 3)}

    def ends_at(self, now: float) -> float | None:
        """The monotonic moment at which the box is over; None while it stands still."""
        return None if self._is_paused else now + self.left_s(now)


def in_minutes(seconds: float) -> str:
    """A length of time as people read it: "18 s", "10:00", "1h30"."""
    whole = round(seconds)
    if whole < 60:
        return f"{seconds:.3g} s"
    return f"{whole // 3600}h{whole % 3600 // 60:02d}" if whole >= 3600 else f"{whole // 60}:{whole % 60:02d}"
