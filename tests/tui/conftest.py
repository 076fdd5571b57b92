from __future__ import annotations

import ctypes
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.box import Box
from tests.stand_ins.compiling import build
from tests.stand_ins.nvml import SOURCE, STATE_VARIABLE, NvmlStandIn
from tests.tui.records import Records


@pytest.fixture
def records(box: Box) -> Iterator[Records]:
    """Writes runs into the box's home."""
    made = Records(box.home, time.time())
    yield made
    made.close()


@pytest.fixture(scope="session")
def nvml(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library of its own name: the driver's may be loaded in this process, too."""
    name = "libnvml-stand-in.so"
    return build(SOURCE, tmp_path_factory.mktemp("nvml"), name)


@pytest.fixture
def gpus(nvml: Path, tmp_path: Path, box: Box, monkeypatch: pytest.MonkeyPatch) -> NvmlStandIn:
    """GPUs that the dashboard sees through the real pynvml; one of them to begin with."""
    import pynvml

    stand_in = NvmlStandIn(nvml, tmp_path / "gpus")
    monkeypatch.setattr(pynvml, "nvmlLib", ctypes.CDLL(str(nvml)))
    monkeypatch.setattr(pynvml, "_nvmlGetFunctionPointer_cache", {})
    box.env |= {STATE_VARIABLE: str(stand_in.state_file), "BACKPROP_SET_GPU_PROBE": "nvml"}
    return stand_in
