"""The failures that are known by what is printed. Loaded only when something has failed."""

from __future__ import annotations

from backprop_tui.frozen import Frozen
from backprop_tui.protocol import failure_words as words
from backprop_tui.protocol.failure_words import always

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from collections.abc import Callable

    from backprop_tui.protocol.failure_words import About, Told


class Known(Frozen):
    """One known failure."""

    kind: str
    pattern: str
    """Compiled when it is first used."""
    tell: Callable[[re.Match[str], About], Told]


ERRORS: tuple[Known, ...] = (
    Known(
        kind="gpu memory",
        pattern=r"(?:CUDA|HIP|XPU|MPS)[^\n]{0,40}out of memory|CUBLAS_STATUS_ALLOC_FAILED"
        r"|RESOURCE_EXHAUSTED|ResourceExhaustedError|OOM when allocating tensor",
        tell=words.gpu_memory,
    ),
    Known(kind="disk", pattern=r"(?:No space left on device|Disk quota exceeded)(?:: '([^']+)')?", tell=words.disk),
    Known(
        kind="disk",
        pattern=r"Read-only file system(?:: '([^']+)')?",
        tell=always("Nothing can be written there, the disk is read-only: {0}", "Write to another folder."),
    ),
    Known(
        kind="shared memory",
        pattern=r"insufficient shared memory|[Uu]nable to (?:open|mmap|allocate) shared memory"
        r"|killed by signal: Bus error|out of shared memory",
        tell=words.shared_memory,
    ),
    Known(kind="memory", pattern=r"is killed by signal: Killed", tell=words.loader_killed),
    Known(
        kind="memory",
        pattern=r"\b_?(?:Array)?MemoryError\b|DefaultCPUAllocator: (?:can't allocate|not enough)"
        r"|Cannot allocate memory|std::bad_alloc",
        tell=words.host_memory,
    ),
    Known(kind="module", pattern=r"No module named '?([\w.\-]{1,200})'?", tell=words.module),
    Known(
        kind="module",
        pattern=r"(lib[\w.+\-]{1,100}\.so[\w.]{0,40}): cannot open shared object file",
        tell=always(
            "The library {0} is missing on this box.",
            "Install the package that holds it, or say where it is: --env LD_LIBRARY_PATH=…",
        ),
    ),
    Known(
        kind="input",
        pattern=r"EOFError: EOF when reading a line",
        tell=always(
            "It asked for something to be typed; a run has no keyboard.",
            "Give it the answer as an argument or a setting.",
        ),
    ),
    Known(
        kind="login",
        pattern=r"api_key not configured \(no-tty\)",
        tell=always(
            "Weights & Biases wants a login; a run has no keyboard.",
            "Log in once with: wandb login; or run without it: --env WANDB_MODE=offline",
        ),
    ),
    Known(
        kind="open files",
        pattern=r"Too many open files|received 0 items of ancdata",
        tell=always(
            "It had too many files open at once.",
            "Raise the limit first: ulimit -n 65536; or use fewer data loader workers.",
        ),
    ),
    Known(
        kind="weights only",
        pattern=r"Weights only load failed",
        tell=words.weights_only,
    ),
    Known(
        kind="checkpoint",
        pattern=r"size mismatch for (\S+): copying a param with shape torch\.Size\(\[([\d, ]*)\]\) from checkpoint, "
        r"the shape in current model is torch\.Size\(\[([\d, ]*)\]\)",
        tell=words.sizes,
    ),
    Known(
        kind="checkpoint",
        pattern=r"Error\(s\) in loading state_dict for (\w+)",
        tell=always("The checkpoint does not fit the model {0}: it has other parts.", words.SAME_ARGUMENTS),
    ),
    Known(
        kind="checkpoint",
        pattern=r"loaded state dict (?:contains a parameter group that doesn't match|has a different number of param)",
        tell=always("The checkpoint's optimizer state does not fit the model.", words.SAME_ARGUMENTS),
    ),
    Known(
        kind="checkpoint",
        pattern=r"PytorchStreamReader failed|failed finding central directory|archive is corrupted"
        r"|InvalidHeader|HeaderTooLarge|HeaderTooSmall|MetadataIncompleteBuffer|EOFError: Ran out of input"
        r"|UnpicklingError: (?:unpickling stack|pickle data was truncated|invalid load key)",
        tell=words.damaged,
    ),
    Known(
        kind="checkpoint",
        pattern=r"Attempting to deserialize object on (?:a )?CUDA device",
        tell=always(
            "The checkpoint was saved on a GPU that is not there now.",
            "Load it with torch.load(..., map_location='cpu') and move the model afterwards.",
        ),
    ),
    Known(
        kind="hub",
        pattern=r"outgoing traffic has been disabled|OfflineModeIsEnabled|[Oo]ffline mode is enabled",
        tell=always(
            "Something of the Hugging Face hub is not in the cache, and going online is switched off.",
            "Download it once where there is a network, or switch it on again: HF_HUB_OFFLINE=0",
        ),
    ),
    Known(
        kind="hub",
        pattern=r"couldn't connect to '(https?://[^']+)'|LocalEntryNotFoundError|host='(huggingface\.co)'",
        tell=words.unreachable,
    ),
    Known(
        kind="hub",
        pattern=r"(\S{1,200}) is not a local folder and is not a valid model identifier"
        r"|Repository Not Found for url: (\S{1,200})|Dataset '([^']{1,200})' doesn't exist on the Hub",
        tell=words.not_on_hub,
    ),
    Known(
        kind="hub",
        pattern=r"gated repo|GatedRepoError|Access to model \S+ is restricted",
        tell=always("What it wants of the Hugging Face hub may not be read without being let in.", words.LOG_IN),
    ),
    Known(
        kind="no gpu",
        pattern=r"Torch not compiled with CUDA enabled",
        tell=words.without_cuda,
    ),
    Known(
        kind="no gpu",
        pattern=r"No CUDA GPUs are available|Found no NVIDIA driver|no CUDA-capable device is detected"
        r"|Unable to initialize backend 'cuda'|CUDA_ERROR_NO_DEVICE",
        tell=always("It wants a GPU and sees none.", words.SEE_GPUS),
    ),
    Known(
        kind="no gpu",
        pattern=r"invalid device ordinal",
        tell=always(
            "It asks for a GPU by a number that it does not have.",
            "A run sees only the GPU that was chosen for it, as number 0: let the script use cuda or cuda:0.",
        ),
    ),
    Known(
        kind="no gpu",
        pattern=r"(?:is/are|are|is) busy or unavailable",
        tell=always("The GPU is taken: another process has it for itself alone.", words.SEE_GPUS),
    ),
    Known(
        kind="driver",
        pattern=r"driver on your system is too old|CUDA driver version is insufficient",
        tell=always("The GPU's driver is older than this build of the framework needs.", words.DRIVER),
    ),
    Known(
        kind="driver",
        pattern=r"[Dd]river/library version mismatch",
        tell=always(
            "The GPU's driver was updated while the old one is still loaded.", "Restart the box, or reload the driver."
        ),
    ),
    Known(
        kind="driver",
        pattern=r"no kernel image is available for execution",
        tell=always(
            "This build of the framework has no code for this GPU.",
            "Install a build for it: older ones for old GPUs, the newest for new ones.",
        ),
    ),
    Known(
        kind="gpu check",
        pattern=r"device-side assert triggered|Assertion `[^`]+` failed",
        tell=words.gpu_check,
    ),
    Known(
        kind="gpu check",
        pattern=r"illegal memory access was encountered|CUDA_ERROR_ILLEGAL_ADDRESS",
        tell=always("A program on the GPU reached outside its memory.", words.SYNCHRONOUS),
    ),
    Known(
        kind="gpu fault",
        pattern=r"uncorrectable (?:NVLink |ECC )?error|unspecified launch failure|GPU is lost|fallen off the bus",
        tell=always(
            "The GPU itself reported a fault.",
            "See what the driver says: nvidia-smi -q; it may need a reset or a rest.",
        ),
    ),
    Known(
        kind="nan",
        pattern=r"returned nan values in its|found invalid values:\s*tensor\(\[*\s*nan"
        r"|(?i:loss (?:is|became|was) (?:infinite or )?(?:nan|not finite|inf))|(?i:nan loss)|is nan or inf"
        r"|FloatingPointError: Loss became|loss returned in `training_step` is",
        tell=always("A number of the training became NaN (not a number).", words.NOT_A_NUMBER),
    ),
    Known(
        kind="nan",
        pattern=r"(?:Input|Target)\w* ?\w* contains (?:NaN|infinity)",
        tell=always("The data holds NaN (values that are not numbers).", "Clean the data, or fill in what is missing."),
    ),
    Known(kind="port", pattern=r"EADDRINUSE|[Aa]ddress already in use", tell=words.port),
    Known(kind="file", pattern=r"(?:FileNotFoundError|can't open file).*?'([^']+)'", tell=words.file),
    Known(
        kind="permission",
        pattern=r"PermissionError.*?'([^']+)'",
        tell=always("It may not open {0}.", "See whose it is (ls -ld), or use a folder of your own."),
    ),
    Known(
        kind="arguments",
        pattern=r"error: unrecognized arguments: (.+)|not used by the HfArgumentParser: (.+)|[Nn]o such option:? (\S+)"
        r"|Unknown command line flag '([^']+)'|Could not consume arg: (\S+)",
        tell=words.arguments,
    ),
    Known(
        kind="arguments",
        pattern=r"error: the following arguments are required: (.+)",
        tell=always(
            "The script needs these arguments: {0}", "Give them behind --, as in: backprop run train.py -- --data PATH"
        ),
    ),
)
"""Looked for in the error itself, or where there is none in the last lines. The more special come first."""

