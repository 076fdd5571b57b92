"""What went wrong, in one plain sentence: from what a script printed last and how it ended. Pure."""

from __future__ import annotations

import math
import re

from backprop_tui.frozen import Frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SIGKILL = 9
NEAR_END = 8
"""Lines in which words may tell why it ended, where no traceback does."""
KINDS = (
    "gpu memory",
    "memory",
    "shared memory",
    "disk",
    "module",
    "file",
    "permission",
    "arguments",
    "killed",
    "error",
    "",
)
_HEADER = re.compile(r"^\s*(?:[+|]\s*)?(?:Exception Group )?Traceback \(most recent call last\)")
_RANK = re.compile(r"^\[rank\d+\]:\s?")
_FRAME = re.compile(r'^\s*File "([^"]*)", line (\d+)(?:, in (.*))?')
_ERROR = re.compile(r"^([A-Za-z_][\w.]*)(?::\s?(.*))?$")
_LIBRARY = ("site-packages", "dist-packages", "/lib/python", "<frozen", "/opt/conda/lib/")
_LAUNCHERS = ("torch.distributed.elastic", "subprocess.CalledProcessError")
_AMOUNT = r"(\d+(?:\.\d+)?) ?([KMGT]i?B)"


class Failure(Frozen):
    """What is known of a bad end."""

    kind: str
    """One of `KINDS`; "" where nothing is known."""
    sentence: str


class Frame(Frozen):
    """A line of a traceback as it is to be read."""

    text: str
    kind: str
    """own, library, error, or "" for what holds them together."""


def explain(
    lines: Sequence[str], *, exit_code: int | None = None, exit_signal: int | None = None, interpreter: str = ""
) -> Failure:
    """One sentence about a failure.

    Args:
        lines: the end of the output, cleaned.
        exit_code: of the script, None if a signal ended it.
        exit_signal: what ended it.
        interpreter: the Python that ran it, for a missing module.
    """
    trace = traceback_of(lines)
    said = trace[-1] if trace else ""
    texts = [said, *reversed(lines[-NEAR_END:])] if trace else list(reversed(lines[-NEAR_END:]))
    for text in texts:
        for pattern, kind, tell in _KNOWN:
            found = pattern.search(text)
            if found is not None:
                return Failure(kind=kind, sentence=tell(found, interpreter))
        if trace and text == said and _own_words(said):
            break  # the error itself is none of the known ones: what was printed before it did not end the script
    if exit_signal == SIGKILL:
        text = "The process was killed by signal 9, most likely by the system because memory ran out."
        return Failure(kind="killed", sentence=text)
    if trace:
        return Failure(kind="error", sentence=_raised(trace))
    if exit_signal is not None:
        return Failure(kind="", sentence=f"Signal {exit_signal} ended the process. The last lines:")
    code = "" if exit_code is None else f" with code {exit_code}"
    return Failure(kind="", sentence=f"The script ended{code} and printed no traceback. The last lines:")


def traceback_of(lines: Sequence[str]) -> list[str]:
    """The last traceback in some output up to its error, without the prefix of a distributed rank; [] for none."""
    plain = [_RANK.sub("", line) for line in lines]
    starts = [n for n, text in enumerate(plain) if _HEADER.match(text)]
    found = [_traceback_from(plain, start) for start in starts]
    # A launcher of workers that failed says only that one did.
    return next(
        (trace for trace in reversed(found) if not trace[-1].startswith(_LAUNCHERS)), found[-1] if found else []
    )


def _traceback_from(plain: Sequence[str], start: int) -> list[str]:
    found = [plain[start].strip()]
    for text in plain[start + 1 :]:
        found.append(text)
        if text and not text.startswith((" ", "\t", "|", "+")):
            break
    return found


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


def divergence(name: str, steps: Sequence[float], values: Sequence[float], bad: float | None) -> str:
    """How a metric went wrong: "Loss fell to 4.006 by step 140, rose to 8.112 by step 230, then became NaN."; "" where
    it did not."""
    called = name[:1].upper() + name[1:]
    if bad is None:
        return ""
    points = [(step, value) for step, value in zip(steps, values, strict=True) if step <= bad and math.isfinite(value)]
    if not points:
        return f"{called} was no number from its first value on, at step {bad:,.0f}."
    low_at = min(range(len(points)), key=lambda n: points[n][1])
    (_first, begun), (low_step, low), (last_step, last) = points[0], points[low_at], points[-1]
    parts = []
    if low < begun:
        parts.append(f"fell to {_number(low)} by step {low_step:,.0f}")
    if last > low and last_step > low_step:
        high_step, high = max(points[low_at:], key=lambda point: point[1])
        parts.append(f"rose to {_number(high)} by step {high_step:,.0f}")
    elif not parts:
        parts.append(f"was {_number(last)} at step {last_step:,.0f}")
    return f"{called} {', '.join(parts)}, then became NaN."


