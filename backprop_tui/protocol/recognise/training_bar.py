"""Which of the bars that a training draws is the one that counts its steps."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from backprop_tui.protocol.recognise.bars import Bar


class TrainingBar:
    """Tells the training's own bar from those of evaluations and preparations that look the same.

    It is the one that training metrics come with. Before any came it is the one with the greatest total; a
    smaller one takes its place only when it is drawn from its beginning to its end twice with no other between.
    """

    def __init__(self) -> None:
        self.key = ""
        self.is_tied = False
        """Training metrics came with it."""
        self.epochs: int | None = None
        """By a bar around it that counts epochs."""
        self._of = 0
        self._n = 0
        self._epoch: int | None = None
        self._rival: Bar | None = None
        self._rival_passes = 0
        self._rival_begun = False
        """It is drawn from its beginning."""
        self._outer_key = ""

    def state(self) -> list[Any]:
        """What a reader that goes on with the same slice must know."""
        return [self.key, self._of, self._n, self.is_tied]

    def restore(self, state: object) -> None:
        """Go on where `state` was taken; nonsense is passed over."""
        if isinstance(state, list) and [type(one) for one in state] == [str, int, int, bool]:
            self.key, self._of, self._n, self.is_tied = state

    def accepts(self, bar: Bar) -> bool:
        """Whether this drawing is of the training's bar."""
        if bar.counts_epochs and self.key and self.key != bar.key:
            self.epochs = bar.of
            return False
        if bar.key != self.key and not self._takes_over(bar):
            return False
        self._n = bar.n
        self._epoch = bar.epoch
        self._rival, self._rival_passes = None, 0
        self.is_tied = self.is_tied or bar.has_measure
        return True

    def tie(self) -> bool:
        """A training metric without a step of its own was printed; True if another bar than before is meant."""
        rival = self._rival
        if rival is not None and self._n >= self._of and 0 < rival.n < (rival.of or 0):
            self._adopt(rival)
            self.is_tied = True
            return True
        self.is_tied = self.is_tied or bool(self.key)
        return False

    def _takes_over(self, bar: Bar) -> bool:
        if not self.key or (self._outer_key and self.key == self._outer_key):
            pass
        elif bar.epoch is not None and self._epoch is None and bar.has_measure and not self._of:
            pass  # it was drawn without an end before the epochs were counted
        elif bar.epoch is not None and bar.epoch == self._epoch and (bar.of or 0) < self._of:
            return False  # the same epoch's evaluation
        elif self.is_tied or not (bar.has_measure or (bar.of or 0) > self._of):
            rival = self._rival
            if rival is None or rival.key != bar.key:
                self._rival_passes, self._rival_begun = 0, bar.n == 0
            elif bar.n < rival.n:
                # The last drawing of a bar may come once more, after another bar.
                self._rival_passes += self._rival_begun
                self._rival_begun = bar.n == 0
            self._rival = bar
            if not self._rival_passes:
                return False
        self._adopt(bar)
        return True

    def _adopt(self, bar: Bar) -> None:
        self._outer_key = bar.key if bar.counts_epochs else ""
        self.key, self._of = bar.key, bar.of or 0
