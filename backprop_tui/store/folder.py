"""One run's folder: every file of it is read and written through here."""

from __future__ import annotations

import os

from backprop_tui import files
from backprop_tui.errors import StoreError
from backprop_tui.model.run import Notes
from backprop_tui.store.format import to_record
from backprop_tui.store.problems import cannot_write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from backprop_tui.model.run import Checkpoint, Run
    from backprop_tui.model.spec import SliceSpec

_TAIL = 256 * 1024


class RunFolder:
    """runs/<id>/"""

    def __init__(self, path: str) -> None:
        self.path = path
        self.id = os.path.basename(path)

    def file(self, name: str) -> str:
        """The path of one of its files."""
        return os.path.join(self.path, name)

    def read_run(self) -> Run:
        """state.json.

        Raises:
            StoreError: it is missing, broken, or of a newer backprop.
        """
        from backprop_tui.store.codec import run_from

        return run_from(self._json("state.json"), self.file("state.json"))

    def write_run(self, run: Run, *, durable: bool = False) -> None:
        files.write_atomic(self.file("state.json"), files.to_json(to_record(run)), durable=durable)

    def read_spec(self, n: int | None = None) -> SliceSpec:
        """spec-<n>.json, the newest by default.

        Raises:
            StoreError: it is missing, broken, or of a newer backprop.
        """
        if n is None:
            numbers = self.spec_numbers()
            if not numbers:
                raise StoreError(f"run {self.id} has no spec: it was never started")
            n = numbers[-1]
        name = f"spec-{n}.json"
        from backprop_tui.store.codec import spec_from

        return spec_from(self._json(name), self.file(name))

    def write_spec(self, spec: SliceSpec) -> None:
        """Once and for all, by the holder of the run's lock.

        The spec of a slice that never got as far as state.json is replaced: its start died in between.

        Raises:
            StoreError: this slice exists, or the spec cannot be written.
        """
        path = self.file(f"spec-{spec.n}.json")
        if os.path.lexists(path) and self._has_slice(spec.n):
            raise StoreError(f"{path} exists already", hint="another backprop resumed this run")
        try:
            files.write_atomic(path, files.to_json(to_record(spec)))
        except OSError as error:
            raise cannot_write(path, error)

    def _has_slice(self, n: int) -> bool:
        try:
            return any(piece.n == n for piece in self.read_run().slices)
        except StoreError:
            return False

    def spec_numbers(self) -> list[int]:
        """The slices that were asked for, in order."""
        try:
            names = os.listdir(self.path)
        except OSError:
            return []
        found = (name[5:-5] for name in names if name.startswith("spec-") and name.endswith(".json"))
        return sorted(int(text) for text in found if text.isdecimal() and len(text) < 10)

    def read_notes(self) -> Notes:
        """notes.json; without one there is nothing to say."""
        if not os.path.lexists(self.file("notes.json")):
            return Notes()
        from backprop_tui.store.codec import notes_from

        return notes_from(self._json("notes.json"), self.file("notes.json"))

    def write_notes(self, notes: Notes) -> None:
        files.write_atomic(self.file("notes.json"), files.to_json(to_record(notes)))

    def read_guard(self) -> dict[str, Any] | None:
        """guard.json, None when the guard never had to act."""
        try:
            return self._json("guard.json")
        except StoreError:
            return None

    def events(self, limit: int = 1000) -> list[dict[str, Any]]:
        """The newest events, oldest first."""
        return list(_last_lines(self.file("events.jsonl"), limit))

    def events_size(self) -> int:
        """How long events.jsonl is."""
        try:
            return os.stat(self.file("events.jsonl")).st_size
        except OSError:
            return 0

    def events_after(self, start: int) -> tuple[int, list[dict[str, Any]]]:
        """The events whose lines begin at an offset or behind it; and where to go on."""
        try:
            with open(self.file("events.jsonl"), "rb") as file:
                file.seek(start)
                data = file.read(_TAIL * 64)
        except OSError:
            return start, []
        whole = data.rfind(b"\n") + 1
        return start + whole, [entry for line in data[:whole].splitlines() if (entry := _entry(line)) is not None]

    def checkpoints(self, limit: int = 20) -> list[Checkpoint]:
        """The newest checkpoints with their last verdict, oldest first."""
        from backprop_tui.model.ordering import in_order

        newest: dict[str, Checkpoint] = {}
        for found in reversed(self._verdicts(4 * limit)):
            newest.setdefault(found.path, found)
        return in_order(newest.values())[-limit:]

    def saves(self, path: str, limit: int = 1000) -> int:
        """How often one slice saved to this path, the one that did it most often."""
        times = {(found.slice, found.t) for found in self._verdicts(limit) if found.path == path}
        slices = [number for number, _ in times]
        return max(map(slices.count, slices), default=0)

    def _verdicts(self, limit: int) -> list[Checkpoint]:
        from backprop_tui.store.codec import checkpoint_from

        lines = _last_lines(self.file("checkpoints.jsonl"), limit)
        return [found for line in lines if (found := checkpoint_from(line)) is not None]

    def checkpoint_paths(self, limit: int) -> list[str]:
        """Where the newest checkpoints were saved, oldest first."""
        return [c.path for c in self.checkpoints(limit)]

    def metrics(self, start: int = 0) -> Iterator[dict[str, Any]]:
        """The metric lines from an offset in metrics.jsonl on."""
        try:
            file = open(self.file("metrics.jsonl"), "rb")  # noqa: SIM115  # closed below, by the generator
        except FileNotFoundError:
            return
        with file:
            file.seek(start)
            for line in file:
                if (entry := _entry(line)) is not None:
                    yield entry

    def size(self) -> int:
        """Bytes that the folder takes."""
        total = 0
        for folder, _folders, names in os.walk(self.path):
            for name in names:
                try:
                    total += os.lstat(os.path.join(folder, name)).st_size
                except OSError:
                    continue
        return total

    def _json(self, name: str) -> dict[str, Any]:
        path = self.file(name)
        try:
            content = files.from_json(files.read_bytes(path))
        except FileNotFoundError:
            raise StoreError(f"run {self.id} has no {name}")
        except OSError as error:
            raise StoreError(f"cannot read {path}: {error.strerror}")
        except (ValueError, RecursionError) as error:
            raise StoreError(f"{path} is damaged: {error}")
        if not isinstance(content, dict):
            raise StoreError(f"{path} is damaged: it holds no JSON object")
        return content


def _last_lines(path: str, limit: int) -> Iterator[dict[str, Any]]:
    """The last entries of a file of JSON lines; torn and foreign lines are passed over."""
    try:
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            span = _TAIL
            while True:
                start = max(0, size - span)
                file.seek(start)
                lines = file.read(size - start).split(b"\n")
                if start:
                    lines = lines[1:]
                if start == 0 or len(lines) > limit or span >= 64 * _TAIL:
                    break
                span *= 4
    except FileNotFoundError:
        return
    except OSError as error:
        raise StoreError(f"cannot read {path}: {error.strerror}")
    entries = [entry for line in lines if (entry := _entry(line)) is not None]
    yield from entries[-limit:]


def _entry(line: bytes) -> dict[str, Any] | None:
    try:
        entry = files.from_json(line)
    except (ValueError, RecursionError):
        return None
    return entry if isinstance(entry, dict) else None
