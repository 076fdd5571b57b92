"""The box on the main screen: no GPU and up to eight, in every form, hot, full, used by others, unreadable, stale."""

from __future__ import annotations

import os
import time

import pytest

from backprop_tui.tui import messages
from backprop_tui.tui.feeds import BoxFeed
from tests.box import Box
from tests.stand_ins.nvml import NvmlStandIn
from tests.tui.records import G, Records, falling
from tests.tui.stage import Stage, perform

FIGURES = {"total": 24 * G, "free": 20 * G, "temp": 50, "util": 97, "power_mw": 402_000}


def several(gpus: NvmlStandIn, count: int) -> None:
    gpus.set({"count": count, **{f"{n}.{key}": value for n in range(count) for key, value in FIGURES.items()}})


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60), (60, 18), (40, 12)])
def test_no_gpu_is_said_and_so_is_what_it_means(box: Box, size: tuple[int, int]) -> None:
    box.env["BACKPROP_SET_GPU_PROBE"] = "none"

    async def play(stage: Stage) -> None:
        await stage.sees("none found – runs use the CPU." if size[0] >= 60 else "none found – runs use the")
        await stage.sees("HOST", "all well")
        assert stage.heard(messages.BoxSeen)[0].sample.gpus.gpus == ()

    perform(box, play, size=size)


def test_one_gpu_in_full(box: Box, gpus: NvmlStandIn, records: Records) -> None:
    several(gpus, 1)
    records.run("ours", "running", gpus=("0",), losses=falling(50), ago=60, took=50)

    async def play(stage: Stage) -> None:
        await stage.sees(" GPU 0  ━━━━━━━━━━━━━━━━  97%  VRAM ━━───────────  4.0/24.0G  50/85°  402/450W")
        assert len([line for line in stage.seen.splitlines() if line.startswith(" GPU")]) == 1
        await stage.resize(120, 40)
        await stage.sees("97%", "4.0/24.0G", "50/85°C")
        await stage.until(lambda: stage.row(" GPU 0").endswith("ours"))

    perform(box, play)


