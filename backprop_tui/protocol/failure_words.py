"""What is said of a known failure: what happened, with the values that were printed, and what can be done."""

from __future__ import annotations

import re
import shlex

from backprop_tui.frozen import Frozen
from backprop_tui.model.secrets import masked_args

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    Told: TypeAlias = tuple[str, str]
    """What happened, what to do."""

_AMOUNT = r"(\d+(?:\.\d+)?) ?([KMGTP]i?B)"
_PACKAGES = {
    "cv2": "opencv-python",
    "sklearn": "scikit-learn",
    "PIL": "pillow",
    "yaml": "pyyaml",
    "skimage": "scikit-image",
    "bs4": "beautifulsoup4",
    "dotenv": "python-dotenv",
}
"""Modules whose package is called otherwise."""
_LESS = "Use a smaller batch, shorter inputs or mixed precision"
SIGKILL = 9
KILLED = "The process was killed by signal 9, most likely by the system because memory (RAM) ran out."
_ABOVE = "Its own output tells more: backprop logs"
LESS_RAM = "Load less at once: fewer data loader workers, smaller batches, data that is read as it is needed."
SAME_ARGUMENTS = "Run it with the arguments that the checkpoint was saved with, or from step 0: --fresh."
SEE_GPUS = "See what is found here with: backprop doctor; nvidia-smi says what the driver sees."
DRIVER = "Update the driver, or install a build of the framework that is made for it."
SYNCHRONOUS = "Run it once with --env CUDA_LAUNCH_BLOCKING=1: then the traceback shows the line that did it."
LOG_IN = "What is private or gated needs a login: hf auth login, or --env HF_TOKEN=…"
NOT_A_NUMBER = "Lower the learning rate, clip gradients, check the data; resume from a checkpoint before it began."


class About(Frozen):
    """What is known of the script that failed, besides its output."""

    interpreter: str = ""
    cwd: str = ""
    added: tuple[str, ...] = ()
    """Arguments that backprop added to hand it a checkpoint."""
    output: str = ""
    """The end of what it printed."""


def always(happened: str, todo: str) -> Callable[[re.Match[str], About], Told]:
    """The same words each time, with the pattern's groups in place of {0}, {1}."""

    def tell(found: re.Match[str], _about: About) -> Told:
        groups = [group or "" for group in found.groups()]
        return (happened.format(*groups) if groups else happened), todo

    return tell


def _gib(amount: str, unit: str) -> str:
    return f"{amount}{unit[0]}"


def _rounded(size: int) -> str:
    amount = size / (1 << 30)
    return f"{amount:.1f}G" if amount < 1000 else f"{amount / 1024:,.1f}T"


def gpu_memory(found: re.Match[str], _about: About) -> Told:
    text = found.string
    wanted = re.search(r"[Tt]r(?:ied|ying) to allocate " + _AMOUNT, text)
    gpu = re.search(r"GPU (\d+)", text)
    free = re.search(_AMOUNT + r"(?: is)? free", text)
    allowed = re.search(_AMOUNT + " allowed", text)
    who = f"GPU {gpu.group(1)}" if gpu else "The GPU"
    todo = f"{_LESS}, or a GPU with more free memory."
    if allowed is not None:
        todo = f"{_LESS}, or allow it more: --gpu-memory-limit."
        return f"{who} ran out of the memory that it may use, {_gib(*allowed.groups())}.", todo
    if wanted is None:
        return f"{who} ran out of memory.", todo
    need = f"{who} ran out of memory: {_gib(*wanted.groups())} more was needed"
    return (f"{need}, {_gib(*free.groups())} was free." if free else f"{need}."), todo


def host_memory(found: re.Match[str], _about: About) -> Told:
    wanted = re.search(r"(?:[Aa]llocate) " + _AMOUNT, found.string)
    size = re.search(r"tried to allocate (\d+) bytes", found.string)
    more = ""
    if wanted is not None:
        more = f": {_gib(*wanted.groups())} more was needed"
    elif size is not None:
        more = f": {_rounded(int(size.group(1)))} more was needed"
    return f"The box ran out of memory (RAM){more}.", LESS_RAM


def module(found: re.Match[str], about: About) -> Told:
    name = found.group(1)
    package = _PACKAGES.get(name.partition(".")[0], name.partition(".")[0])
    where = f" in {about.interpreter}" if about.interpreter else ""
    how = f"{about.interpreter} -m pip install {package}" if about.interpreter else f"pip install {package}"
    todo = f"Install it: {how}; if it is installed elsewhere, choose that Python with --python."
    return f"No module named '{name}'{where}.", todo


def file(found: re.Match[str], about: About) -> Told:
    path = found.group(1)
    here = f"It ran in {about.cwd}, where paths that begin without / are looked for: " if about.cwd else ""
    todo = "Check the path." if path.startswith("/") or not here else f"{here}check the path, or set --cwd."
    return f"There is no file or folder {path}.", todo


