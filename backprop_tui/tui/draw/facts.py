"""Sections about a run: facts, resources, checkpoints, the Governor's decisions, output."""

from __future__ import annotations

from backprop_tui.model.secrets import masked_args
from backprop_tui.tui.draw import graphs
from backprop_tui.tui.draw.answer import checkpoint_at
from backprop_tui.tui.draw.chain import person
from backprop_tui.tui.draw.ending import main_label, value_at
from backprop_tui.tui.draw.output import line_style
from backprop_tui.tui.draw.place import clock, exactly, wrapped
from backprop_tui.watch.figures import NONE, count, gigabytes, loss, rate, room
from backprop_tui.watch.going_on import going_on_text
from backprop_tui.watch.hooks import hook_text
from backprop_tui.watch.metrics import label

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from backprop_tui.model.run import Checkpoint, Resources, Run, Seam, Slice
    from backprop_tui.model.samples import GpuSample
    from backprop_tui.tui.detail import Detail
    from backprop_tui.tui.draw.line import Line
    from backprop_tui.tui.draw.place import Place
    from backprop_tui.watch.record import Record

NO_OUTPUT = "It has printed nothing yet."
NO_CHECKPOINT = "No checkpoint seen yet. Without one this run would begin anew."
NO_EVENTS = "The Governor has not stepped in."
LABEL = 12
TELLING = 3


def pairs(rows: list[tuple[str, str]], place: Place) -> list[Line]:
    """Names and values, one below the other."""
    return [
        place.line().put(1, name, "muted").put(LABEL + 1, text or NONE, room=place.width - LABEL - 2)
        for name, text in rows
    ]


def facts(detail: Detail, record: Record, place: Place) -> list[Line]:
    """What kind of run it is."""
    run, spec, newest = record.run, record.spec, record.run.slice
    rows = []
    if detail.speed is not None:
        rows.append(("Speed", f"{rate(detail.speed)} steps/s"))
    saved = checkpoint_at(record, place)
    rows.append(("Saved", f"{saved}; {run.checkpoint_count} in all" if saved else "nothing"))
    if best := best_words(run):
        rows.append(("Best", best))
    if newest is not None:
        rows.append(("GPU", _gpu_words(newest, place)))
        rows.append(("Slice", f"{newest.n} of this run, started {clock(newest.started)}"))
        if newest.seam is not None:
            rows.append(("Seam", seam_words(newest.seam)))
    rows += governing(record, place)
    if spec is not None:
        rows.append(("Script", spec.command[0]))
        rows.append(("Args", " ".join(masked_args(spec.command[1:]))))
        if spec.git:
            rows.append(("Git", git_words(spec.git)))
    if record.notes.tags:
        rows.append(("Tags", " ".join(record.notes.tags)))
    if record.notes.note:
        rows.append(("Note", record.notes.note))
    if run.state.is_ended:
        rows += [("Warning", text) for text in run.warnings[-1:]]
    return [place.band("FACTS"), *pairs(rows, place)]


def governing(record: Record, place: Place | None = None) -> list[tuple[str, str]]:
    """What the Governor keeps to: how the run goes on, who holds it, its place, its memory limit.

    With a place, what is too long for one of its lines goes on in the next.
    """
    run, spec = record.run, record.spec
    text = going_on_text(record)
    rows = [("Had", text.removeprefix("had ")) if run.is_over else ("Goes on", text)] if text else []
    if run.held:
        rows.append(("Held", f"by {person(run.held)}; h releases it"))
    if spec is not None and (priority := spec.setting_or("priority", 0)):
        rows.append(("Priority", f"{priority:+d} in the queue"))
    if run.memory_limit is not None:
        rows.append(("VRAM limit", run.memory_limit.text))
    if place is None:
        return rows
    room = max(8, place.width - LABEL - 2)
    return [("" if n else name, part) for name, text in rows for n, part in enumerate(wrapped(text, room)[:TELLING])]


def best_words(run: Run) -> str:
    """The best value of the metric that speaks for the run."""
    main = run.main
    best = None if main is None else run.best_score if run.loss is None else run.best_loss
    return "" if main is None or best is None else f"{label(main[0])} {loss(best)}"


