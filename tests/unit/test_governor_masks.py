from __future__ import annotations

import pytest

from backprop_tui.governor.masks import visible
from backprop_tui.model.samples import GpuSample


def gpu(index, uuid):
    return GpuSample(index=index, mask=index, uuid=uuid, name="Card")


WHOLE = (gpu("0", "GPU-aa11"), gpu("1", "GPU-aa22"), gpu("2", "GPU-bb33"))
SLICED = (gpu("0", "GPU-aa11"), gpu("1:0", "MIG-cc44"), gpu("1:1", "MIG-cc55"))


@pytest.mark.parametrize(
    ("mask", "expected"),
    [
        (None, "0 1 2"),
        ("0,1,2", "0 1 2"),
        ("2", "2"),
        ("1,0", "0 1"),
        (" 1 , 2 ", "1 2"),
        ("01", "1"),
        ("GPU-bb33", "2"),
        ("GPU-bb", "2"),
        ("GPU-aa22,0", "0 1"),
        ("GPU-aa", ""),  # fits two
        ("GPU-", ""),
        ("GPU-zz", ""),
        ("gpu-bb33", ""),
        ("bb33", ""),
        ("7", ""),
        ("0,7,1", "0"),
        ("0,,1", "0"),
        ("0,-1,1", "0"),
        ("0,GPU-aa,1", "0"),
        ("0,0", ""),
        ("0,GPU-aa11", ""),
        ("", ""),
        (" ", ""),
        ("-1", ""),
        ("NoDevFiles", ""),
        ("void", ""),
        ("none", ""),
        ("1e0", ""),
        ("²", ""),
        ("١", ""),
        ("9" * 5000, ""),
        ("," * 5000, ""),
    ],
)
def test_whole_gpus(mask, expected):
    assert " ".join(gpu.index for gpu in visible(WHOLE, mask)) == expected


@pytest.mark.parametrize(
    ("mask", "expected"),
    [
        (None, "0 1:0 1:1"),
        ("MIG-cc55", "1:1"),
        ("MIG-cc", ""),
        ("MIG-cc44,MIG-cc55", "1:0 1:1"),
        ("1", "1:0"),
        ("0,1", "0 1:0"),
    ],
)
def test_slices(mask, expected):
    assert " ".join(gpu.index for gpu in visible(SLICED, mask)) == expected


def test_nothing_to_see():
    assert visible((), "0") == ()
    assert visible((), None) == ()
