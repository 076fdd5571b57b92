"""Templates of how a script takes a checkpoint, such as `--resume {checkpoint}`. Pure."""

from __future__ import annotations

import os

from backprop_tui.model.spec import RERUN


def filled(template: str, checkpoint: str, step: int | None) -> tuple[str, ...]:
    """The words that a template stands for.

    Args:
        template: split as a shell does; {checkpoint}, {checkpoint_dir} (the folder it lies in) and {step} in it.
        checkpoint: the checkpoint's path.
        step: its step, None where that is not known.

    Raises:
        ValueError: an open quote, or {step} of a checkpoint whose step is not known.
    """
    if template == RERUN:
        return ()
    if "{step}" in template and step is None:
        raise ValueError("{step} is not known of this checkpoint")
    values = {
        "{checkpoint}": checkpoint,
        "{checkpoint_dir}": os.path.dirname(checkpoint.rstrip("/")),
        "{step}": str(step),
    }
    return tuple(_replaced(word, values) for word in _split(template))


def _split(template: str) -> list[str]:
    import shlex

    return shlex.split(template)


def _replaced(word: str, values: dict[str, str]) -> str:
    """In one pass: a path may hold what looks like a placeholder."""
    out, rest = "", word
    while rest:
        at, name = min(((rest.find(name), name) for name in values if name in rest), default=(-1, ""))
        if at < 0:
            return out + rest
        out += rest[:at] + values[name]
        rest = rest[at + len(name) :]
    return out


def names_in(template: str) -> tuple[str, ...]:
    """The options that a template gives, without their values."""
    if template == RERUN:
        return ()
    try:
        words = _split(template)
    except ValueError:
        return ()
    return tuple(word.partition("=")[0] for word in words if word.startswith("-") or "=" in word)


def says_where(template: str) -> bool:
    """Whether the script is told which checkpoint is meant."""
    return any(name in template for name in ("{checkpoint}", "{checkpoint_dir}", "{step}"))
