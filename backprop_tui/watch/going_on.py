"""How far a run that goes on by itself has come, in numbers and in words."""

from __future__ import annotations

from backprop_tui.governor import going_on
from backprop_tui.governor.going_on import goals_of, total_s_of
from backprop_tui.governor.progress import counted
from backprop_tui.watch.figures import duration

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.watch.record import Record


def trained_s(record: Record) -> float:
    """How long a run has trained in all its slices, without pauses, seconds."""
    slices, left_s = record.run.slices, record.left_s
    used = going_on.trained_s(record.run)
    if not slices or left_s is None:
        return used
    return used - slices[-1].used_s + max(0.0, slices[-1].box_s - left_s)


def slices_of(record: Record) -> tuple[int, int | None]:
    """The slices that count up to now, one in progress among them, and how many were asked for, if anybody said so.

    One that crashed or gave way to others does not count, just as where the Governor decides what follows.
    """
    run, spec = record.run, record.spec
    most = None if spec is None else spec.setting_or("slices", None)
    if run.slice is None or run.state.is_ended:
        return len(counted(run.slices)), most
    return len(counted(run.slices[:-1])) + 1, most


def going_on_text(record: Record) -> str:
    """What is there of all that was asked for; "" of a run that was to end with its slice.

    Of a run in progress such as "slice 3 of 6, 1h20 of 3h00 trained, until loss<0.3", between two slices "3 of 6 slices
    done, …", and of one that does not go on any more "had 6 of 6 slices, 3h00 of 3h00 trained".
    """
    run, spec = record.run, record.spec
    if spec is None or not spec.is_chain:
        return ""
    parts = [_slices_text(record)]
    if (total_s := total_s_of(spec)) is not None:
        parts.append(f"{duration(trained_s(record))} of {duration(total_s)} trained")
    if (goals := goals_of(spec)) and not run.is_over:
        parts.append("until " + " or ".join(goal.text for goal in goals))
    return ", ".join(parts)


def _slices_text(record: Record) -> str:
    run, (count, most) = record.run, slices_of(record)
    if not run.state.is_ended:
        # One more than were asked for was started by a person.
        beyond = most is not None and count > most
        return f"slice {count}" + ("" if most is None else f", {most} were asked for" if beyond else f" of {most}")
    many = f"{count} of {most} slices" if most is not None else f"{count} slice{'s' if count != 1 else ''}"
    return f"had {many}" if run.is_over else f"{many} done"
