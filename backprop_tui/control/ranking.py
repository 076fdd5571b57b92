"""In which order a run's checkpoints are tried when it goes on."""

from __future__ import annotations

import os

from backprop_tui.artifacts.names import WHOLE, rank_of
from backprop_tui.artifacts.verdict import FORMLESS, judge, stamp_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.artifacts.verdict import Verdict
    from backprop_tui.model.run import Checkpoint
    from backprop_tui.store.folder import RunFolder

LOOK_BACK = 1000
"""How many checkpoints are walked back through, at most."""


def newest_first(folder: RunFolder) -> list[Checkpoint]:
    """The checkpoints to go on from, best first: the newest; bare weights and the best so far only after all others.

    Copies that are no longer kept are left out.
    """
    newest = folder.checkpoints(LOOK_BACK)[::-1]
    reported = {c.path for c in newest if c.found == "event"}
    kept = [c for c in newest if c.found != "copy" or stamp_of(c.path) is not None]
    return sorted(kept, key=lambda c: _rank(c, reported))


def _rank(checkpoint: Checkpoint, reported: set[str]) -> int:
    """What the script itself reports is what it goes on from; a copy is as fit for it as its original."""
    if checkpoint.path in reported or checkpoint.copy_of in reported:
        return WHOLE
    return rank_of(os.path.basename(checkpoint.path))


def verdict_on(checkpoint: Checkpoint) -> Verdict:
    """What is to be said of a checkpoint now.

    What nothing in it shows is what its run's supervisor saw: that it was cut in the middle.
    """
    verdict = judge(checkpoint.path)
    if verdict.good and checkpoint.good is False and verdict.kind in FORMLESS and verdict.size == checkpoint.size:
        return verdict.replace(good=False, why=checkpoint.why)
    return verdict
