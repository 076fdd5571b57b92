"""The questions about the whole box: let nothing new start, give the GPUs back for a while."""

from __future__ import annotations

import time

from backprop_tui.tui.screens.dialog import Choice, Dialog, Said
from backprop_tui.tui.screens.questions import CANCEL, KEEP
from backprop_tui.watch.figures import ago

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.control.steering import Concerned, Steered
    from backprop_tui.tui.draw.glyphs import Glyphs
    from backprop_tui.tui.palette import Palette

SHOWN = 5


class DrainDialog(Dialog):
    """Dismissed with yes, or with ""."""

    def __init__(self, palette: Palette, _glyphs: Glyphs, told: Steered) -> None:
        going = f"{_runs(len(told.runs))} finish{'es' if len(told.runs) == 1 else ''} the slice in hand"
        said = [
            Said(text="No slice starts on this box until the drain is ended."),
            Said(text=f"{going}; {_runs(told.waiting)} wait{'s' if told.waiting == 1 else ''} in the queue."),
            Said(text="It holds for all of your runs, whoever starts them. H ends it.", style="muted"),
        ]
        super().__init__(palette, "Drain this box?", said, [CANCEL, Choice(key="y", label="Drain", value="yes")])


class YieldDialog(Dialog):
    """Dismissed with minutes, or with ""."""

    def __init__(self, palette: Palette, glyphs: Glyphs, told: Steered) -> None:
        said = [_line(run, glyphs) for run in told.runs[:SHOWN]]
        if len(told.runs) > SHOWN:
            said.append(Said(text=f"and {len(told.runs) - SHOWN} more", style="muted"))
        if not said:
            said.append(Said(text="Nothing runs just now; nothing starts until then."))
        said += [
            Said(),
            Said(text="All of your runs on this box save and stop."),
            Said(text="They come back by themselves; Y brings them back earlier.", style="muted"),
        ]
        choices = [
            KEEP,
            Choice(key="y", label="30 min", value="30"),
            Choice(key="1", label="hour", value="60"),
            Choice(key="4", label="hours", value="240"),
        ]
        super().__init__(palette, "Give the GPUs back for a while?", said, choices)


def _line(run: Concerned, glyphs: Glyphs) -> Said:
    where = f"GPU {','.join(run.gpus)}" if run.gpus else "CPU"
    text = f"{glyphs.state('running')} {run.name or run.run_id}  {where}"
    if not run.is_known:
        return Said(text=f"{text}  what it has saved cannot be read", style="hold")
    if run.saved_t is None:
        return Said(text=f"{text}  no checkpoint seen yet: it begins anew if it saves none", style="bad")
    return Said(text=f"{text}  saved {ago(max(0.0, time.time() - run.saved_t))} ago")


def _runs(count: int) -> str:
    return f"{count or 'no'} run{'' if count == 1 else 's'}"
