"""What went wrong, in one sentence."""

from __future__ import annotations

import math

import pytest

from backprop_tui.watch import failures
from tests.unit.made_details import CWD, TRACE

HEAD = ("Traceback (most recent call last):", '  File "/w/train.py", line 7, in <module>', "    main()")


def raised(error: str) -> tuple[str, ...]:
    return (*HEAD, error)


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
        (raised("MemoryError"), {}, "memory", "The box ran out of memory (RAM)."),
        (raised("numpy._core._exceptions._ArrayMemoryError: Unable to allocate 3.00 GiB for an array with shape (9,)"), {},
         "memory", "The box ran out of memory (RAM): 3.00G more was needed."),
        (raised("RuntimeError: [enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 4294967296 bytes."),
         {}, "memory", "The box ran out of memory (RAM): 4.0G more was needed."),
        (raised("RuntimeError: DataLoader worker (pid 123) is killed by signal: Killed. "), {},
         "memory", "A data loader worker was killed, most likely by the system because memory ran out."),
        (raised("ModuleNotFoundError: No module named 'peft'"), {"interpreter": "/w/.venv/bin/python"},
         "module", "No module named 'peft' in /w/.venv/bin/python."),
        (("/usr/bin/python3: No module named torchtune",), {}, "module", "No module named 'torchtune'."),
        (raised("FileNotFoundError: [Errno 2] No such file or directory: 'data/train.bin'"), {},
         "file", "There is no file or folder data/train.bin."),
        (("python: can't open file '/w/none.py': [Errno 2] No such file or directory",), {},
         "file", "There is no file or folder /w/none.py."),
        (raised("PermissionError: [Errno 13] Permission denied: '/data'"), {}, "permission", "It may not open /data."),
        (raised("OSError: [Errno 28] No space left on device: 'ckpt/1.pt'"), {},
         "disk", "There was no space left on the disk for ckpt/1.pt."),
        (raised("OSError: [Errno 28] No space left on device"), {}, "disk", "There was no space left on the disk."),
        (("usage: train.py [-h]", "train.py: error: unrecognized arguments: --lrr 1"), {"exit_code": 2},
         "arguments", "The script does not know these arguments: --lrr 1"),
        (("step 1",), {"exit_signal": 9}, "killed",
         "The process was killed by signal 9, most likely by the system because memory ran out."),
        (("step 1",), {"exit_signal": 11}, "", "Signal 11 ended the process. The last lines:"),
        (("step 1",), {"exit_code": 3}, "", "The script ended with code 3 and printed no traceback. The last lines:"),
        ((), {}, "", "The script ended and printed no traceback. The last lines:"),
        (raised("ValueError: no such thing"), {}, "error", "ValueError was raised in train.py, line 7."),
        (raised("my.own.Trouble"), {}, "error", "Trouble was raised in train.py, line 7."),
        # What was printed before an unknown error did not end the script.
        (("ModuleNotFoundError: No module named 'apex'", *raised("ValueError: x")), {},
         "error", "ValueError was raised in train.py, line 7."),
        # Of a group of workers the one that failed counts, not their launcher.
        (("[rank0]: Traceback (most recent call last):", '[rank0]:   File "/w/t.py", line 3, in f', "[rank0]: KeyError: 'x'",
          "Traceback (most recent call last):", '  File "/v/site-packages/torch/run.py", line 1, in g',
          "torch.distributed.elastic.multiprocessing.errors.ChildFailedError: "), {},
         "error", "KeyError was raised in t.py, line 3."),
    ],
)  # fmt: skip
def test_known_failures(lines: tuple[str, ...], facts: dict[str, object], kind: str, sentence: str) -> None:
    found = failures.explain(lines, **facts)  # type: ignore[arg-type]
    assert (found.kind, found.sentence) == (kind, sentence)
    assert found.kind in failures.KINDS


def test_frames_keep_the_newest_of_ones_own_and_the_error() -> None:
    shown = failures.frames(TRACE, 5, cwd=CWD)
    assert [frame.kind for frame in shown] == ["", "own", "own", "library", "error"]
    assert shown[1].text == '  File "train_ner.py", line 118, in main'
    assert shown[3].text == '  File ".../transformers/models/bert/modeling_bert.py", line 1684, in forward'
    assert [frame.kind for frame in failures.frames(TRACE, 1)] == ["error"]
    assert not any("^^^" in frame.text for frame in failures.frames(TRACE, 50))
    assert failures.frames((), 5) == []


@pytest.mark.parametrize(
    ("values", "bad", "said"),
    [
        ([5.0, 4.0, 6.0, 8.0, math.nan], 4, "Loss fell to 4.000 by step 1, rose to 8.000 by step 3, then became NaN."),
        ([5.0, 4.0, math.nan], 2, "Loss fell to 4.000 by step 1, then became NaN."),
        ([1.0, 2.0, math.inf], 2, "Loss rose to 2.000 by step 1, then became NaN."),
        ([2.0, math.nan], 1, "Loss was 2.000 at step 0, then became NaN."),
        ([math.nan, math.nan], 0, "Loss was no number from its first value on, at step 0."),
        ([1.0, 2.0], None, ""),
    ],
)
def test_how_a_loss_went_wrong(values: list[float], bad: float | None, said: str) -> None:
    assert failures.divergence("loss", range(len(values)), values, bad) == said