ANYWHERE: tuple[Known, ...] = (
    Known(kind="shared memory", pattern=r"Unexpected bus error encountered in worker", tell=words.shared_memory),
    Known(kind="memory", pattern=r"DataLoader worker .{0,80} is killed by signal: Killed", tell=words.loader_killed),
    Known(
        kind="peers",
        pattern=r"collective operation timeout: Work\w+\(.{0,200}?OpType=(\w+).{0,300}?Timeout\(ms\)=(\d+)",
        tell=words.waited,
    ),
    Known(
        kind="killed",
        pattern=r"Root Cause \(first observed failure\):\n(?:.*\n){0,4}?\s*rank\s+: (\d+).*\n\s*exitcode\s+: -(\d+) ",
        tell=words.worker,
    ),
    Known(kind="killed", pattern=r"died with <Signals\.SIG\w+: (\d+)>", tell=words.child),
    Known(
        kind="memory",
        pattern=r"terminate called after throwing an instance of 'std::bad_alloc'",
        tell=words.host_memory,
    ),
)
"""They end a training wherever in the last lines they stand, and other errors follow from them."""

IN_TRACE: tuple[Known, ...] = (
    Known(kind="checkpoint", pattern=r"_open_zipfile_reader\(|safe_open\(", tell=words.damaged),
)
"""Looked for in the traceback: errors whose own words say nothing."""

SECONDARY: tuple[Known, ...] = (
    Known(
        kind="peers",
        pattern=r"[Cc]onnection (?:closed|reset) by peer|remote process exited|ncclRemoteError|NCCL error",
        tell=always(
            "A worker lost its connection to another one, which had failed before.",
            "Look for the first error of any worker in the log.",
        ),
    ),
    Known(
        kind="memory",
        pattern=r"DataLoader worker .{0,80} exited unexpectedly",
        tell=always("A data loader worker ended without a word, often because memory (RAM) ran out.", words.LESS_RAM),
    ),
)
"""What is said by those that had to do with the one that failed: only where nothing else is known."""
