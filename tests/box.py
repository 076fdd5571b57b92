"""A box of its own for each test: home, caches, admission folder and working directory, with the real program."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tests.stand_ins.waiting import wait_until

SCRIPTS = Path(__file__).parent / "scripts"
ROOT = Path(__file__).parent.parent
LIMIT_S = 120


class Box:
    """Runs `backprop` as a person does, and reads what it keeps."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home" / ".backprop"
        self.work = folder / "work"
        self.work.mkdir(parents=True)
        (folder / "home").mkdir()
        self._started: list[subprocess.Popen[str]] = []
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH") if name in os.environ}
        self.env = {
            **kept,
            "HOME": str(folder / "home"),
            "BACKPROP_ADMISSION_DIR": str(folder / "admission"),
            "PYTHONPATH": str(ROOT),
            "PYTHONDONTWRITEBYTECODE": "1",
            "BACKPROP_SET_MIN_FREE_RAM_GB": "0",
            "BACKPROP_SET_MAX_CPU_LOAD_PER_CORE": "1000",
        }

    def argv(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "backprop_tui", *words]

    def run(self, *words: str, code: int | None = 0, **more: Any) -> subprocess.CompletedProcess[str]:
        """Run to the end; the exit code must be `code`."""
        done = subprocess.run(
            self.argv(*words),
            cwd=more.pop("cwd", self.work),
            env={**self.env, **more.pop("env", {})},
            capture_output=True,
            text=True,
            errors="surrogateescape",
            timeout=LIMIT_S,
            check=False,
            stdin=subprocess.DEVNULL,
            **more,
        )
        assert code is None or done.returncode == code, (
            f"exit {done.returncode}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        )
        return done

    def json(self, *words: str, code: int | None = 0) -> Any:
        """Run with --json; the one document."""
        return json.loads(self.run(words[0], "--json", *words[1:], code=code).stdout)

    def start(self, *words: str, **more: Any) -> subprocess.Popen[str]:
        """Start and go on; ended with the test."""
        process = subprocess.Popen(
            self.argv(*words),
            cwd=self.work,
            env={**self.env, **more.pop("env", {})},
            stdin=subprocess.DEVNULL,
            stdout=more.pop("stdout", subprocess.PIPE),
            stderr=more.pop("stderr", subprocess.PIPE),
            text=True,
            **more,
        )
        self._started.append(process)
        return process

    def close(self) -> None:
        """End everything that the test left running."""
        if (self.home / "active").exists() and list((self.home / "active").iterdir()):
            self.run("stop", "--all", "--force", code=None)
        for process in self._started:
            if process.poll() is None:
                process.kill()
            process.wait()
            for pipe in (process.stdout, process.stderr):
                if pipe is not None:
                    pipe.close()

    def state(self, run_id: str) -> dict[str, Any]:
        """state.json, {} before there is one."""
        try:
            found: dict[str, Any] = json.loads((self.home / "runs" / run_id / "state.json").read_text())
        except (FileNotFoundError, ValueError):
            return {}
        return found

    def wait_for(self, run_id: str, *states: str) -> dict[str, Any]:
        wait_until(lambda: self.state(run_id).get("state") in states)
        return self.state(run_id)

    def wait_for_step(self, run_id: str, step: int) -> None:
        wait_until(lambda: (self.state(run_id).get("step") or 0) >= step)

    def goes_on(self, run_id: str) -> None:
        """Wait until the run, running, has made some steps more."""
        self.wait_for_step(run_id, (self.state(run_id).get("step") or 0) + 5)
        assert self.state(run_id)["state"] == "running"

    def left_s(self, run_id: str) -> float:
        """What the time box still holds, by the record."""
        slice_ = self.state(run_id)["slices"][-1]
        return float(slice_["box_s"] - (time.time() - slice_["started"]))

    def lines(self, run_id: str, name: str) -> list[dict[str, Any]]:
        """A file of JSON lines; every line must parse."""
        path = self.home / "runs" / run_id / name
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def experiments(self) -> dict[str, Any]:
        """experiments.json, read as strictly as other tools do."""

        def refuse(text: str) -> float:
            raise AssertionError(f"not strict JSON: {text}")

        found: dict[str, Any] = json.loads((self.home / "experiments.json").read_text(), parse_constant=refuse)
        return found


def is_running(pid: int) -> bool:
    """Whether a process lives and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def script(name: str) -> str:
    return str(SCRIPTS / name)
