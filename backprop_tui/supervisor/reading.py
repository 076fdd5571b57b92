"""How the output of a slice is read: by its settings, by what the slice before left, within bounded time."""

from __future__ import annotations

from backprop_tui.protocol.reading import Reading, Rules

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.model.run import Run
    from backprop_tui.model.spec import SliceSpec
    from backprop_tui.protocol.parse import Found
    from backprop_tui.supervisor.patience import Impatience

TOO_SLOW = "metrics.pattern took too long on a line of the output: it is not used any more in this slice"
_KEYS = {"without": "metrics.without", "pattern": "metrics.pattern"}


class BoundedReading(Reading):
    """A reading whose person's pattern is given up when it takes too long; only in the main thread."""

    _impatience: Impatience | None = None

    def feed(self, lines: list[str]) -> list[Found]:
        if self.has_pattern and self._impatience is None:
            from backprop_tui.protocol.recognise.pattern import read_pattern
            from backprop_tui.supervisor.patience import Impatience

            self._impatience = Impatience(read_pattern.__code__)
        try:
            return super().feed(lines)
        except TimeoutError:
            self.problem = TOO_SLOW
            self.forget_pattern()
            self.close()
            return super().feed([])

    def close(self) -> None:
        """Nothing more is read."""
        if self._impatience is not None:
            self._impatience.close()
            self._impatience = None


def reading_of(spec: SliceSpec, run: Run) -> BoundedReading:
    """The reader of a slice that begins."""
    return BoundedReading(rules_of(spec), run.reading, spec.resume_step)


def rest_of(spec: SliceSpec, run: Run) -> BoundedReading:
    """The reader of what a slice printed after its supervisor was gone; a person's pattern only where it is bounded."""
    import threading

    rules = rules_of(spec)
    can_bound = threading.current_thread() is threading.main_thread()
    if TOO_SLOW in run.warnings or not can_bound:
        rules = rules.replace(pattern=None)
    return BoundedReading(rules, run.reading, spec.resume_step, goes_on=True)


def rules_of(spec: SliceSpec) -> Rules:
    """The rules for a slice; records of earlier versions lack these settings."""
    found = {name: spec.settings[key].value for name, key in _KEYS.items() if key in spec.settings}
    return Rules(without=tuple(found.get("without") or ()), pattern=found.get("pattern"))
