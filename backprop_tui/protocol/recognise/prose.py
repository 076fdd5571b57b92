"""What tells the lines of a training from prose, programs, commands and dumps of settings."""

from __future__ import annotations

from backprop_tui.protocol.later import later

MAX_WORDS = 3
MAX_WORDS_PARTED = 6
"""Words of a line that belong to no pair; more are prose."""
_PARTS = 3

_CODE = {
    "(": ("print(", "Namespace(", "();"),
    "=": ('="', "='", "==", "+=", "-=", "!=", "=>"),
    ":": ("://", "::", "engine/trainer:"),
    ">": ("->",),
    '"': ('f"',),
    "'": ("f'",),
    "│": ("│",),
    "┃": ("┃",),
    "$": ("${",),
    "&": ("&&",),
    "*": (" * ",),
    "#": (" # ",),
    ".": ("self.",),
    "f": ("def ",),
    "r": ("return ", "import ", "argparse"),
    "b": ("lambda ",),
}
"""Signs of a program, by a letter that each holds."""
_PROSE_STARTS = (
    "load", "=> load", "resum", "restor", "best", "*** best", "previous", "prior ", "last run", "last best",
    "current best", "config", "args", "argument", "param", "hyperparam",
    "setting", "default", "early stop", "traceback", "usage", "warning", "error", "note", "#", "//", ">", "$", "<",
    "@", "+", "---", "revert", "expected", "assert", "e   ", "final", "if ", "for ", "while ", "with ", "we ",
    "the ", "in ", "our ", "table ", "figure ", "wandb", "export ", "commit ", "diff ",
)  # fmt: skip
"""Beginnings of lines, in small letters, that tell of something else than the training's course."""
_ERROR = later(r"[a-z](?:Error|Exception|Warning)\b")
_CALL = later(r"\w\(\s?\w{1,40}+\s?=")


def is_something_else(text: str, low: str) -> bool:
    """Whether a line that holds a loss is no report of a training; `low` is it in small letters."""
    return low.startswith(_PROSE_STARTS) or _is_code(text) or _ERROR.search(text) is not None


def most_words(text: str) -> int:
    """How many words beside its pairs a line may have: more where bars or tabs part it."""
    return MAX_WORDS_PARTED if text.count("|") >= _PARTS or text.count("\t") >= _PARTS else MAX_WORDS


def _is_code(text: str) -> bool:
    """Whether the line is a piece of a program, a command or a dump, as far as its signs tell."""
    if text[-1:] == ";" or ("(" in text and "=" in text and _CALL.search(text) is not None):
        return True
    for letter, signs in _CODE.items():
        if letter in text:
            for sign in signs:
                if sign in text:
                    return True
    return False
