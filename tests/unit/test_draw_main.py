"""The main screen's lines against the specified columns, at every width."""

from __future__ import annotations

import math

import pytest

from backprop_tui.model.samples import GpuReport, GpuSample, HostSample
from backprop_tui.store.rows import Row
from backprop_tui.tui.draw import active, bands, history
from backprop_tui.tui.draw.gauges import Gauges
from backprop_tui.tui.draw.glyphs import ASCII, UNICODE, Glyphs
from backprop_tui.tui.draw.gpus import Use
from backprop_tui.tui.draw.line import Line, cells, fit, texts
from backprop_tui.watch.box import BoxSample

G = 1 << 30
NOW = 1000.0
WIDTHS = (20, 40, 55, 60, 79, 80, 95, 109, 110, 120, 160, 200)


def gpu(
    index: int, util: int | None = 97, used: float = 21.3, temp: int | None = 71, watt: float | None = 402
) -> GpuSample:
    return GpuSample(
        index=str(index), mask=str(index), uuid="", name="NVIDIA GeForce RTX 4090", total_bytes=24 * G,
        free_bytes=int((24 - used) * G), temp_c=temp, util_percent=util, power_w=watt, power_limit_w=450,
    )  # fmt: skip


def box(*gpus: GpuSample, **more: object) -> BoxSample:
    report = GpuReport(t=NOW, probe="nvml", gpus=gpus)
    host = HostSample(t=NOW, cores=32, load1=12.1, ram_total_bytes=128 * G, ram_free_bytes=int(66.8 * G))
    fields: dict[str, object] = {
        "t": NOW, "name": "trainbox-3", "host": host, "gpus": report, "cpu_percent": 38.0,
        "disk_free_bytes": 212 * G, "disk_total_bytes": 1000 * G, **more,
    }  # fmt: skip
    return BoxSample(**fields)  # type: ignore[arg-type]


def gauges(sample: BoxSample, width: int = 80, height: int = 24, mode: str = "auto", **more: object) -> list[Line]:
    made = Gauges(sample, UNICODE, max_temp_c=83, now=NOW, **more)  # type: ignore[arg-type]
    return made.lines(width, height, mode)


RUNNING = active.ActiveRow(
    id="k3f9x2", name="llama-lora-r16", state="running", left_s=462, box_s=600, step=1204, total=3500, speed=3.21,
    loss=2.184, trend="falling", values=tuple(3 - 0.02 * n for n in range(60)), saved_s=33, gpu="0",
)  # fmt: skip
PAUSED = active.ActiveRow(
    id="b", name="vit-b16-aug", state="paused", left_s=250, box_s=600, reason="GPU 1 hit 84°, limit 83; waits for 75°",
    reason_long="GPU 1 hit 84°C, its limit is 83; now 79, continues by itself at 75",
)  # fmt: skip
PAST = Row(
    id="q8m1zt", state="timeboxed", created=NOW - 2000, name="llama-lora-r8", started=NOW - 1700, ended=NOW - 1080,
    took_s=600, steps=12400, loss=1.982, checkpoints=4, star=1, args="--rank 8 --lr 2e-4", tags="lora sweep",
)  # fmt: skip


def look(width: int, glyphs: Glyphs = UNICODE, **more: object) -> history.Look:
    return history.Look(width=width, glyphs=glyphs, **more)  # type: ignore[arg-type]


def test_gauges_stand_where_the_specification_says() -> None:
    lines = texts(gauges(box(gpu(0), gpu(1, util=0, used=11.8, temp=79, watt=61))))
    assert lines == [
        " GPU 0  ━━━━━━━━━━━━━━━━  97%  VRAM ━━━━━━━━━━━━─ 21.3/24.0G  71/83°  402/450W",
        " GPU 1  ────────────────   0%  VRAM ━━━━━━─────── 11.8/24.0G  79/83°   61/450W",
        " HOST   ━━━━━━──────────  38%  RAM  ━━━━━━───────  61.2/128G  disk 212G free",
    ]


