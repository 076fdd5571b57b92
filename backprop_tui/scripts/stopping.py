"""Which signal a script saves and ends on, as far as its sources say."""

from __future__ import annotations

from backprop_tui.scripts.modules import parsed, project_sources

_JIT = "enable_jit_checkpoint"
"""transformers saves at once on SIGTERM where this is on."""
_ASKED = (b"SIGTERM", b"SIGUSR1", _JIT.encode())
"""Without one of these words in its sources a script is stopped as by ctrl-c."""
_TOLD = (*_ASKED, b"SIGINT", b"KeyboardInterrupt")


def stop_signal_in(path: str, cwd: str, args: tuple[str, ...] = ()) -> tuple[str, str]:
    """The signal that the script at `path` wants, and why; two empty texts where it says nothing.

    SIGTERM or SIGUSR1 are taken only where the script handles just these and nothing shows that it is used to
    ctrl-c: neither a handler for SIGINT nor an `except KeyboardInterrupt`.

    Args:
        path: the script.
        cwd: where it runs; modules of its project lie there or beside it.
        args: its arguments.
    """
    if _is_on(args):
        return "SIGTERM", f"--{_JIT} saves on it"
    sources = [data for _, data in project_sources(path, cwd)]
    if not any(word in data for data in sources for word in _ASKED):
        return "", ""
    from backprop_tui.scripts.handlers import handled_signals

    handled: set[str] = set()
    for data in sources:
        tree = parsed(data) if any(word in data for word in _TOLD) else None
        if tree is not None:
            handled |= handled_signals(tree, _JIT)
    if _JIT in handled:
        return "SIGTERM", f"{_JIT} saves on it"
    if "SIGINT" in handled:
        return "", ""
    # SIGTERM ends where both are handled; SIGUSR1 may only save.
    name = next((name for name in ("SIGTERM", "SIGUSR1") if name in handled), "")
    return name, f"the script handles {name}" if name else ""


def _is_on(args: tuple[str, ...]) -> bool:
    for n, arg in enumerate(args):
        name, equals, value = arg.partition("=")
        if name.startswith("--") and name.lstrip("-").replace("-", "_") == _JIT:
            said = value if equals else "".join(args[n + 1 : n + 2])
            return said.lower() not in ("false", "0", "no")
    return False