def seam_words(seam: Seam) -> str:
    """What is known of a seam, in a few words."""
    levels = f", {seam.before:.3g} to {seam.after:.3g}" if seam.before is not None and seam.after is not None else ""
    return f"{seam.verdict}{levels}" + (f", {count(seam.redone)} redone" if seam.redone else "")


def resources(detail: Detail, record: Record, place: Place) -> list[Line]:
    """What it uses: the last minutes as a line, now, at most, and what there is."""
    used, box, ended = record.run.resources, place.box, record.run.state.is_ended
    if not used.peak_rss_bytes and not used.processes:
        return []
    title = place.band("RESOURCES")
    columns = _columns(place)
    for at, text in zip(columns, ("last" if ended else "now", "peak", "limit"), strict=True):
        title.put(at, text, "title", room=6, right=True)
    out = [title]
    gpu = _gpu(record.run.slice, place) if not ended else None
    if gpu is not None and gpu.util_percent is not None:
        out.append(_used(place, f"GPU {gpu.index} util", (), (f"{gpu.util_percent}%", "", "")))
    history = detail.used
    if (now := _vram(used)) is not None:
        line = [float(value) for seen in history if (value := _vram(seen)) is not None]
        kept = record.run.memory_limit
        limit = _size(kept.bytes) if kept is not None else _size(gpu.total_bytes) if gpu is not None else ""
        peak = max([float(now), *line])
        out.append(_used(place, "VRAM", line, (_size(now), _size(peak), limit)))
    total = box.host.ram_total_bytes if box is not None else None
    ram = [float(seen.rss_bytes) for seen in history]
    out.append(_used(place, "RAM", ram, (_size(used.rss_bytes), _size(used.peak_rss_bytes), _size(total))))
    cores = [seen.cpu_cores for seen in history]
    most = max([used.cpu_cores, *cores])
    limit = str(box.host.cores) if box is not None else ""
    out.append(_used(place, "CPU cores", cores, (f"{used.cpu_cores:.1f}", f"{most:.1f}", limit)))
    return out


def _vram(used: Resources) -> int | None:
    """What the run itself uses, or where that cannot be told what is used of its GPUs."""
    return used.gpu_used_bytes if used.gpu_tree_bytes is None else used.gpu_tree_bytes


def checkpoints(detail: Detail, record: Record, place: Place, most: int) -> list[Line]:
    """The newest checkpoints, under a title with the names of their columns."""
    run = record.run
    title = place.band(f"CHECKPOINTS {run.checkpoint_count}" if run.checkpoint_count else "CHECKPOINTS")
    if not run.checkpoints:
        return [title, *place.text(NO_CHECKPOINT, "muted")]
    title.put(19, "saved", "title").put(29, "size", "title", room=5, right=True)
    title.put(36, main_label(detail), "title", room=6)
    shown = list(reversed(run.checkpoints))[:most]
    return [title, *(checkpoint(detail, found, place, is_newest=n == 0) for n, found in enumerate(shown))]


def checkpoint(detail: Detail, found: Checkpoint, place: Place, *, is_newest: bool) -> Line:
    """One checkpoint in a narrow column."""
    word, style = verdict(found, detail)
    line = place.line().put(1, place.glyphs.saved, style)
    line.put(3, f"step {count(found.step)}" if found.step is not None else found.path.rpartition("/")[2], room=15)
    line.put(19, clock(found.t), "muted").put(28, room(found.size), room=6, right=True)
    value = value_at(detail, float(found.step)) if found.step is not None else None
    line.put(36, loss(value) if value is not None else "", room=6)
    if word != "whole":
        return line.put(43, word, style, room=max(0, place.width - 44))
    return line.put(43, "latest" if is_newest else "", "muted", room=max(0, place.width - 44))


def verdict(found: Checkpoint, detail: Detail) -> tuple[str, str]:
    """whole, damaged, gone, or not looked at yet; with its style."""
    if found.kind == "missing" or found.path in detail.gone:
        return "gone", "bad"
    if found.good is None:
        return "unchecked", "muted"
    return ("whole", "ok") if found.good else ("damaged", "bad")