@pytest.mark.parametrize(
    ("count", "width", "height", "mode", "rows", "first"),
    [
        (2, 80, 24, "auto", 3, " GPU 0  ━"),
        (8, 80, 24, "auto", 6, " GPU util"),
        (8, 120, 40, "auto", 9, " GPU 0  RTX 4090"),
        (16, 80, 24, "auto", 2, " GPU 0-15  util"),
        (2, 80, 24, "strip", 2, " GPU 0-1  util"),
        (2, 80, 24, "2-up", 3, " GPU util"),
        (2, 80, 24, "hidden", 0, ""),
        (2, 60, 18, "auto", 3, " GPU 0 ━━━━━━━  97% 21.3/24G  71/83° 402W"),
        (2, 40, 12, "auto", 2, " GPU 0 ━━━━━  97% 21.3/24G  71/83°"),
        (9, 40, 12, "auto", 2, " GPU 0 ━━━━━  97% 21.3/24G  71/83°"),
    ],
)
def test_gauges_take_the_form_that_fits(count: int, width: int, height: int, mode: str, rows: int, first: str) -> None:
    lines = gauges(box(*(gpu(n) for n in range(count))), width, height, mode)
    assert len(lines) == rows
    assert not rows or lines[0].text.startswith(first)


@pytest.mark.parametrize(
    ("sample", "column", "style"),
    [
        (box(gpu(0, temp=77)), 62, ""),
        (box(gpu(0, temp=78)), 62, "hold"),
        (box(gpu(0, temp=83)), 62, "bad"),
        (box(gpu(0, used=22.0)), 51, ""),
        (box(gpu(0, used=22.2)), 51, "hold"),
        (box(gpu(0, used=23.9)), 51, "bad"),
        (box(gpu(0), t=NOW - 6), 51, "muted"),
    ],
)
def test_limits_and_age_have_colours(sample: BoxSample, column: int, style: str) -> None:
    assert gauges(sample)[0].style_at(column) == style


def test_what_cannot_be_measured_is_a_dash() -> None:
    sample = gpu(0, util=None, temp=None, watt=None).replace(free_bytes=None)
    assert gauges(box(sample))[0].text.split() == ["GPU", "0", "─" * 16, "–", "VRAM", "─" * 13, "–/24.0G", "–", "–"]
    bare = HostSample(t=NOW, cores=2, load1=None, ram_total_bytes=None, ram_free_bytes=None)
    assert "–/–G  disk –" in gauges(box(host=bare, cpu_percent=None, disk_free_bytes=None))[1].text


def test_no_gpu_and_one_that_cannot_be_read() -> None:
    none = GpuReport(t=NOW, probe="none", tried=(("nvml", "no driver"),))
    assert gauges(box(gpus=none))[0].text == " GPU    none found – runs use the CPU. No driver."
    failed = gauges(box(gpus=none.replace(failed=True)))[0]
    assert failed.text.startswith(" GPU    cannot be read – no driver. Runs are started one at a time.")
    assert failed.style_at(10) == "bad"


def test_active_rows_stand_where_the_specification_says() -> None:
    assert active.title(80, 4, focused=False).text == (
        " ACTIVE 4               LEFT           DONE    STEP    LOSS                 GPU"
    )
    row = active.row(80, RUNNING, UNICODE, cursor="cursor").text
    assert row.startswith("▌ ● llama-lora-r16      7:42 ━━━━━━──   34%   1,204   2.184 ")
    assert row.endswith(" ↘   0")
    assert active.row(80, PAUSED, UNICODE).text == (
        "  ‖ vit-b16-aug         4:10 paused   GPU 1 hit 84°, limit 83; waits for 75°"
    )
    wide = active.row(120, RUNNING, UNICODE).text
    assert wide.startswith("  ● llama-lora-r16           7:42 ━━━━━━━━──   34%  1,204/3,500   3.21/s    2.184  ")
    assert wide.endswith(" ↘ falling  0:33 ago   0")
    assert active.row(120, PAUSED, UNICODE).text.endswith("now 79, continues by itself at 75")
    assert active.row(40, RUNNING, UNICODE, cursor="cursor").text == "▌ ● llama-lora-r16      7:42   2.184 ↘"


@pytest.mark.parametrize(
    ("change", "column", "text", "style"),
    [
        ({"left_s": 59.0}, 24, "0:59", "hold bold"),
        ({"loss": math.nan, "trend": "diverged"}, 56, "NaN", "bad bold"),
        ({"trend": "rising"}, 74, "↗", "hold"),
        ({"total": None}, 42, "–", "muted"),
        ({"state": "queued"}, 29, "queued", "muted bold"),
        ({"state": "stopping"}, 29, "stopping", "hold bold"),
    ],
)
def test_active_rows_say_what_matters(change: dict[str, object], column: int, text: str, style: str) -> None:
    line = active.row(80, RUNNING.replace(**change), UNICODE)
    assert line.text[column:].startswith(text)
    assert line.style_at(column) == style


