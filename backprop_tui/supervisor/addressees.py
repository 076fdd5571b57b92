"""Who of a training is sent its stop signal. Pure."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from backprop_tui.probes.proc import Proc

    Test = Callable[[Proc], bool]

_PLAIN, _BELOW_SPARED, _BELOW_TOLD = range(3)
"""Where a process stands: below a launcher that is left out, or below one that passes the signal on."""


def addressees(
    members: Sequence[Proc], group: int, *, catches: Test, is_helper: Test, is_launcher: Test
) -> tuple[list[Proc], list[Proc]]:
    """Who is sent the signal, and who of the training must not get it from us.

    The signal is for the whole process group; whoever it is that trains is in there. Left out is only what is
    known not to train: a launcher that does not know the signal would die of it, and a data loader's worker too, or
    save once more what its parent saves. A launcher that knows it passes it on to all below it.

    Args:
        members: the training's processes.
        group: its process group.
        catches: whether one of them has a handler for the signal.
        is_helper: whether it is a worker of its parent.
        is_launcher: whether it starts trainings, and does nothing else.
    """
    pids = {member.pid for member in members}
    children: dict[int, list[Proc]] = {}
    for member in members:
        children.setdefault(member.ppid, []).append(member)
    waiting = [(member, _PLAIN, False) for member in members if member.ppid not in pids]
    told, spared, seen = [], [], set()
    while waiting:
        member, place, may_help = waiting.pop(0)
        if member.pid in seen:
            continue
        seen.add(member.pid)
        knows = catches(member)
        is_spared = is_worker = may_help and is_helper(member)
        if place == _BELOW_TOLD:
            is_spared = True
        elif not is_worker and is_launcher(member):
            is_spared = not knows and _is_caught_below(member, children, catches, is_helper)
            place = _BELOW_SPARED if is_spared else _BELOW_TOLD if knows else place
        if is_spared:
            spared.append(member)
        elif member.pgid == group or (place == _BELOW_SPARED and knows):
            told.append(member)
        # The worker of a parent that dies of the signal is not spared: it may be what trains.
        waiting += [(child, place, knows or is_worker) for child in children.get(member.pid, ())]
    return [*told, *(one for one in members if one.pid not in seen and one.pgid == group)], spared


def _is_caught_below(launcher: Proc, children: dict[int, list[Proc]], catches: Test, is_helper: Test) -> bool:
    waiting, seen = [launcher], {launcher.pid}
    while waiting:
        for child in children.get(waiting.pop().pid, ()):
            if child.pid in seen or is_helper(child):
                continue
            if catches(child):
                return True
            seen.add(child.pid)
            waiting.append(child)
    return False
