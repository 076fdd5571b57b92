"""What a training leaves on the disk: looked at every few seconds, nothing of it loaded before the first look."""

from __future__ import annotations

from backprop_tui.supervisor.careful import beside

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from backprop_tui.model.spec import SliceSpec
    from backprop_tui.store.home import Home
    from backprop_tui.supervisor.clock import Clock
    from backprop_tui.supervisor.intake import Intake
    from backprop_tui.supervisor.recorder import Recorder
    from backprop_tui.supervisor.search import Search

REST = 100
"""A look that took long is followed by a rest of so many times its length."""
MAX_REST_S = 60.0
SOON_S = 0.5
"""While the run has no checkpoint, a look follows what is printed by this, not only every few seconds."""
LONG_ENOUGH_S = 1.0
"""A slice that ended sooner has left nothing to go on from."""


class Outputs:
    """When to look for what a slice writes without telling."""

    def __init__(
        self,
        spec: SliceSpec,
        recorder: Recorder,
        clock: Clock,
        *,
        home: Home,
        pids: Callable[[], tuple[int, ...]] = tuple,
        intake: Intake | None = None,
    ) -> None:
        """`pids` are the training's processes, none for a training that is over; `intake` takes metrics of files."""
        self._spec = spec
        self._recorder = recorder
        self._clock = clock
        self._home = home
        self._pids = pids
        self._intake = intake
        self._search: Search | None = None
        self._rests_until = 0.0
        self._soon = 0.0
        """When the next look before its time may be, monotonic seconds."""

    @beside("the files that the training writes")
    def look(self) -> None:
        """Look once, unless the last look took so long that it is too early."""
        if self._clock.monotonic() < self._rests_until:
            if self._search is not None:
                self._search.follow()
            return
        search = self._begun()  # which takes long, but once
        before = self._clock.monotonic()
        search.look(self._pids())
        after = self._clock.monotonic()
        self._soon = after + SOON_S
        self._rests_until = after + min(MAX_REST_S, REST * (after - before))

    def look_soon(self) -> None:
        """It has printed something, and may have saved its first checkpoint."""
        now = self._clock.monotonic()
        if now < max(self._soon, self._rests_until) or self._age_s() < LONG_ENOUGH_S:
            return
        if self._recorder.book.best_rank is None:
            self.look()

    @beside("the files that the training writes")
    def glance(self) -> None:
        """See what is being written right now, so that a stop does not cut it."""
        if self._age_s() >= LONG_ENOUGH_S:
            self._begun().glance()

    @beside("the files that the training writes")
    def look_once_more(self, *, is_cut: bool, ended: float | None = None) -> None:
        """Nothing of the training is left: what is not whole now never will be.

        Args:
            is_cut: it did not end by itself and well, so that what it wrote last may be unfinished.
            ended: when it ended, epoch seconds, if that is some time ago.
        """
        if self._search is not None or self._age_s() >= LONG_ENOUGH_S:
            self._begun().look_once_more(is_cut=is_cut, ended=ended)
        if self._intake is not None:
            self._intake.take_files([], (), is_last=True)

    def _age_s(self) -> float:
        piece = self._recorder.run.slice
        return 0.0 if piece is None else self._clock.epoch() - piece.started

    def _begun(self) -> Search:
        if self._search is None:
            from backprop_tui.supervisor.search import Search

            self._search = Search(self._spec, self._recorder, self._clock, self._home, self._intake)
        return self._search