def rise_began(steps: Sequence[float], values: Sequence[float], bad: float | None) -> float | None:
    """The step where a metric was lowest before it became NaN; None where it did not."""
    points = [
        (value, step)
        for step, value in zip(steps, values, strict=True)
        if math.isfinite(value) and (bad is None or step <= bad)
    ]
    return min(points)[1] if points and bad is not None else None


def _number(value: float) -> str:
    return f"{value:.4g}" if abs(value) >= 10 else f"{value:.3f}" if abs(value) >= 0.1 else f"{value:.2g}"


def _own_words(error: str) -> bool:
    return _ERROR.match(error) is not None


def _raised(trace: Sequence[str]) -> str:
    error = _ERROR.match(trace[-1])
    name = error.group(1).rpartition(".")[2] if error else "An error"
    places = [found for line in trace if (found := _FRAME.match(line))]
    own = next((found for found in reversed(places) if not _is_library(found.group(1))), None)
    if own is None:
        return f"{name} was raised."
    file = own.group(1).rpartition("/")[2]
    return f"{name} was raised in {file}, line {own.group(2)}."


def _is_library(path: str) -> bool:
    return any(sign in path for sign in _LIBRARY)


def _blocks(trace: Sequence[str], cwd: str) -> list[list[Frame]]:
    """The header, each frame with its source lines, the error."""
    blocks: list[list[Frame]] = []
    kind = ""
    for n, text in enumerate(trace):
        found = _FRAME.match(text)
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


def _gib(amount: str, unit: str) -> str:
    return f"{amount}{unit[0]}"


def _cuda(found: re.Match[str], _interpreter: str) -> str:
    text = found.string
    wanted = re.search(r"[Tt]r(?:ied|ying) to allocate " + _AMOUNT, text)
    gpu = re.search(r"GPU (\d+)", text)
    free = re.search(_AMOUNT + r"(?: is)? free", text)
    who = f"GPU {gpu.group(1)}" if gpu else "The GPU"
    if wanted is None:
        return f"{who} ran out of memory."
    need = f"{who} ran out of memory: {_gib(*wanted.groups())} more was needed"
    return f"{need}, {_gib(*free.groups())} was free." if free else f"{need}."


def _host(found: re.Match[str], _interpreter: str) -> str:
    wanted = re.search(r"(?:[Aa]llocate) " + _AMOUNT, found.string)
    size = re.search(r"tried to allocate (\d+) bytes", found.string)
    if wanted is not None:
        return f"The box ran out of memory (RAM): {_gib(*wanted.groups())} more was needed."
    if size is not None:
        return f"The box ran out of memory (RAM): {int(size.group(1)) / (1 << 30):.1f}G more was needed."
    return "The box ran out of memory (RAM)."


def _module(found: re.Match[str], interpreter: str) -> str:
    where = f" in {interpreter}" if interpreter else ""
    return f"No module named '{found.group(1)}'{where}."


def _plain(sentence: str) -> Callable[[re.Match[str], str], str]:
    return lambda found, _interpreter: sentence.format(*(group or "" for group in found.groups()))


_KNOWN: tuple[tuple[re.Pattern[str], str, Callable[[re.Match[str], str], str]], ...] = (
    (
        re.compile(
            r"(?:CUDA|HIP|XPU|MPS)[^\n]{0,40}out of memory|CUBLAS_STATUS_ALLOC_FAILED"
            r"|RESOURCE_EXHAUSTED|ResourceExhaustedError|OOM when allocating tensor"
        ),
        "gpu memory",
        _cuda,
    ),
    (
        re.compile(r"No space left on device(?:: '([^']+)')?"),
        "disk",
        lambda found, _interpreter: (
            "There was no space left on the disk" + (f" for {found.group(1)}." if found.group(1) else ".")
        ),
    ),
    (
        re.compile(r"insufficient shared memory|unable to (?:open|mmap|allocate) shared memory", re.IGNORECASE),
        "shared memory",
        _plain("Shared memory (/dev/shm) ran out: fewer data loader workers need less of it."),
    ),
    (
        re.compile(r"\b_?(?:Array)?MemoryError\b|DefaultCPUAllocator: can't allocate|Cannot allocate memory"),
        "memory",
        _host,
    ),
    (
        re.compile(r"DataLoader worker \(pid(?:\(s\))? [\d, ]+\) is killed by signal: Killed"),
        "memory",
        _plain("A data loader worker was killed, most likely by the system because memory ran out."),
    ),
    (re.compile(r"No module named '?([\w.\-]+)'?"), "module", _module),
    (
        re.compile(r"(?:FileNotFoundError|can't open file).*?'([^']+)'"),
        "file",
        _plain("There is no file or folder {0}."),
    ),
    (re.compile(r"PermissionError.*?'([^']+)'"), "permission", _plain("It may not open {0}.")),
    (
        re.compile(r"error: unrecognized arguments: (.+)"),
        "arguments",
        _plain("The script does not know these arguments: {0}"),
    ),
    (
        re.compile(r"error: the following arguments are required: (.+)"),
        "arguments",
        _plain("The script needs these arguments: {0}"),
    ),
)
