"""scripts.json: how scripts took up their checkpoints and what they needed, remembered beside the runs."""

from __future__ import annotations

import os

from backprop_tui import files
from backprop_tui.frozen import Frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from backprop_tui.store.home import Home

KEPT_SCRIPTS = 500
KEPT_REFUSALS = 8
KEPT_PEAKS = 5
LOCK_WAIT_S = 2.0
_VERSION = 1
_MAX_BYTES = 4 * 1024 * 1024
_MAX_TEXT = 4096


class Refusal(Frozen):
    """A way of handing over a checkpoint that a script did not know."""

    template: str
    digest: str
    """Of the script's sources then: what has changed may be tried again."""
    said: str
    """The script's own words."""


class ScriptMemory(Frozen):
    """What is remembered of one script."""

    template: str = ""
    """What it took up a checkpoint by, "" for nothing."""
    digest: str = ""
    """Of its sources then."""
    refused: tuple[Refusal, ...] = ()
    """Oldest first."""
    gpu_peaks: tuple[int, ...] = ()
    """The most that each of the last few slices took on one GPU, bytes, oldest first: what it needed with other
    arguments is forgotten after a while."""
    checkpoint_bytes: int | None = None
    """Size of its last checkpoint."""

    def refusal_of(self, template: str, digest: str) -> Refusal | None:
        """Whether the script, as it is now, is known to refuse this."""
        return next((r for r in self.refused if (r.template, r.digest) == (template, digest)), None)


def recall(home: Home, script: str) -> ScriptMemory:
    """What is known of the script of this path; nothing where the file cannot be read."""
    entry = _read(home, script).get(script)
    return _memory_from(entry) if isinstance(entry, dict) else ScriptMemory()


def remember_taken(home: Home, script: str, template: str, digest: str, t: float) -> None:
    """The script took up a checkpoint so; `t` is epoch seconds.

    Raises:
        OSError, TimeoutError: it cannot be written.
    """
    _change(
        home,
        script,
        t,
        lambda known: known.replace(
            template=template, digest=digest, refused=tuple(r for r in known.refused if r.template != template)
        ),
    )


def remember_refused(home: Home, script: str, refusal: Refusal, t: float) -> None:
    """The script did not know this; raises as `remember_taken`."""

    def changed(known: ScriptMemory) -> ScriptMemory:
        others = [r for r in known.refused if r.template != refusal.template]
        refused = (*others[-(KEPT_REFUSALS - 1) :], refusal)
        if known.template == refusal.template:
            return known.replace(template="", digest="", refused=refused)
        return known.replace(refused=refused)

    _change(home, script, t, changed)


def remember_needs(home: Home, script: str, *, gpu_peak: int | None, checkpoint_bytes: int | None, t: float) -> None:
    """What a slice of the script took, None for what is not known; raises as `remember_taken`."""

    def changed(known: ScriptMemory) -> ScriptMemory:
        if gpu_peak is not None:
            known = known.replace(gpu_peaks=(*known.gpu_peaks, gpu_peak)[-KEPT_PEAKS:])
        if checkpoint_bytes is not None:
            known = known.replace(checkpoint_bytes=checkpoint_bytes)
        return known

    _change(home, script, t, changed)


def _change(home: Home, script: str, t: float, change: Callable[[ScriptMemory], ScriptMemory]) -> None:
    if len(script) > _MAX_TEXT:
        return
    lock = files.FileLock(os.path.join(home.path, ".scripts.lock"))
    lock.acquire(LOCK_WAIT_S)
    try:
        scripts = _read(home)
        entry = scripts.get(script)
        known = _memory_from(entry) if isinstance(entry, dict) else ScriptMemory()
        scripts[script] = {**change(known).plain(), "t": round(t, 3)}
        newest = sorted(scripts.items(), key=lambda item: _time_of(item[1]))[-KEPT_SCRIPTS:]
        files.write_atomic(_path(home), files.to_json({"version": _VERSION, "scripts": dict(newest)}, indent=2))
    finally:
        lock.release()


def _path(home: Home) -> str:
    return os.path.join(home.path, "scripts.json")


def _read(home: Home, script: str = "") -> dict[str, Any]:
    """By script; what a person or a newer version made of the file never stands in the way.

    Where only one `script` matters and the file has no word of it, it is not parsed.
    """
    try:
        data = files.read_bytes(_path(home), _MAX_BYTES)
        if script and _is_plain(script) and script.encode() not in data:
            return {}
        content = files.from_json(data)
    except (OSError, ValueError, RecursionError):
        return {}
    scripts = content.get("scripts") if isinstance(content, dict) else None
    return scripts if isinstance(scripts, dict) else {}


def _is_plain(script: str) -> bool:
    """Whether JSON writes it as it is."""
    return script.isascii() and script.isprintable() and not {'"', "\\"}.intersection(script)


def _time_of(entry: object) -> float:
    t = entry.get("t") if isinstance(entry, dict) else None
    return float(t) if isinstance(t, (int, float)) else 0.0


def _memory_from(entry: dict[str, Any]) -> ScriptMemory:
    refused, peaks = entry.get("refused"), entry.get("gpu_peaks")
    return ScriptMemory(
        template=_text(entry, "template"),
        digest=_text(entry, "digest"),
        refused=tuple(
            Refusal(template=_text(item, "template"), digest=_text(item, "digest"), said=_text(item, "said"))
            for item in (refused if isinstance(refused, list) else ())
            if isinstance(item, dict)
        )[-KEPT_REFUSALS:],
        gpu_peaks=tuple(size for size in map(_size, peaks if isinstance(peaks, list) else ()) if size)[-KEPT_PEAKS:],
        checkpoint_bytes=_size(entry.get("checkpoint_bytes")),
    )


def _size(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 1 << 60 else None


def _text(entry: dict[str, Any], key: str) -> str:
    value = entry.get(key)
    return value if isinstance(value, str) and len(value) <= _MAX_TEXT else ""