@pytest.mark.parametrize(
    ("count", "size", "rows", "words"),
    [
        (2, (80, 24), [" GPU 0  ", " GPU 1  "], "VRAM"),
        (2, (120, 40), [" GPU 0  Stand-In", " GPU 1  Stand-In"], "idle"),
        (2, (200, 60), [" GPU 0  Stand-In", " GPU 1  Stand-In"], "idle"),
        (2, (60, 18), [" GPU 0 ━", " GPU 1 ━"], "402W"),
        (2, (40, 12), [" GPU 0 ━", " GPU 1 ━"], "50/85°"),
        (8, (80, 24), [" GPU util        VRAM", "   0 ━", "   3 ━"], "   7 ━"),
        (8, (120, 40), [" GPU 0  Stand-In", " GPU 7  Stand-In"], "idle"),
        (8, (200, 60), [" GPU 0  Stand-In", " GPU 7  Stand-In"], "idle"),
        (8, (60, 18), [" GPU 0 ━", " GPU 2 ━"], "402W"),
        (8, (40, 12), [" GPU 0 ━", " GPU 1 ━"], "50/85°"),
        (8, (80, 20), [" GPU 0-7  util"], "hottest"),
    ],
)
def test_the_form_follows_the_room(
    box: Box, gpus: NvmlStandIn, count: int, size: tuple[int, int], rows: list[str], words: str
) -> None:
    several(gpus, count)

    async def play(stage: Stage) -> None:
        await stage.sees(*rows, words)
        gauges = stage.app.main.gauges
        assert gauges.size.height <= max(3, size[1] // 4) + 1
        assert len(stage.heard(messages.BoxSeen)[0].sample.gpus.gpus) == count

    perform(box, play, size=size)


def test_v_shows_every_form_and_hides_them(box: Box, gpus: NvmlStandIn) -> None:
    several(gpus, 2)

    async def play(stage: Stage) -> None:
        await stage.sees(" GPU 0  ━")
        for sight in (" GPU 0  ━", " GPU util ", " GPU 0-1  util ", ""):
            await stage.press("v")
            if sight:
                await stage.sees(sight)
            else:
                await stage.until(lambda: "GPU" not in "\n".join(stage.seen.splitlines()[2:3]))
                assert "HOST" not in stage.seen
        await stage.press("v")
        await stage.sees(" GPU 0  ━", " GPU 1  ━")

    perform(box, play)


def test_a_gpu_above_the_limit_carries_a_mark(box: Box, gpus: NvmlStandIn) -> None:
    several(gpus, 2)
    gpus.set({"1.temp": 86})

    async def play(stage: Stage) -> None:
        await stage.until(lambda: "86/85°!" in stage.row(" GPU 1 "))
        assert "!" not in stage.row(" GPU 0 ")
        gpus.set({"1.temp": 60})
        await stage.until(lambda: "60/85°" in stage.row(" GPU 1 ") and "!" not in stage.row(" GPU 1 "))

    perform(box, play)


def test_memory_of_others_is_seen_as_used(box: Box, gpus: NvmlStandIn) -> None:
    several(gpus, 2)
    gpus.set({"0.free": G // 4})

    async def play(stage: Stage) -> None:
        await stage.until(lambda: "23.8/24.0G" in stage.row(" GPU 0 "))
        assert stage.row(" GPU 0 ").endswith("idle"), "no run of ours is on it"
        assert "4.0/24.0G" in stage.row(" GPU 1 ")

    perform(box, play, size=(120, 40))


def test_a_process_of_somebody_else_is_named(box: Box, gpus: NvmlStandIn, records: Records) -> None:
    several(gpus, 2)
    gpus.serve(1, {os.getpid(): 3 * G})
    records.run("ours", "running", gpus=("0",), losses=falling(50), ago=60, took=50)

    async def play(stage: Stage) -> None:
        await stage.until(lambda: stage.row(" GPU 0 ").endswith("ours"))
        await stage.until(lambda: f" {os.getpid()} (" in stage.row(" GPU 1 "))

    perform(box, play, size=(160, 40))


def test_the_limit_is_the_driver_s_where_that_comes_first(box: Box, gpus: NvmlStandIn) -> None:
    several(gpus, 2)
    gpus.set({"0.slowdown": 80, "0.temp": 70, "1.reasons": "0x40"})

    async def play(stage: Stage) -> None:
        await stage.until(lambda: "70/77°" in stage.row(" GPU 0 "))
        await stage.until(lambda: "50/85°!" in stage.row(" GPU 1 "))  # slowed down for heat already

    perform(box, play)


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (60, 18)])
def test_gpus_that_can_no_longer_be_read_are_shown_as_old(box: Box, gpus: NvmlStandIn, size: tuple[int, int]) -> None:
    several(gpus, 2)

    async def play(stage: Stage) -> None:
        await stage.sees(" GPU 0  ━" if size[0] == 80 else " GPU 0 ")
        await stage.until(lambda: stage.app.state.box is not None and stage.app.state.box.gpus.gpus)
        gpus.set({"error.all": 999})
        await stage.until(lambda: stage.row(" GPU 1 ").split("  idle")[0].rstrip().endswith("s old"))
        await stage.sees("! 1 needs you", "HOST")
        assert not stage.row(" HOST").endswith("old"), "the host can be read"
        gpus.set({"error.all": None})
        await stage.until(lambda: " old" not in stage.row(" GPU 1 "))

    perform(box, play, size=size)


@pytest.mark.parametrize("size", [(80, 24), (40, 12)])
def test_a_driver_that_refuses_needs_a_person(box: Box, gpus: NvmlStandIn, size: tuple[int, int]) -> None:
    gpus.set({"error.nvmlInitWithFlags": 18})

    async def play(stage: Stage) -> None:
        await stage.sees(" GPU    cannot be read –", "! 1 needs you", "✗ The GPUs cannot be read")
        await stage.press("exclamation_mark")
        await stage.sees("Problems", "The GPUs cannot be read")
        await stage.press("escape")
        gpus.set({"error.nvmlInitWithFlags": None})
        await stage.sees("all well", " GPU 0 ")
        assert "cannot be read" not in stage.seen

    perform(box, play, size=size)


def test_a_figure_that_cannot_be_read_is_a_dash(box: Box, gpus: NvmlStandIn) -> None:
    several(gpus, 2)
    gpus.set({f"1.error.{name}": 3 for name in ("nvmlDeviceGetUtilizationRates", "nvmlDeviceGetPowerUsage")})

    async def play(stage: Stage) -> None:
        await stage.until(lambda: stage.row(" GPU 1 ").endswith("–"))
        assert "97%" not in stage.row(" GPU 1 ")
        assert "97%" in stage.row(" GPU 0 ")
        assert stage.shows("all well")

    perform(box, play)


def test_a_gpu_that_is_lost_is_named(box: Box, gpus: NvmlStandIn) -> None:
    several(gpus, 2)
    gpus.set({"1.error.nvmlDeviceGetHandleByIndex_v2": 15})

    async def play(stage: Stage) -> None:
        await stage.sees(" GPU 0  ━", "GPU 1 is lost", " GPU 1  is lost; restarting the machine brings it back")
        await stage.sees("! 1 needs you")

    perform(box, play)


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (60, 18)])
def test_an_old_sample_is_shown_as_old(
    box: Box, gpus: NvmlStandIn, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    several(gpus, 1)

    def once(self: BoxFeed) -> None:
        """A driver that answers once and then hangs."""
        now = time.time()
        self._post(messages.BoxSeen(self._meter.sample(now).replace(t=now - 150)))
        self._is_stopping.wait()
        self._meter.close()

    monkeypatch.setattr(BoxFeed, "work", once)

    async def play(stage: Stage) -> None:
        await stage.until(lambda: stage.row(" HOST").endswith("2m old"))
        figures = stage.app.main.gauges._lines[0][1]
        assert {span.style for span in figures if span.text.strip()} <= {"muted", "faint"}

    perform(box, play, size=size)
