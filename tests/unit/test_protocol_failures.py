"""What went wrong, in one sentence, and what to do: from what was really printed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backprop_tui.protocol.failure_table import ANYWHERE, ERRORS, IN_TRACE, SECONDARY
from backprop_tui.protocol.failure_words import LESS_RAM, NOT_A_NUMBER, SAME_ARGUMENTS, SEE_GPUS, SYNCHRONOUS, About
from backprop_tui.protocol.failures import explain
from backprop_tui.protocol.text import clean
from backprop_tui.protocol.tracebacks import frames, traceback_of
from tests.unit.made_details import CWD, TRACE

CAPTURES = Path(__file__).parent.parent / "captures" / "failures"
HEAD = ("Traceback (most recent call last):", '  File "/w/train.py", line 7, in <module>', "    main()")
ABOUT = About(interpreter="/w/.venv/bin/python", cwd="/w")
KILLED = "The process was killed by signal 9, most likely by the system because memory (RAM) ran out."


def raised(error: str) -> tuple[str, ...]:
    return (*HEAD, *error.split("\n"))


def captured(name: str) -> list[str]:
    text = (CAPTURES / f"{name}.txt").read_text()
    return [clean(line, 2000) for line in text.split("\n")]


CAPTURED = {
    "acc": ("input", "It asked for something to be typed; a run has no keyboard."),
    "anomaly": ("nan", "A number of the training became NaN (not a number)."),
    "arg": ("arguments", "The script does not know these arguments: --lrr 3 --x"),
    "cudaload": ("checkpoint", "The checkpoint was saved on a GPU that is not there now."),
    "cut": ("checkpoint", "A checkpoint that it loaded is damaged: it was cut short, or is none."),
    "ddp": ("error", "KeyError in ddp.py, line 3: 'x'"),
    "ddpkill": ("killed", "Worker 1 was killed by signal 9, most likely because memory (RAM) ran out."),
    "ds": ("hub", "Something of the Hugging Face hub is not in the cache, and going online is switched off."),
    "files24": ("open files", "It had too many files open at once."),
    "hfarg": ("arguments", "The script does not know these arguments: --foo 1"),
    "hostoom": ("memory", "The box ran out of memory (RAM): 36.4T more was needed."),
    "hub": ("hub", "https://huggingface.co could not be reached, and what was wanted of it is not in the cache."),
    "hub2": ("hub", "https://huggingface.co could not be reached, and what was wanted of it is not in the cache."),
    "inp": ("input", "It asked for something to be typed; a run has no keyboard."),
    "missing": ("checkpoint", "The checkpoint does not fit the model Sequential: it has other parts."),
    "nanp": ("nan", "A number of the training became NaN (not a number)."),
    "nogpu": ("no gpu", "The PyTorch of /w/.venv/bin/python was built without CUDA, and the script wants a GPU."),
    "npoom": ("memory", "The box ran out of memory (RAM): 7.11P more was needed."),
    "optim": ("checkpoint", "The checkpoint's optimizer state does not fit the model."),
    "port": ("port", "Port 29613 is in use, most likely by another distributed training."),
    "port2": ("port", "Port 29613 is in use, most likely by another distributed training."),
    "size": ("checkpoint", "The checkpoint does not fit the model: 0.weight is [10, 4] there and [12, 4] here."),
    "weights": ("weights only", "torch.load refused the checkpoint: since PyTorch 2.6 it does not load more than tensors "
                "(argparse.Namespace) unless it is told to."),
    "worker": ("file", "There is no file or folder data/none.bin."),
    "workerbus": ("shared memory", "Shared memory (/dev/shm) ran out."),
    "workerkill": ("memory", "A data loader worker was killed, most likely by the system because memory (RAM) ran out."),
}  # fmt: skip


@pytest.mark.parametrize("name", CAPTURED)
def test_recorded_failures(name: str) -> None:
    found = explain(captured(name), exit_code=1, about=ABOUT)
    assert (found.kind, found.sentence) == CAPTURED[name]
    assert bool(found.todo) == (found.kind != "error")


def test_every_recorded_failure_has_its_sentence() -> None:
    assert {path.stem for path in CAPTURES.glob("*.txt")} == CAPTURED.keys()


OOM = (
    "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 512.00 MiB. GPU 0 has a total capacity of 23.65 GiB of "
    "which 15.20 GiB is free. 8.00 GiB allowed; Of the allocated memory 7.61 GiB is allocated by PyTorch, and 9.41 MiB is "
    "reserved by PyTorch but unallocated."
)
NCCL = (
    "[rank1]:[E1123 22:10:03.121 ProcessGroupNCCL.cpp:632] [Rank 1] Watchdog caught collective operation timeout: "
    "WorkNCCL(SeqNum=131, OpType=ALLREDUCE, NumelIn=4194304, NumelOut=4194304, Timeout(ms)=600000) ran for 600051 "
    "milliseconds before timing out.",
    "[rank1]:[E1123 22:10:03.190 ProcessGroupNCCL.cpp:684] [Rank 1] Some NCCL operations have failed or timed out.",
    "terminate called after throwing an instance of 'c10::DistBackendError'",
)
ASSERT = (
    "../aten/src/ATen/native/cuda/Loss.cu:250: nll_loss_forward_reduce_cuda_kernel_2d: block: [0,0,0], thread: [5,0,0] "
    "Assertion `t >= 0 && t < n_classes` failed.",
)


@pytest.mark.parametrize(
    ("lines", "facts", "kind", "sentence"),
    [
        (TRACE, {}, "gpu memory", "GPU 1 ran out of memory: 2.50G more was needed, 1.10G was free."),
        (raised("RuntimeError: CUDA out of memory. Tried to allocate 512.00 MiB (GPU 0; 23.65 GiB total capacity; 20.1 GiB "
                "already allocated; 310.00 MiB free; 21 GiB reserved)"), {},
         "gpu memory", "GPU 0 ran out of memory: 512.00M more was needed, 310.00M was free."),
        (raised("RuntimeError: CUDA error: out of memory"), {}, "gpu memory", "The GPU ran out of memory."),
        (raised("jaxlib.xla_extension.XlaRuntimeError: RESOURCE_EXHAUSTED: Out of memory while trying to allocate 17 bytes"), {},
         "gpu memory", "The GPU ran out of memory."),
        (raised("torch.OutOfMemoryError: HIP out of memory. Tried to allocate 1.00 GiB"), {},
         "gpu memory", "The GPU ran out of memory: 1.00G more was needed."),
        (raised(OOM), {}, "gpu memory", "GPU 0 ran out of the memory that it may use, 8.00G."),
        (raised("MemoryError"), {}, "memory", "The box ran out of memory (RAM)."),
        (raised("numpy._core._exceptions._ArrayMemoryError: Unable to allocate 3.00 GiB for an array with shape (9,)"), {},
         "memory", "The box ran out of memory (RAM): 3.00G more was needed."),
        (raised("RuntimeError: [enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 4294967296 bytes."),
         {}, "memory", "The box ran out of memory (RAM): 4.0G more was needed."),
        (("terminate called after throwing an instance of 'std::bad_alloc'", "  what():  std::bad_alloc"), {"exit_signal": 6},
         "memory", "The box ran out of memory (RAM)."),
        (raised("RuntimeError: DataLoader worker (pid 123) is killed by signal: Killed. "), {},
         "memory", "A data loader worker was killed, most likely by the system because memory (RAM) ran out."),
        (raised("RuntimeError: DataLoader worker (pid(s) 123) exited unexpectedly"), {},
         "memory", "A data loader worker ended without a word, often because memory (RAM) ran out."),
        (raised("ModuleNotFoundError: No module named 'peft'"), {"about": ABOUT},
         "module", "No module named 'peft' in /w/.venv/bin/python."),
        (("/usr/bin/python3: No module named torchtune",), {}, "module", "No module named 'torchtune'."),
        (raised("ImportError: libcudart.so.12: cannot open shared object file: No such file or directory"), {},
         "module", "The library libcudart.so.12 is missing on this box."),
        (raised("FileNotFoundError: [Errno 2] No such file or directory: 'data/train.bin'"), {},
         "file", "There is no file or folder data/train.bin."),
        (("python: can't open file '/w/none.py': [Errno 2] No such file or directory",), {},
         "file", "There is no file or folder /w/none.py."),
        (raised("PermissionError: [Errno 13] Permission denied: '/data'"), {}, "permission", "It may not open /data."),
        (raised("OSError: [Errno 28] No space left on device: 'ckpt/1.pt'"), {},
         "disk", "There was no space left on the disk for ckpt/1.pt."),
        (raised("OSError: [Errno 28] No space left on device"), {}, "disk", "There was no space left on the disk."),
        (raised("OSError: [Errno 122] Disk quota exceeded"), {}, "disk", "There was no space left on the disk."),
        (raised("OSError: [Errno 30] Read-only file system: '/data/out'"), {},
         "disk", "Nothing can be written there, the disk is read-only: /data/out"),
        (("usage: train.py [-h]", "train.py: error: unrecognized arguments: --lrr 1"), {"exit_code": 2},
         "arguments", "The script does not know these arguments: --lrr 1"),
        (("train.py: error: unrecognized arguments: --api-key abc",), {"exit_code": 2},
         "arguments", "The script does not know these arguments: --api-key •••"),
        (("train.py: error: unrecognized arguments: --resume ck/1.pt",),
         {"exit_code": 2, "about": ABOUT.replace(added=("--resume", "ck/1.pt"))},
         "arguments", "The script does not know --resume ck/1.pt, with which its checkpoint was handed to it."),
        (("Usage: train.py [OPTIONS]", "Error: No such option: --lrr"), {"exit_code": 2},
         "arguments", "The script does not know these arguments: --lrr"),
        (("FATAL Flags parsing error: Unknown command line flag 'lrr'",), {"exit_code": 1},
         "arguments", "The script does not know these arguments: lrr"),
        (("train.py: error: the following arguments are required: --data",), {"exit_code": 2},
         "arguments", "The script needs these arguments: --data"),
        (raised("wandb.errors.errors.UsageError: api_key not configured (no-tty). call wandb.login(key=[your_api_key])"), {},
         "login", "Weights & Biases wants a login; a run has no keyboard."),
        (raised("OSError: meta-llama/Llama-9 is not a local folder and is not a valid model identifier listed on "
                "'https://huggingface.co/models'"), {},
         "hub", "The Hugging Face hub has no meta-llama/Llama-9, or does not let you read it."),
        (raised("OSError: You are trying to access a gated repo.\nMake sure to have access to it at https://huggingface.co/x."),
         {}, "hub", "What it wants of the Hugging Face hub may not be read without being let in."),
        (raised("RuntimeError: No CUDA GPUs are available"), {}, "no gpu", "It wants a GPU and sees none."),
        (raised("RuntimeError: Found no NVIDIA driver on your system. Please check that you have an NVIDIA GPU"), {},
         "no gpu", "It wants a GPU and sees none."),
        (raised("RuntimeError: CUDA error: invalid device ordinal\nCUDA kernel errors might be asynchronously reported"), {},
         "no gpu", "It asks for a GPU by a number that it does not have."),
        (raised("RuntimeError: CUDA error: CUDA-capable device(s) is/are busy or unavailable"), {},
         "no gpu", "The GPU is taken: another process has it for itself alone."),
        (raised("RuntimeError: The NVIDIA driver on your system is too old (found version 11040)."), {},
         "driver", "The GPU's driver is older than this build of the framework needs."),
        (raised("RuntimeError: CUDA error: no kernel image is available for execution on the device"), {},
         "driver", "This build of the framework has no code for this GPU."),
        (("Failed to initialize NVML: Driver/library version mismatch",), {"exit_code": 1},
         "driver", "The GPU's driver was updated while the old one is still loaded."),
        ((*ASSERT, *raised("RuntimeError: CUDA error: device-side assert triggered\nCUDA kernel errors might be asynchronously "
                           "reported at some other API call")), {},
         "gpu check", "A check on the GPU failed: a label lies outside the number of classes."),
        (raised("RuntimeError: CUDA error: device-side assert triggered"), {"exit_signal": 6},
         "gpu check", "A check on the GPU failed: most often a label or an index outside its range."),
        (raised("RuntimeError: CUDA error: an illegal memory access was encountered"), {},
         "gpu check", "A program on the GPU reached outside its memory."),
        (raised("RuntimeError: CUDA error: unspecified launch failure"), {}, "gpu fault", "The GPU itself reported a fault."),
        (NCCL, {"exit_signal": 6}, "peers", "A worker waited 10 min for the others (ALLREDUCE) and gave up."),
        (raised("RuntimeError: [gloo/transport/tcp/pair.cc:553] Connection closed by peer [127.0.0.1]:65240"), {},
         "peers", "A worker lost its connection to another one, which had failed before."),
        (raised("FloatingPointError: Loss became infinite or NaN at iteration=120!"), {},
         "nan", "A number of the training became NaN (not a number)."),
        (raised("ValueError: The loss returned in `training_step` is nan."), {},
         "nan", "A number of the training became NaN (not a number)."),
        (raised("ValueError: Input X contains NaN."), {}, "nan", "The data holds NaN (values that are not numbers)."),
        (raised("safetensors_rust.SafetensorError: Error while deserializing header: HeaderTooLarge"), {},
         "checkpoint", "A checkpoint that it loaded is damaged: it was cut short, or is none."),
        (raised("RuntimeError: PytorchStreamReader failed reading zip archive: failed finding central directory"), {},
         "checkpoint", "A checkpoint that it loaded is damaged: it was cut short, or is none."),
        (raised("OSError: [Errno 98] Address already in use"), {},
         "port", "A network port that it wants is in use, most likely by another distributed training."),
        (("step 1",), {"exit_signal": 9}, "killed", KILLED),
        (("step 1", "Killed"), {"exit_code": 137}, "killed", KILLED),
        # An error that was printed and survived did not kill it.
        (raised("torch.OutOfMemoryError: CUDA out of memory."), {"exit_signal": 9}, "killed", KILLED),
        (raised("subprocess.CalledProcessError: Command '['python']' died with <Signals.SIGKILL: 9>."), {}, "killed", KILLED),
        (("step 1",), {"exit_signal": 11}, "crash", "The process crashed: segmentation fault (SIGSEGV)."),
        (("step 1",), {"exit_signal": 10}, "", "Signal 10 ended the process. The last lines:"),
        (raised("KeyboardInterrupt"), {"exit_signal": 2}, "", "Signal 2 ended the process. The last lines:"),
        (("step 1",), {"exit_code": 3}, "", "The script ended with code 3 and printed no traceback. The last lines:"),
        ((), {}, "", "The script ended and printed no traceback. The last lines:"),
        (raised("ValueError: no such thing"), {}, "error", "ValueError in train.py, line 7: no such thing"),
        (raised("my.own.Trouble"), {}, "error", "Trouble was raised in train.py, line 7."),
        (raised("subprocess.CalledProcessError: Command '['x']' returned non-zero exit status 1."), {},
         "error", "CalledProcessError in train.py, line 7: Command '['x']' returned non-zero exit status 1."),
        # A bar that was not finished stands before it.
        ((" 10%|#   | 1/10 " + HEAD[0], *HEAD[1:], "KeyError: 'x'"), {}, "error", "KeyError in train.py, line 7: 'x'"),
        # What was printed before an unknown error did not end the script.
        (("ModuleNotFoundError: No module named 'apex'", *raised("ValueError: x")), {},
         "error", "ValueError in train.py, line 7: x"),
        # Of a group of workers the one that failed counts, not their launcher.
        (("[rank0]: Traceback (most recent call last):", '[rank0]:   File "/w/t.py", line 3, in f', "[rank0]: KeyError: 'x'",
          "Traceback (most recent call last):", '  File "/v/site-packages/torch/run.py", line 1, in g',
          "torch.distributed.elastic.multiprocessing.errors.ChildFailedError: "), {},
         "error", "KeyError in t.py, line 3: 'x'"),
        # Lines of two workers are mixed.
        (("[rank1]: Traceback (most recent call last):", "[rank0]: Traceback (most recent call last):",
          '[rank1]:   File "/w/t.py", line 3, in f', '[rank0]:   File "/w/t.py", line 9, in g', "[rank0]: ValueError: second",
          "[rank1]: KeyError: 'first'"), {}, "error", "KeyError in t.py, line 3: 'first'"),
    ],
)  # fmt: skip
def test_known_failures(lines: tuple[str, ...], facts: dict[str, object], kind: str, sentence: str) -> None:
    found = explain(lines, **facts)  # type: ignore[arg-type]
    assert (found.kind, found.sentence) == (kind, sentence)
    assert bool(found.todo) == (kind not in ("error", ""))


@pytest.mark.parametrize(
    ("error", "todo"),
    [
        ("ModuleNotFoundError: No module named 'cv2'",
         "Install it: /w/.venv/bin/python -m pip install opencv-python; if it is installed elsewhere, choose that Python with "
         "--python."),
        ("FileNotFoundError: [Errno 2] No such file or directory: 'data/x'",
         "It ran in /w, where paths that begin without / are looked for: check the path, or set --cwd."),
        ("FileNotFoundError: [Errno 2] No such file or directory: '/data/x'", "Check the path."),
        ("MemoryError", LESS_RAM),
        ("RuntimeError: No CUDA GPUs are available", SEE_GPUS),
        ("RuntimeError: CUDA error: an illegal memory access was encountered", SYNCHRONOUS),
        ("RuntimeError: Function 'SqrtBackward0' returned nan values in its 0th output.", NOT_A_NUMBER),
        ("RuntimeError: Error(s) in loading state_dict for Net:", SAME_ARGUMENTS),
        (OOM, "Use a smaller batch, shorter inputs or mixed precision, or allow it more: --gpu-memory-limit."),
    ],
)  # fmt: skip
def test_what_to_do(error: str, todo: str) -> None:
    assert explain(raised(error), about=ABOUT).todo == todo


@pytest.mark.parametrize("known", [*ERRORS, *ANYWHERE, *IN_TRACE, *SECONDARY], ids=lambda known: known.pattern[:30])
def test_patterns_are_patterns(known: object) -> None:
    re.compile(known.pattern)  # type: ignore[attr-defined]


def test_frames_keep_the_newest_of_ones_own_and_the_error() -> None:
    shown = frames(TRACE, 5, cwd=CWD)
    assert [frame.kind for frame in shown] == ["", "own", "own", "library", "error"]
    assert shown[1].text == '  File "train_ner.py", line 118, in main'
    assert shown[3].text == '  File ".../transformers/models/bert/modeling_bert.py", line 1684, in forward'
    assert [frame.kind for frame in frames(TRACE, 1)] == ["error"]
    assert not any("^^^" in frame.text for frame in frames(TRACE, 50))
    assert frames((), 5) == []


def test_the_innermost_traceback_of_a_worker_is_shown() -> None:
    assert (
        traceback_of(captured("worker"))[-1]
        == "FileNotFoundError: [Errno 2] No such file or directory: 'data/none.bin'"
    )


@given(
    st.lists(
        st.text(max_size=60)
        | st.sampled_from(
            [*HEAD, "KeyError", "[rank0]: Traceback (most recent call last):", "CUDA out of memory", "what(): x"]
        ),
        max_size=30,
    ),
    st.sampled_from([None, 0, 1, 2, 137, 300]),
    st.sampled_from([None, 2, 6, 9, 64]),
)
def test_no_output_does_harm(lines: list[str], code: int | None, signal: int | None) -> None:
    found = explain(lines, exit_code=code, exit_signal=signal)
    assert found.sentence.isprintable()
    assert len(found.sentence) <= 400


def test_long_output_takes_no_time() -> None:
    """Patterns that could go back and forth over it would not come to an end."""
    long = "a" * 200_000
    explain([long, "[" * 100_000, "Root Cause (first observed failure):" * 3000, "WorkNCCL(" * 20_000], exit_code=1)
    explain([*HEAD, "RuntimeError: " + "CUDA " * 50_000], exit_code=1)