def governor(detail: Detail, place: Place, most: int) -> list[Line]:
    """What backprop decided and did, newest first."""
    title = place.band("GOVERNOR")
    shown = [event for event in reversed(detail.events) if _is_decision(event)][:most]
    if not shown:
        return [title, *place.text(NO_EVENTS, "muted")]
    return [title, *(event(entry, place) for entry in shown)]


def _is_decision(entry: dict[str, Any]) -> bool:
    """Whether it says more than that one thing follows the other."""
    if entry.get("event") == "state":
        return isinstance(entry.get("reason"), dict)
    return entry.get("event") not in ("script", "signal")


def event(entry: dict[str, Any], place: Place) -> Line:
    """One event: when, and what in words."""
    t = entry.get("t")
    line = place.line().put(1, clock(t) if isinstance(t, (int, float)) else "", "muted")
    return line.put(10, event_words(entry), _event_style(entry), room=place.width - 11)


def event_words(entry: dict[str, Any]) -> str:
    """What an event says."""
    kind = str(entry.get("event", ""))
    reason = entry.get("reason")
    text = str(entry.get("text") or (reason.get("text") if isinstance(reason, dict) else "") or "")
    if kind == "state":
        return f"{entry.get('state')}{': ' if text else ''}{text}"
    if kind == "signal":
        return f"{entry.get('signal')} was sent ({entry.get('rung')})"
    if kind == "request":
        who = f" by {entry['who']}" if entry.get("who") else ""
        return f"{entry.get('verb')}{who}{'' if entry.get('ok') else ' refused'}{': ' if text else ''}{text}"
    if kind == "script":
        return f"the script says {entry.get('name')}"
    if kind == "hook":
        return f"hook {hook_text(entry)}"
    if kind == "held":
        return f"held by {person(str(entry['by']))}" if entry.get("by") else "released"
    if kind == "log_freed":
        return "the middle of its output was freed: it has grown beyond the limit"
    return text or kind


def output(detail: Detail, place: Place, *, title: str = "LOG") -> list[Line]:
    """The newest output, under its title; exactly as high as its place."""
    head = [place.band(title)] if title else []
    most = max(0, place.height - len(head))
    said = detail.lines[-most:] if most else ()
    lines = [place.line().put(1, text, line_style(text), room=place.width - 2) for text in said]
    if not detail.lines:
        lines = place.text(NO_OUTPUT, "muted")
    return exactly([*head, *lines], place.height, place.width)


def git_words(git: dict[str, str]) -> str:
    """Commit and branch."""
    commit, branch = git.get("commit", "")[:7], git.get("branch", "")
    return f"{commit} on {branch}" if commit and branch else commit or branch


def _columns(place: Place) -> tuple[int, int, int]:
    end = place.width - 1
    return end - 21, end - 14, end - 6


def _used(place: Place, name: str, history: Sequence[float], texts: tuple[str, str, str]) -> Line:
    columns = _columns(place)
    line = place.line().put(1, name, "muted", room=11)
    wide = min(24, columns[0] - 13)
    if wide >= 4 and len(history) > 1:
        line.put(12, graphs.spark(history[-2 * wide :], wide, place.glyphs), "bar")
    for at, text in zip(columns, texts, strict=True):
        line.put(at, text, "muted" if at == columns[2] else "", room=6, right=True)
    return line


def _size(value: float | None) -> str:
    return "" if value is None else f"{gigabytes(value)}G" if value >= 1 << 30 else room(value)


def _gpu(newest: Slice | None, place: Place) -> GpuSample | None:
    if place.box is None or newest is None:
        return None
    return next((gpu for gpu in place.box.gpus.gpus if gpu.index in newest.gpus), None)


def _gpu_words(newest: Slice, place: Place) -> str:
    gpu = _gpu(newest, place)
    index = ",".join(newest.gpus) or "none, it runs on the CPU"
    return f"{index}, {gpu.name}" if gpu is not None else index


def _event_style(entry: dict[str, Any]) -> str:
    if entry.get("event") == "state" and entry.get("state") in ("failed", "diverged", "lost"):
        return "bad"
    is_odd = entry.get("ok") is False or entry.get("verdict") == "suspicious"
    return "hold" if is_odd or entry.get("event") in ("warning", "guard") else ""
