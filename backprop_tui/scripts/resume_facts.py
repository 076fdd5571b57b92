"""What a script's sources say of how it takes up a checkpoint."""

from __future__ import annotations

from backprop_tui.frozen import Frozen
from backprop_tui.scripts.modules import PARSED_BYTES, parsed, project_sources
from backprop_tui.scripts.signs import Signs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from backprop_tui.scripts.options import Option
    from backprop_tui.scripts.syntax import Code

VARIABLE = "BACKPROP_RESUME_FROM"


class ResumeFacts(Frozen):
    """A script's command line, and what it does with checkpoints."""

    options: tuple[Option, ...] = ()
    signs: Signs = Signs()
    reads_variable: bool = False
    """One of its sources mentions BACKPROP_RESUME_FROM."""
    digest: str = ""
    """Changes with its sources; "" where it could not be read."""


def read_resume_facts(path: str, cwd: str = "") -> ResumeFacts:
    """What the script at `path` and its project's modules say; what cannot be read says nothing. Never raises."""
    from backprop_tui.scripts.declared import declared_options
    from backprop_tui.scripts.signs import signs_of

    sources = project_sources(path, cwd)
    codes = _parsed_sources(sources)
    return ResumeFacts(
        options=declared_options(codes),
        signs=signs_of(codes),
        reads_variable=any(VARIABLE.encode() in data for _, data in sources),
        digest=_digest(data for _, data in sources),
    )


def digest_of(path: str, cwd: str = "") -> str:
    """The digest of what lies there now."""
    return _digest(data for _, data in project_sources(path, cwd))


def _parsed_sources(sources: list[tuple[str, bytes]]) -> list[Code]:
    """The trees of as many as may be held at once, the script first."""
    from backprop_tui.scripts.syntax import Code

    codes, room = [], PARSED_BYTES
    for path, data in sources:
        if len(data) <= room and (tree := parsed(data)) is not None:
            room -= len(data)
            codes.append(Code(tree, path))
    return codes


def _digest(sources: Iterable[bytes]) -> str:
    import hashlib

    found = hashlib.sha256()
    count = 0
    for data in sources:
        count += len(data)
        found.update(len(data).to_bytes(8, "big") + data)
    return found.hexdigest()[:16] if count else ""
