"""Runs another program for what it prints."""

from __future__ import annotations

from backprop_tui.errors import ProbeUnavailable

MAX_CHARACTERS = 1_000_000


def ask(argv: list[str], timeout_s: float) -> str:
    """What a program prints; it gets no input and is killed when the time is over.

    Raises:
        ProbeUnavailable: it cannot be started, fails, or takes too long.
    """
    import subprocess

    name = argv[0].rpartition("/")[2]
    try:
        done = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=timeout_s,
            start_new_session=True,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ProbeUnavailable(f"{name} did not answer within {timeout_s:g} s")
    except OSError as error:
        raise ProbeUnavailable(f"{name} cannot be started: {error.strerror}")
    text = done.stdout.decode("utf-8", "replace")[:MAX_CHARACTERS]
    if done.returncode != 0:
        said = (done.stderr.decode("utf-8", "replace") or text).strip().splitlines()
        raise ProbeUnavailable(f"{name} failed with code {done.returncode}: {said[-1][:200] if said else ''}")
    return text
