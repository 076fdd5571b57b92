"""Whether a slice goes on from the ones before it. Nothing of what that takes is loaded before the first look."""

from __future__ import annotations

from backprop_tui.supervisor.careful import beside

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.model.spec import SliceSpec
    from backprop_tui.supervisor.lookback import Lookback
    from backprop_tui.supervisor.recorder import Recorder


class Continuity:
    """Of the newest slice of a run; the first one goes on from nothing."""

    def __init__(self, recorder: Recorder, path: str, spec: SliceSpec) -> None:
        """`path` is the run's metrics.jsonl."""
        self._recorder, self._path, self._spec = recorder, path, spec
        self._lookback: Lookback | None = None

    @beside("how the curve goes on")
    def look(self, *, final: bool = False) -> None:
        """Record what can be said by now; at the end of the slice what there is to say."""
        if self._spec.n == 1:
            return
        if self._lookback is None:
            from backprop_tui.supervisor.lookback import Lookback

            self._lookback = Lookback(self._recorder, self._path, self._spec)
        self._lookback.look(final=final)
