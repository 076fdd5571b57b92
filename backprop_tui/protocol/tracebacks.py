"""Python tracebacks in a script's output: the one that tells why it ended, and what of it fits on a screen. Pure."""

from __future__ import annotations

import re

from backprop_tui.frozen import Frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_MESSAGE = 30
"""Lines of an error's message behind its first."""
_HEADER = r"Traceback \(most recent call last\):\s*$"
_RANK = r"^\[(?:rank|default)\d+\]:\s?"
_FRAME = r'^\s*File "([^"]*)", line (\d+)(?:, in (.*))?'
ERROR = r"^([A-Za-z_][\w.]*)(?::\s?(.*))?$"
_LIBRARY = ("site-packages", "dist-packages", "/lib/python", "<frozen", "/opt/conda/lib/")
_LAUNCHERS = ("torch.distributed.elastic", "subprocess.CalledProcessError")
"""They say only that a process which they started has failed."""
_SECONDARY = (
    r"exited unexpectedly$|[Cc]onnection (?:closed|reset) by peer|remote (?:process exited|worker)|ncclRemoteError"
)
"""Errors of those that waited for one which had failed before."""


class Frame(Frozen):
    """A line of a traceback as it is to be read."""

    text: str
    kind: str
    """own, library, error, or "" for what holds them together."""


def without_rank(text: str) -> str:
    """The line without the prefix that distributed launchers give to those of a worker."""
    return re.sub(_RANK, "", text)


def traceback_of(lines: Sequence[str]) -> list[str]:
    """The traceback up to its error that tells why a script ended, the last one if it printed several; [] for none.

    Of several workers that failed, the first that did so by itself counts, not those that lost it, nor their launcher.
    """
    found = _tracebacks(lines)
    own = [trace for trace in found if not trace[-1].startswith(_LAUNCHERS)]
    primary = [trace for trace in own if not re.search(_SECONDARY, trace[-1])]
    return next((traces[-1] for traces in (primary, own, found) if traces), [])


def is_secondary(trace: Sequence[str]) -> bool:
    """Whether a traceback only says that something else has failed."""
    return bool(trace) and (trace[-1].startswith(_LAUNCHERS) or re.search(_SECONDARY, trace[-1]) is not None)


def message_of(trace: Sequence[str], lines: Sequence[str]) -> str:
    """The error of a traceback with the lines of its message that follow it."""
    if not trace:
        return ""
    plain = [without_rank(line) for line in lines]
    at = max((n for n, text in enumerate(plain) if text == trace[-1]), default=len(plain))
    message = [trace[-1]]
    for text in plain[at + 1 : at + 1 + MAX_MESSAGE]:
        if re.search(_HEADER, text) or (text.strip() and set(text) <= set("=-*")):
            break
        message.append(text)
    return "\n".join(message)


def _tracebacks(lines: Sequence[str]) -> list[list[str]]:
    """All of them in the order of their beginnings; the last of each worker counts, and the earlier failed first."""
    streams: dict[str, list[tuple[int, str]]] = {}
    for n, line in enumerate(lines):
        prefix = re.match(_RANK, line)
        rank = prefix.group() if prefix else ""
        streams.setdefault(rank, []).append((n, line[len(rank) :]))
    plain = streams.pop("", [])
    found = _in_stream(plain)
    last = [traces[-1] for stream in streams.values() if (traces := _in_stream(stream))]
    # The first of the workers is to be the last that is found: the later ones may have failed because it did.
    found += sorted(last, key=lambda item: -item[0])
    return [trace for _n, trace in found]


def _in_stream(stream: list[tuple[int, str]]) -> list[tuple[int, list[str]]]:
    texts = [text for _n, text in stream]
    starts = [n for n, text in enumerate(texts) if "Traceback" in text and re.search(_HEADER, text)]
    return [(stream[start][0], _from(texts, start)) for start in starts]


def _from(texts: Sequence[str], start: int) -> list[str]:
    head = texts[start]
    found = [head[head.rindex("Traceback") :].strip() if "|" not in head else head.strip()]
    for text in texts[start + 1 :]:
        found.append(text)
        if text and not text.startswith((" ", "\t", "|", "+")):
            break
    return found


def raised(trace: Sequence[str]) -> str:
    """What was raised, and where in one's own code."""
    error = re.match(ERROR, trace[-1])
    name = error.group(1).rpartition(".")[2] if error else "An error"
    said = (error.group(2) or "").strip() if error else ""
    places = [found for line in trace if (found := re.match(_FRAME, line))]
    own = next((found for found in reversed(places) if not _is_library(found.group(1))), None)
    where = f" in {own.group(1).rpartition('/')[2]}, line {own.group(2)}" if own is not None else ""
    if not said:
        return f"{name} was raised{where}."
    return f"{name}{where}: {said}"


def frames(trace: Sequence[str], most: int, *, cwd: str = "") -> list[Frame]:
    """A traceback in at most `most` lines: its error always, then the newest frames, one's own before a library's."""
    blocks = _blocks(trace, cwd)
    if not blocks:
        return []
    head, *calls = blocks
    error = calls.pop() if calls and calls[-1][0].kind == "error" else []
    if most < len(error) + 1:
        return error[-max(1, most) :]
    kept = _newest(calls, most - len(error) - 1)
    return [*head, *(frame for block in kept for frame in block), *error]


def _is_library(path: str) -> bool:
    return any(sign in path for sign in _LIBRARY)


def _blocks(trace: Sequence[str], cwd: str) -> list[list[Frame]]:
    """The header, each frame with its source lines, the error."""
    blocks: list[list[Frame]] = []
    kind = ""
    for n, text in enumerate(trace):
        found = re.match(_FRAME, text)
        if n == 0:
            blocks.append([Frame(text=text, kind="")])
        elif found is not None:
            kind = "library" if _is_library(found.group(1)) else "own"
            blocks.append([Frame(text=_short(text, found.group(1), cwd), kind=kind)])
        elif n == len(trace) - 1 and not text.startswith((" ", "\t")):
            blocks.append([Frame(text=text, kind="error")])
        elif text.strip(" \t^~"):
            blocks[-1].append(Frame(text=text, kind=kind))
    return blocks


def _newest(blocks: list[list[Frame]], room: int) -> list[list[Frame]]:
    """As many of the newest frames as there is room for; the newest one of one's own is among them."""
    own = next((n for n in range(len(blocks) - 1, -1, -1) if blocks[n][0].kind == "own"), None)
    order = [own] if own is not None else []
    order += [n for n in range(len(blocks) - 1, -1, -1) if n != own]
    chosen: dict[int, list[Frame]] = {}
    for n in order:
        block = blocks[n] if len(blocks[n]) <= room else blocks[n][:1]
        if len(block) > room:
            break
        chosen[n] = block
        room -= len(block)
    return [chosen[n] for n in sorted(chosen)]


def _short(text: str, path: str, cwd: str) -> str:
    """Paths of libraries from the package on, one's own from the working directory on."""
    for sign in ("site-packages/", "dist-packages/"):
        if sign in path:
            return text.replace(path, ".../" + path.rpartition(sign)[2])
    return (
        text.replace(path, path[len(cwd.rstrip("/")) + 1 :]) if cwd and path.startswith(cwd.rstrip("/") + "/") else text
    )
