"""Runs a vendor's tool: bounded in time and output, never in our terminal or process group."""

from __future__ import annotations

import os
import select
import signal
import time

from backprop_tui.errors import ProbeUnavailable
from backprop_tui.frozen import Frozen
from backprop_tui.probes.text import clean
from backprop_tui.probes.tree import TOOLS
from backprop_tui.probes.unavailable import NoAnswer, NotInstalled

TYPE_CHECKING = False
if TYPE_CHECKING:
    import subprocess
    from collections.abc import Mapping, Sequence

MAX_OUTPUT_BYTES = 1 << 20
_left_behind: list[subprocess.Popen[bytes]] = []
"""Those that could not be killed in time."""


class Output(Frozen):
    """What a tool said."""

    code: int
    out: str
    err: str

    @property
    def first_line(self) -> str:
        """The first words of its output, or else of its errors."""
        return clean((self.out.strip() or self.err.strip()).partition("\n")[0], 160)


def run_tool(argv: Sequence[str], *, env: Mapping[str, str], timeout_s: float) -> Output:
    """Run a tool to its end.

    Raises:
        NotInstalled: there is no such program.
        NoAnswer: it had not ended after `timeout_s`; it was killed.
        ProbeUnavailable: it cannot be started.
    """
    import subprocess

    _reap_left_behind()
    name = os.path.basename(argv[0])
    try:
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**env, "LC_ALL": "C"},
            start_new_session=True,
        )
    except FileNotFoundError:
        raise NotInstalled(f"{name} is not installed")
    except OSError as error:
        raise ProbeUnavailable(f"{name} cannot be started: {error.strerror}")
    TOOLS.add(process.pid)
    end = time.monotonic() + timeout_s
    try:
        out, err = _read_both(process, end)
        code = process.wait(max(0.0, end - time.monotonic()))
    except (TimeoutError, subprocess.TimeoutExpired):
        raise NoAnswer(f"{name} did not answer within {timeout_s:g} s")
    finally:
        _end(process)
    return Output(code=code, out=out.decode("utf-8", "replace"), err=err.decode("utf-8", "replace"))


def _read_both(process: subprocess.Popen[bytes], end: float) -> tuple[bytes, bytes]:
    assert process.stdout is not None
    assert process.stderr is not None
    read = {process.stdout.fileno(): bytearray(), process.stderr.fileno(): bytearray()}
    out, err = read.values()
    poll = select.poll()
    for fd in read:
        poll.register(fd, select.POLLIN)
    still_open = len(read)
    while still_open:
        left_s = end - time.monotonic()
        if left_s <= 0:
            raise TimeoutError
        for fd, _event in poll.poll(left_s * 1000):
            part = os.read(fd, 65536)
            if not part:
                poll.unregister(fd)
                still_open -= 1
            read[fd] += part[: MAX_OUTPUT_BYTES - len(read[fd])]
    return bytes(out), bytes(err)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill the tool with its children, if it still runs, and let go of it."""
    import subprocess

    for pipe in (process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()
    if process.returncode is None:
        try:
            os.killpg(process.pid, signal.SIGKILL)
            # Inside a hanging driver call even SIGKILL waits; then it is left behind rather than waited for.
            process.wait(0.5)
        except (ProcessLookupError, PermissionError, subprocess.TimeoutExpired):
            pass
    if process.returncode is None:
        _left_behind.append(process)
    else:
        TOOLS.discard(process.pid)


def _reap_left_behind() -> None:
    """Until it was waited for, its number is nobody else's."""
    for process in tuple(_left_behind):
        if process.poll() is not None:
            TOOLS.discard(process.pid)
            _left_behind.remove(process)
