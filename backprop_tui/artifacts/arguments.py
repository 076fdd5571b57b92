"""The places that a script's arguments name: where it writes, and where its data lies. Pure.

Read are --output_dir X, --out=X, save_dir=X and the like, by the words in the option's name.
"""

from __future__ import annotations

import os
import re
from itertools import pairwise

from backprop_tui.artifacts.names import read_file_name
from backprop_tui.artifacts.vocabulary import vocabulary
from backprop_tui.frozen import Frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_MAX_WORDS = 1000
_MAX_PATH = 4096
_OUT = vocabulary(
    "o out output outputs outdir save saved saving savedir log logs logdir logging ckpt ckpts checkpoint "
    "checkpoints work workdir run runs rundir result results exp experiment experiments expdir project dir "
    "directory folder root path export snapshot snapshots target dest destination backup"
)
_DATA = vocabulary("data dataset datasets datadir dataroot cache corpus images annotations")
_IN = vocabulary(
    "in input inputs train val valid validation eval test source src config cfg conf tokenizer vocab "
    "pretrained init load resume from restore name python hf hub token url host entity user"
)
_SETTING = vocabulary(
    "strategy steps step every freq frequency interval limit total level format type mode only backend"
)


class Named(Frozen):
    """Absolute paths, whether something is there already or not."""

    outputs: tuple[str, ...] = ()
    """Folders."""
    files: tuple[str, ...] = ()
    """Checkpoints themselves."""
    data: tuple[str, ...] = ()
    """Folders that are only read."""


def places_in(words: Sequence[str], cwd: str) -> Named:
    """What a command's words name."""
    outputs: dict[str, None] = {}
    files: dict[str, None] = {}
    data: dict[str, None] = {}
    for option, value in _options(words[:_MAX_WORDS]):
        parts = set(re.findall(r"[a-z]+", re.sub(r"([a-z])([A-Z])", r"\1_\2", option[:200]).lower()))
        path = os.path.normpath(os.path.join(cwd, os.path.expanduser(value)))
        if parts & _DATA:
            data[path] = None
        elif parts & (_IN | _SETTING) or not parts & _OUT:
            continue
        elif read_file_name(os.path.basename(path)) is not None:
            files[path] = None
            outputs[os.path.dirname(path)] = None
        else:
            outputs[path] = None
    outputs.pop(cwd, None)
    return Named(outputs=tuple(outputs), files=tuple(files), data=tuple(path for path in data if path not in outputs))


def _options(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Options and their values, where these can be paths."""
    for word, after in pairwise((*words, "-")):
        name, sign, value = word.partition("=")
        if sign:
            option = name.lstrip("-+~")
        elif word.startswith("-"):
            option, value = word.lstrip("-"), after
        else:
            continue
        if option and _can_be_path(value):
            yield option, value


def _can_be_path(value: str) -> bool:
    return (
        0 < len(value) <= _MAX_PATH
        and not value.startswith("-")
        and value.lower() not in ("true", "false", "none", "null", "yes", "no", "auto")
        and "://" not in value
        and "\0" not in value
        and not re.fullmatch(r"[\d.e+-]+", value)
    )