def test_work_at_risk_is_marked() -> None:
    late = active.row(120, RUNNING.replace(saved_s=None, is_unsaved_long=True), UNICODE)
    assert "    never   0" in late.text
    assert late.style_at(111) == "hold"


def test_history_rows_stand_where_the_specification_says() -> None:
    title = history.title(look(80), text="12,408", sort="age", is_descending=True, focused=False)
    assert title.text == " HISTORY 12,408              STATUS      TOOK    STEPS     LOSS  CKPT      AGE▾"
    assert history.row(look(80), PAST, now=NOW, cursor="").text == (
        "  » llama-lora-r8          * timeboxed  10:00   12,400    1.982     4       18m"
    )
    wide = look(120, has_tags=True)
    assert history.row(wide, PAST, now=NOW).text == (
        "  » llama-lora-r8            * timeboxed  10:00   12,400    1.982     4  --rank 8 --lr 2e-4   lora sweep  q8m1zt    18m"
    )
    assert history.row(look(60), PAST, now=NOW).text == "  » llama-lora-r8               * timeboxed    1.982    18m"
    assert history.row(look(40), PAST, now=NOW).text == "  » llama-lora-r8    * timeboxed    18m"


def test_what_the_filter_found_is_marked_in_place() -> None:
    line = history.row(look(80, words=("lora",)), PAST, now=NOW)
    assert line.text.startswith("  » llama-lora-r8 ")
    assert line.style_at(10) == "match"
    assert line.style_at(4) == ""


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("glyphs", [UNICODE, ASCII])
def test_every_line_is_as_wide_as_the_screen(width: int, glyphs: Glyphs) -> None:
    odd = "名前" * 40
    counts = dict.fromkeys(bands.STATES, 12)
    hints = [bands.Hint(key="n", label="launch"), bands.Hint(key="enter", label="open")]
    made = Gauges(box(gpu(0), gpu(1)), glyphs, max_temp_c=83, now=NOW, use=Use(runs={"0": odd}))
    lines = [
        bands.header(width, glyphs, bands.Head(needs=3, counts=counts, host=odd, clock="14:25:07")),
        bands.news(width, odd, "bad", more="! show"),
        *(line for mode in ("full", "2-up", "strip") for line in made.lines(width, 24, mode)),
        active.title(width, 4, focused=True),
        *(active.row(width, row.replace(name=odd, reason=odd, reason_long=odd), glyphs) for row in (RUNNING, PAUSED)),
        history.title(look(width), text="12", sort="loss", is_descending=False, focused=True),
        history.row(look(width, glyphs, has_tags=True), PAST.replace(name=odd, args=odd, tags=odd), now=NOW),
        bands.footer(width, hints * 5, hints)[0],
    ]
    for line in lines:
        assert sum(cells(span.text) for span in line.spans()) == width, line.text


def test_header_keeps_the_host_longer_than_the_clock() -> None:
    counts = {"running": 1, "paused": 1, "starting": 1, "queued": 1}

    def shown(width: int) -> str:
        return bands.header(
            width, UNICODE, bands.Head(needs=1, counts=counts, host="trainbox-3", clock="14:25:07")
        ).text

    assert shown(80) == " backprop   ! 1 needs you    ● 1  ‖ 1  ► 1  □ 1            trainbox-3  14:25:07"
    assert shown(60) == " backprop   ! 1 needs you    ● 1  ‖ 1  ► 1  □ 1  trainbox-3"
    assert "1 running · 1 paused" in shown(120)
    ok = bands.header(80, UNICODE, bands.Head(needs=0, counts={}, host="h", clock="14:25:07")).text
    assert ok.startswith(" backprop  ✓ all well   nothing running")


def test_footer_never_shows_half_a_hint_and_always_the_last() -> None:
    hints = [bands.Hint(key=key, label="something") for key in "abcdefgh"]
    last = [bands.Hint(key="?", label="help"), bands.Hint(key="q", label="quit")]
    for width in range(16, 130):
        text = bands.footer(width, hints, last)[0].text
        assert text.endswith("? help  q quit")
        assert text.count("something") == sum(f"{key} something" in text for key in "abcdefgh")


@pytest.mark.parametrize(
    ("text", "room", "expected"),
    [("abc", 3, "abc"), ("abcd", 3, "ab…"), ("名前名", 4, "名…"), ("名前", 4, "名前"), ("x", 0, ""), ("", 5, "")],
)
def test_fit(text: str, room: int, expected: str) -> None:
    assert fit(text, room) == expected
