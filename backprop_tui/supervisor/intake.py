"""Takes up what a slice tells of itself, by its output and by its metric files."""

from __future__ import annotations

from backprop_tui.supervisor.metric_source import FILES, OUTPUT, MetricSource

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.model.events import Metric
    from backprop_tui.model.spec import SliceSpec
    from backprop_tui.protocol.parse import Found
    from backprop_tui.protocol.reading import Reading
    from backprop_tui.supervisor.clock import Clock
    from backprop_tui.supervisor.recorder import Recorder


class Intake:
    """Between those who read and the record: one source of metrics counts."""

    def __init__(self, recorder: Recorder, reading: Reading, clock: Clock, *, follows_files: bool = True) -> None:
        self._recorder = recorder
        self._reading = reading
        self._clock = clock
        self._source = MetricSource(follows_files=follows_files, before=recorder.run.metric_sources)
        self._end: int | None = None
        """Where the output is read to."""
        self._kinds: tuple[str, ...] = ()
        """Of the files that have points."""
        self.has_files = False
        """Metric files are written, whatever is in them by now."""

    @property
    def wants_files(self) -> bool:
        """Whether what files say may count."""
        return self._source.chosen in ("", FILES)

    def feed(self, lines: list[str]) -> None:
        """More lines of the output."""
        found = self._reading.feed(lines)
        if self._reading.problem:
            self._recorder.warn(self._reading.problem)
        if found:
            self._take(found)

    def read_to(self, end: int) -> None:
        """All before this byte of the output was fed; recorded once nothing of it waits.

        Whoever goes on after this supervisor was killed reads from there, so what waits must lie behind it.
        """
        self._end = end
        self._amend_end()

    def rest(self, open_line: str = "") -> None:
        """Nothing was printed for a moment: what the reader held back."""
        found = self._reading.rest(open_line)
        if found:
            self._take(found)

    def take_files(self, metrics: list[Metric], kinds: tuple[str, ...], *, is_last: bool = False) -> None:
        """Points of metric files of these kinds; called with none as well: what waits may be due."""
        source, self._kinds = self._source, kinds or self._kinds
        metrics = source.of_files(metrics, self._clock.monotonic(), is_last=is_last)
        if metrics:
            self._recorder.take(metrics, is_late=source.has_one_axis)
            if self._kinds != self._recorder.run.metric_sources:
                self._recorder.amend(metric_sources=self._kinds)
        elif printed := source.late():
            self._recorder.take(printed)
        self._amend()

    def _take(self, found: list[Found]) -> None:
        self._recorder.take(self._source.of_output(found, self._clock.monotonic()))
        self._amend()

    def _amend(self) -> None:
        if self._source.holds_printed:
            return
        self._amend_end()
        reading, run = self._reading, self._recorder.run
        if reading.context != run.reading:
            self._recorder.amend(reading=dict(reading.context))
        if self._source.chosen == OUTPUT and reading.sources and reading.sources != run.metric_sources:
            self._recorder.amend(metric_sources=reading.sources)

    def _amend_end(self) -> None:
        end = self._end
        if end is not None and end != self._recorder.run.output_bytes and not self._source.holds_printed:
            self._recorder.amend(output_bytes=end)


def follows_files(spec: SliceSpec) -> bool:
    """Whether a slice's metric files are read; records of earlier versions lack the setting."""
    found = spec.settings.get("metrics.files")
    return found is None or bool(found.value)