def arguments(found: re.Match[str], about: About) -> Told:
    said = next(group for group in found.groups() if group).strip()
    words = [word.strip("[]',") for word in said.split()]
    if about.added and set(words) & set(about.added):
        happened = f"The script does not know {shlex.join(about.added)}, with which its checkpoint was handed to it."
        todo = "Say how it takes one: --resume-arg '--its-option {checkpoint}', or rerun if it finds it itself."
        return happened, todo
    happened = f"The script does not know these arguments: {' '.join(masked_args(words))}"
    return happened, "See which it has with its --help, and check for a typo."


def sizes(found: re.Match[str], _about: About) -> Told:
    name, there, here = found.groups()
    happened = f"The checkpoint does not fit the model: {name} is [{there}] there and [{here}] here."
    return happened, SAME_ARGUMENTS


def weights_only(found: re.Match[str], _about: About) -> Told:
    held = re.search(r"Unsupported global: GLOBAL (\S+)", found.string)
    what = f" than tensors ({held.group(1)})" if held else " than tensors"
    happened = f"torch.load refused the checkpoint: since PyTorch 2.6 it does not load more{what} unless it is told to."
    return happened, "If you trust the file, load it with torch.load(..., weights_only=False) in the script."


def worker(found: re.Match[str], _about: About) -> Told:
    rank, number = found.group(1), int(found.group(2))
    if number == SIGKILL:
        return f"Worker {rank} was killed by signal 9, most likely because memory (RAM) ran out.", LESS_RAM
    return f"Worker {rank} was ended by signal {number}; the others were stopped then.", _ABOVE


def waited(found: re.Match[str], _about: About) -> Told:
    what = found.group(1)
    minutes = f"{int(found.group(2)) / 60000:g} min" if found.group(2) else "too long"
    happened = f"A worker waited {minutes} for the others ({what}) and gave up."
    todo = "One of them stood still, did something else or had failed before: look for the first error in the log."
    return happened, todo


def port(found: re.Match[str], _about: About) -> Told:
    named = re.search(r"port:? ?(\d+)|'[\w.:]*', (\d+)\)", found.string)
    number = next((group for group in named.groups() if group), "") if named else ""
    happened = f"Port {number} is in use" if number else "A network port that it wants is in use"
    todo = "Take another: torchrun --standalone finds a free one, --master-port N names one."
    return f"{happened}, most likely by another distributed training.", todo


def gpu_check(found: re.Match[str], about: About) -> Told:
    text = found.string + about.output
    guess = "most often a label or an index outside its range"
    if "n_classes" in text or "nll_loss" in text:
        guess = "a label lies outside the number of classes"
    elif "srcSelectDimSize" in text or "indexSelect" in text:
        guess = "an index lies outside its table, such as a token outside the vocabulary"
    return f"A check on the GPU failed: {guess}.", SYNCHRONOUS


def disk(found: re.Match[str], _about: About) -> Told:
    place = f" for {found.group(1)}" if found.group(1) else ""
    happened = f"There was no space left on the disk{place}."
    return happened, "Free some, or keep fewer checkpoints; df -h shows what is full."


def shared_memory(_found: re.Match[str], _about: About) -> Told:
    todo = "Use fewer data loader workers; in a container, give it more: --shm-size=8g"
    return "Shared memory (/dev/shm) ran out.", todo


def loader_killed(_found: re.Match[str], _about: About) -> Told:
    return "A data loader worker was killed, most likely by the system because memory (RAM) ran out.", LESS_RAM


def damaged(_found: re.Match[str], _about: About) -> Told:
    happened = "A checkpoint that it loaded is damaged: it was cut short, or is none."
    return happened, "Resume from the one before it: backprop resume RUN --resume-from PATH"


def without_cuda(_found: re.Match[str], about: About) -> Told:
    where = f" of {about.interpreter}" if about.interpreter else ""
    happened = f"The PyTorch{where} was built without CUDA, and the script wants a GPU."
    return happened, "Install the CUDA build there (pytorch.org says how), or let the script train on the CPU."


def unreachable(found: re.Match[str], _about: About) -> Told:
    host = found.group(1) or found.group(2) or "https://huggingface.co"
    happened = f"{host} could not be reached, and what was wanted of it is not in the cache."
    return happened, "Check the network; or download it once where there is one, and go on with --env HF_HUB_OFFLINE=1"


def not_on_hub(found: re.Match[str], _about: About) -> Told:
    name = next(group.strip("'\"") for group in found.groups() if group)
    happened = f"The Hugging Face hub has no {name}, or does not let you read it."
    return happened, f"Check the name. {LOG_IN}"


def child(found: re.Match[str], _about: About) -> Told:
    number = int(found.group(1))
    if number == SIGKILL:
        return KILLED, LESS_RAM
    return f"The process that it started was ended by signal {number}.", _ABOVE
