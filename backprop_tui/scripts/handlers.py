"""The signal handlers that a source installs."""

from __future__ import annotations

import ast

from backprop_tui.scripts.syntax import Code, is_true, keyword, name_of, names_in, text_of

_IDLE = frozenset({"SIG_IGN", "SIG_DFL", "default_int_handler"})
_ENDS = (
    "save",
    "checkpoint",
    "ckpt",
    "requeue",
    "exit",
    "stop",
    "preempt",
    "interrupt",
    "shutdown",
    "terminat",
    "quit",
)
_LOOKS = ("traceback", "faulthandler", "print_stack", "set_trace", "breakpoint", "dump", "profil", "tracemalloc")
"""What handlers do that show where a program stands."""
_SIGNALS = frozenset({"SIGINT", "SIGTERM", "SIGUSR1", "SIGUSR2", "SIGHUP", "SIGQUIT"})


def handled_signals(tree: ast.Module, *switches: str) -> set[str]:
    """The signals that a source handles, `except KeyboardInterrupt` as SIGINT; and those `switches` that are on."""
    code = Code(tree)
    found = {
        "SIGINT"
        for node in code.nodes
        if isinstance(node, ast.ExceptHandler) and node.type and "KeyboardInterrupt" in _said(node.type)
    }
    for call in code.calls:
        found |= {switch for switch in switches if is_true(keyword(call, switch))}
        is_handler = name_of(call.func) in ("signal", "add_signal_handler") and len(call.args) > 1
        if is_handler and name_of(call.args[1]) not in _IDLE and _ends_well(call.args[1], code):
            found |= (_SIGNALS & _said(call.args[0])) or _listed(code)
    return found


def _ends_well(handler: ast.expr, code: Code) -> bool:
    """Whether a handler is for saving and ending, as far as that can be seen; one that only looks around is not."""
    name = name_of(handler)
    found = next(
        (n for n in code.nodes if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef)) and n.name == name), None
    )
    text = ast.unparse(found if found is not None else handler).lower()
    if found is None and not isinstance(handler, ast.Lambda):
        return not any(word in text for word in _LOOKS)
    return any(word in text for word in _ENDS) or not any(word in text for word in _LOOKS)


def _said(node: ast.expr) -> set[str]:
    """Names and texts: SIGTERM of signal.SIGTERM, and of getattr(signal, "SIGTERM")."""
    return names_in([node]) | {text_of(inner) for inner in ast.walk(node) if isinstance(inner, ast.Constant)}


def _listed(code: Code) -> set[str]:
    """What a loop or a variable may stand for: all signals that are listed or assigned in the source."""
    lists = [node for node in code.nodes if isinstance(node, (ast.Tuple, ast.List, ast.Set))]
    values = [*(item for node in lists for item in node.elts), *(value for _, value in code.assigned)]
    return {name for value in values for name in _said(value)} & _SIGNALS
