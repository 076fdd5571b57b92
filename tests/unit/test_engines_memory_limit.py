"""How a framework is told of a limit of GPU memory."""

from __future__ import annotations

import pytest

from backprop_tui.engines.memory_limit import limit_bytes, means, watched_only

GB = 1024**3
TOTAL = 24 * GB


@pytest.mark.parametrize(
    ("text", "total", "count"),
    [
        ("80%", 10 * GB, 8 * GB),
        ("100%", GB, GB),
        ("8GB", TOTAL, 8 * GB),
        ("512MB", TOTAL, GB // 2),
        ("1.5GB", TOTAL, 3 * GB // 2),
        ("1TB", TOTAL, TOTAL),
    ],
)
def test_what_a_limit_means(text: str, total: int, count: int) -> None:
    assert limit_bytes(text, total) == count


FRACTION = "per_process_memory_fraction:0.3125"  # (8 - 0.5) / 24
CUDA, PLAIN = "PYTORCH_CUDA_ALLOC_CONF", "PYTORCH_ALLOC_CONF"
OLD, NEW, PRE = "XLA_PYTHON_CLIENT_MEM_FRACTION", "XLA_CLIENT_MEM_FRACTION", "XLA_PYTHON_CLIENT_PREALLOCATE"
GROWTH = "TF_FORCE_GPU_ALLOW_GROWTH"


@pytest.mark.parametrize(
    ("framework", "version", "env", "changes", "by", "said"),
    [
        ("pytorch", "2.13.0+cpu", {}, {CUDA: FRACTION, PLAIN: FRACTION}, "PyTorch's allocator", "(version 2.13.0)"),
        ("pytorch", "2.10.0", {CUDA: ""}, {CUDA: FRACTION, PLAIN: FRACTION}, "PyTorch's allocator", "and watched"),
        (
            "pytorch",
            "2.13.0",
            {CUDA: "expandable_segments:True"},
            {CUDA: f"expandable_segments:True,{FRACTION}"},
            "PyTorch's allocator",
            "kept by",
        ),
        (
            "pytorch",
            "2.13.0",
            {PLAIN: "backend:native,"},
            {PLAIN: f"backend:native,{FRACTION}"},
            "PyTorch's allocator",
            "",
        ),
        (
            "pytorch",
            "2.13.0",
            {CUDA: "a:1", PLAIN: "b:2"},
            {CUDA: f"a:1,{FRACTION}", PLAIN: f"b:2,{FRACTION}"},
            "PyTorch's allocator",
            "",
        ),
        (
            "pytorch",
            "2.13.0",
            {CUDA: "per_process_memory_fraction:0.5"},
            {},
            "PyTorch's allocator",
            "as your own PYTORCH_CUDA_ALLOC_CONF says",
        ),
        (
            "pytorch",
            "2.13.0",
            {CUDA: "a:1", PLAIN: "per_process_memory_fraction:0.5"},  # which is not read beside the other
            {CUDA: f"a:1,{FRACTION}", PLAIN: f"per_process_memory_fraction:0.5,{FRACTION}"},
            "PyTorch's allocator",
            "",
        ),
        ("pytorch", "2.9.1", {}, {}, "", "PyTorch 2.9.1 has no option for a limit"),
        ("pytorch", "3", {}, {CUDA: FRACTION, PLAIN: FRACTION}, "PyTorch's allocator", ""),
        ("pytorch", "odd", {}, {}, "", "no option"),
        ("pytorch", None, {}, {}, "", "PyTorch's version is not known"),
        ("unknown", "2.13.0", {}, {CUDA: FRACTION, PLAIN: FRACTION}, "PyTorch's allocator", "if it uses PyTorch"),
        ("unknown", None, {}, {}, "", "not known which framework"),
        ("jax", "0.4.30", {}, {OLD: "0.3125", PRE: "false"}, "JAX's allocator", "and watched"),
        ("jax", None, {}, {OLD: "0.3125", PRE: "false"}, "JAX's allocator", ""),
        ("jax", "0.7.2", {}, {NEW: "0.3125", PRE: "false"}, "JAX's allocator", ""),
        ("jax", "0.4.30", {NEW: ".2"}, {PRE: "false"}, "JAX's allocator", f"as your own {NEW} says"),
        ("jax", "0.7.2", {OLD: ".2", PRE: "true"}, {}, "JAX's allocator", f"as your own {OLD} says"),
        ("jax", "0.7.2", {"XLA_PYTHON_CLIENT_ALLOCATOR": "platform"}, {}, "", "watched, and stopped beyond it"),
        ("tensorflow", "2.19", {}, {GROWTH: "true"}, "TensorFlow's memory growth", "watched, and stopped beyond it"),
        ("tensorflow", None, {GROWTH: "false"}, {}, "TensorFlow's memory growth", "watched"),
    ],
)
def test_what_is_set_and_said(
    framework: str, version: str | None, env: dict[str, str], changes: dict[str, str], by: str, said: str
) -> None:
    found, limit = means(framework, version, "8GB", [TOTAL], env)
    assert found == changes
    assert (limit.bytes, limit.means) == (8 * GB, by)
    assert limit.text.startswith("at most 8.0 GB on its GPU: ")
    assert said in limit.text


def test_one_fraction_keeps_the_limit_on_gpus_of_two_sizes() -> None:
    changes, limit = means("pytorch", "2.13", "50%", [10 * GB, 20 * GB], {})
    assert limit.bytes == 5 * GB
    assert changes[CUDA] == "per_process_memory_fraction:0.225"
    assert limit.text.startswith("at most 5.0 GB on each GPU: ")


@pytest.mark.parametrize("limit", ["1MB", "0.0001%", "100%", "700MB"])
def test_the_fraction_is_always_one_that_pytorch_takes(limit: str) -> None:
    changes, _ = means("pytorch", "2.13", limit, [80 * GB], {})
    assert 0 < float(changes[CUDA].partition(":")[2]) <= 1


def test_without_means() -> None:
    found = watched_only("512MB", [TOTAL], "because")
    assert (found.bytes, found.means) == (GB // 2, "")
    assert found.text == "at most 512 MB on its GPU: watched, and stopped beyond it (because)"
