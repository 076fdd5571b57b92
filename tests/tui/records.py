"""Runs written into a home by hand: any legal record, also those that no engine can reach in a moment."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

from backprop_tui.config.settings import SETTINGS
from backprop_tui.model.run import Checkpoint, Notes, Owner, Process, Reason, Run, Slice
from backprop_tui.model.spec import SettingValue, SliceSpec
from backprop_tui.model.states import RunState
from backprop_tui.store.folder import RunFolder
from backprop_tui.store.home import Home

ELSEWHERE = "elsewhere"
"""The host that these runs are on: nobody here judges whether their supervisors live."""
G = 1 << 30
REASONS = {
    "failed": ("exit", "exited with code 1", "script"),
    "diverged": ("nan", "ended with exit code 0, but its last loss was nan", "script"),
    "lost": ("supervisor_gone", "its supervisor was killed", "box"),
    "timeboxed": ("timebox", "the time box of 10 min ended", "timebox"),
    "stopped": ("person", "stopped by anna", "person"),
    "paused": ("person", "paused by anna", "person"),
    "stopping": ("timebox", "time is up: saving a checkpoint", "timebox"),
    "queued": ("memory", "waits: 3.1 GB of RAM free, 4.0 GB wanted", "governor"),
}


class Records:
    """Writes runs; times are given as seconds before `now`."""

    def __init__(self, home: Path, now: float) -> None:
        self.home, self.now = Home(str(home)), now
        self.home.ensure()
        self._active: list[str] = []

    def run(self, run_id: str, state: str, *, ago: float = 600.0, took: float = 300.0, **more: Any) -> RunFolder:
        """A run of one slice, or of more with `slices`.

        Args:
            run_id: its id, and its name unless `name` says otherwise.
            state: of the run and its newest slice.
            ago: when that slice began.
            took: how long it trained.
            more: name, tags, note, star, archived (of the notes); losses: (step, loss), evenly spread over `took`;
                saved: (path, step, seconds ago, bytes); log: lines; events: dicts with `ago` in place of `t`;
                reason: (code, text, by); settings by key; command, cwd, gpus, box_s, total, git; slices: earlier ones, as dicts, with
                `ago`, `took` and `losses` of their own; seam: of the newest one; metric: what `losses` are called;
                epoch, epochs; goes_on, held, memory_limit, resources (of the run).
        """
        ended = RunState(state).is_ended
        folder = self.home.new_run(run_id)
        started = self.now - ago
        losses = more.get("losses", ())
        reason = _reason(more.get("reason", REASONS.get(state)))
        run = Run(
            id=run_id,
            state=RunState(state),
            created=started - 1,
            updated=started + took,
            reason=reason,
            owner=Owner(host=ELSEWHERE, boot_id="b", process=Process(pid=1, start=1), token="t", slice=1),
            slices=self._slices(state, started, took, reason, more),
            step=losses[-1][0] if losses else None,
            last={more.get("metric", "loss"): losses[-1][1]} if losses else {},
            total_steps=more.get("total"),
            epoch=more.get("epoch"),
            epochs=more.get("epochs"),
            metric_lines=len(losses),
            checkpoints=tuple(self._checkpoint(saved, started, more) for saved in more.get("saved", ())),
            checkpoint_count=len(more.get("saved", ())),
            warnings=more.get("warnings", ()),
            **{key: more[key] for key in ("goes_on", "held", "memory_limit", "resources") if key in more},
        )
        folder.write_spec(self._spec(run_id, started, len(run.slices), more))
        keys = ("tags", "note", "star", "archived")
        name = more.get("name", run_id)
        folder.write_notes(Notes(name=name, **{key: more[key] for key in keys if key in more}))
        self._streams(folder, run, losses, more)
        folder.write_run(run)
        if ended:
            self.home.clear_active(run_id)
        else:
            self._active.append(run_id)
        return folder

    def close(self) -> None:
        """Nothing of this is in progress any more: nobody could stop it."""
        for run_id in self._active:
            self.home.clear_active(run_id)

    def _slices(self, state: str, started: float, took: float, reason: Reason | None, more: Any) -> tuple[Slice, ...]:
        losses = more.get("losses", ())
        first = more.get("first_step", losses[0][0] if losses else None)
        ended = RunState(state).is_ended
        earlier, offset = [], 0
        for n, told in enumerate(more.get("slices", ()), 1):
            ago, lasted = told.get("ago", 2000.0), told.get("took", 600.0)
            earlier.append(
                Slice(
                    n=n, state=RunState.TIMEBOXED, box_s=600.0, started=self.now - ago, ended=self.now - ago + lasted,
                    used_s=lasted, first_step=told["losses"][0][0], last_step=told["losses"][-1][0],
                    metrics_start=offset, seam=told.get("seam"),
                )
            )  # fmt: skip
            offset += len(_text(self._entries(earlier[-1].started, lasted, told["losses"], more)))
        newest = Slice(
            n=len(earlier) + 1,
            metrics_start=offset,
            seam=more.get("seam"),
            state=RunState(state),
            started=started,
            box_s=more.get("box_s", 600.0),
            ended=started + took if ended else None,
            reason=reason if ended else None,
            used_s=took if ended or state == "paused" else 0.0,
            exit_code={"failed": 1, "completed": 0}.get(state),
            resumed_from=more.get("resumed_from"),
            first_step=first,
            last_step=losses[-1][0] if losses else None,
            gpus=more.get("gpus", ()),
        )
        return (*earlier, newest)

    def _entries(self, began: float, took: float, losses: Any, more: Any) -> list[dict[str, Any]]:
        return [
            {"t": began + took * (n + 1) / len(losses), "step": step, more.get("metric", "loss"): _plain(value)}
            for n, (step, value) in enumerate(losses)
        ]

    def _checkpoint(self, saved: tuple[str, int, float, int], started: float, more: Any) -> Checkpoint:
        path, step, ago, size = saved
        t = self.now - ago
        earlier = len(more.get("slices", ()))
        return Checkpoint(
            path=path, step=step, t=t, slice=earlier + 1 if t >= started else earlier or 1, kind="torch", size=size,
            good=True,
        )  # fmt: skip

    def _spec(self, run_id: str, created: float, n: int, more: Any) -> SliceSpec:
        return SliceSpec(
            run_id=run_id,
            n=n,
            created=created,
            command=more.get("command", ("train.py", "--lr", "2e-4")),
            is_command=False,
            cwd=more.get("cwd", "/home/anna/work"),
            interpreter="/home/anna/work/.venv/bin/python",
            interpreter_origin="venv beside the script",
            framework="pytorch",
            declared_flags=(),
            settings={
                s.key: SettingValue(value=more.get("settings", {}).get(s.key, s.default), origin="default")
                for s in SETTINGS
            },
            env={},
            recorded_env={"LANG": "C.UTF-8"},
            git=more.get("git", {"commit": "9f31c2a77b0e14", "branch": "main"}),
            backprop="1.0",
        )

    def _streams(self, folder: RunFolder, run: Run, losses: Any, more: Any) -> None:
        lines = [
            entry
            for piece, told in zip(run.slices, more.get("slices", ()), strict=False)
            for entry in self._entries(piece.started, piece.used_s, told["losses"], more)
        ]
        lines += self._entries(run.created + 1, run.updated - run.created - 1, losses, more)
        _lines(folder.file("metrics.jsonl"), lines)
        _lines(folder.file("checkpoints.jsonl"), [c.plain() for c in run.checkpoints])
        events = [{"t": self.now - event["ago"], **event} for event in more.get("events", ())]
        _lines(folder.file("events.jsonl"), [{k: v for k, v in event.items() if k != "ago"} for event in events])
        Path(folder.file("output.log")).write_text("".join(f"{line}\n" for line in more.get("log", ())))


def falling(last: int, *, start: float = 4.0, floor: float = 2.0, every: int = 1) -> list[tuple[int, float]]:
    """A loss that falls."""
    return [(step, floor + (start - floor) * math.exp(-3.0 * step / last)) for step in range(every, last + 1, every)]


def checkpoint(folder: Path, step: int, size: int = 4096) -> str:
    """A file that a script might have saved; its path."""
    path = folder / f"step-{step}.bin"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(os.urandom(size))
    return str(path)


def _reason(told: tuple[str, str, str] | None) -> Reason | None:
    return None if told is None else Reason(code=told[0], text=told[1], by=told[2])


def _plain(value: float) -> float | str:
    return value if math.isfinite(value) else {True: "NaN"}.get(math.isnan(value), "Infinity")


def _lines(path: str, entries: list[dict[str, Any]]) -> None:
    Path(path).write_text(_text(entries))


def _text(entries: list[dict[str, Any]]) -> str:
    return "".join(f"{json.dumps(entry)}\n" for entry in entries)
