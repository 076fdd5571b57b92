from __future__ import annotations

from pathlib import Path

import pytest

from tests.box import Box
from tests.stand_ins.compiling import build
from tests.stand_ins.nvml import LIBRARY, SOURCE, STATE_VARIABLE, NvmlStandIn


@pytest.fixture(scope="session")
def nvml_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(SOURCE, tmp_path_factory.mktemp("nvml"), LIBRARY)


@pytest.fixture
def gpus(nvml_library: Path, tmp_path: Path, box: Box) -> NvmlStandIn:
    """A box with GPUs, at first two of 24 GiB at 50 °C: GPU 0 has 10 GiB free, GPU 1 has 20."""
    stand_in = NvmlStandIn(nvml_library, tmp_path / "gpus")
    wanted: dict[str, object] = {"count": 2}
    for n, free in ((0, 10), (1, 20)):
        wanted |= {f"{n}.total": 24 << 30, f"{n}.free": free << 30, f"{n}.temp": 50}
    stand_in.set(wanted)
    told = stand_in.env()
    box.env |= {name: told[name] for name in ("LD_LIBRARY_PATH", STATE_VARIABLE)}
    return stand_in
