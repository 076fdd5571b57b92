"""How many GPUs, which, and what of their memory is promised to others."""

from __future__ import annotations

import pytest

from backprop_tui.governor.admission import admit
from backprop_tui.governor.request import Request
from backprop_tui.governor.scene import Scene
from backprop_tui.governor.summary import help_text, refusal_text
from backprop_tui.model.samples import DiskSample, GpuProcess, GpuReport, GpuSample, HostSample, Lease

GB = 1 << 30
NOW = 10_000.0
HOST = HostSample(t=NOW, cores=4, load1=1.0, ram_total_bytes=32 * GB, ram_free_bytes=16 * GB)
REQUEST = Request(run_id="me", max_parallel=9, need_bytes=2 * GB, max_temp_c=85, resume_temp_c=75)


def gpu(index: str = "0", free: float | None = 20.0, temp: int | None = 50, **more):
    values = {"index": index, "mask": index, "uuid": f"GPU-{index}", "name": "Card", "total_bytes": 24 * GB}
    free_bytes = None if free is None else int(free * GB)
    return GpuSample(**{**values, "free_bytes": free_bytes, "temp_c": temp, **more})


def decide(request: Request, *gpus: GpuSample, leases: tuple[Lease, ...] = (), report=None, **more):
    found = report or GpuReport(t=NOW, probe="nvml" if gpus else "none", gpus=gpus)
    return admit(request, Scene(host=HOST, gpus=found, leases=leases), **more)


def lease(**more):
    return Lease(**{"run_id": "x", "pid": 1, "since": NOW - 300, "gpus": ("0",), "gpu_bytes": 12 * GB, **more})


@pytest.mark.parametrize(
    ("wanted", "gpus", "chosen"),
    [
        (1, [gpu("0", 10), gpu("1", 20)], ["1"]),
        (2, [gpu("0", 10), gpu("1", 20), gpu("2", 15)], ["1", "2"]),
        (2, [gpu("10", 20), gpu("9", 20), gpu("2", 5)], ["9", "10"]),
        (2, [gpu("0", 1), gpu("1", 20), gpu("2", 15)], ["1", "2"]),
        (2, [gpu("0", 20, 90), gpu("1", 20), gpu("2", 15)], ["1", "2"]),
        (8, [gpu(str(n), 20) for n in range(8)], [str(n) for n in range(8)]),
        (2, [gpu("0:0", 20), gpu("1", 20), gpu("2", 15)], ["1", "2"]),
        (0, [gpu("0", 20)], []),
        (0, [gpu("0", 0, 99)], []),
    ],
)
def test_so_many_gpus_as_are_wanted(wanted, gpus, chosen):
    admission = decide(REQUEST.replace(gpus_wanted=wanted), *gpus)
    assert admission.admitted, refusal_text(admission)
    assert [gpu.index for gpu in admission.gpus] == chosen


LOST = GpuReport(t=NOW, probe="nvml", gpus=(gpu(),), tried=(("nvml GPU 1", "is lost"),))


@pytest.mark.parametrize(
    ("gpus", "mask", "report", "text", "is_final"),
    [
        ([gpu()], None, None, "3 GPUs wanted, the box has 1", True),
        ([], None, None, "3 GPUs wanted, the box has none", True),
        ([gpu(str(n)) for n in range(4)], "0,1", None, "3 GPUs wanted, CUDA_VISIBLE_DEVICES leaves 2", True),
        ([gpu(str(n)) for n in range(4)], "", None, "3 GPUs wanted, CUDA_VISIBLE_DEVICES leaves none", True),
        (
            [gpu(f"0:{n}") for n in range(4)],
            None,
            None,
            "3 GPUs wanted, the box has none (MIG slices are used one by one)",
            True,
        ),
        ([], None, LOST, "3 GPUs wanted, 1 can be read", False),
        ([], None, GpuReport(t=NOW, probe="none", failed=True), "3 GPUs wanted, none can be read", False),
    ],
)
def test_more_gpus_than_there_are(gpus, mask, report, text, is_final):
    admission = decide(REQUEST.replace(gpus_wanted=3, user_mask=mask), *gpus, report=report)
    assert not admission.admitted
    (count,) = [d for d in admission.refusals if d.rule == "gpu_count"]
    assert (count.text, count.is_final, admission.is_final) == (text, is_final, is_final)
    assert count.help
    assert ("--wait" in help_text(admission)) is not is_final


def test_too_few_pass():
    admission = decide(REQUEST.replace(gpus_wanted=2), gpu("0", 1), gpu("1", 20))
    assert not admission.is_final
    assert refusal_text(admission) == (
        "2 GPUs wanted, 1 of 2 pass; GPU 0: 1.0 GB free, 2.0 GB wanted (other programs have 23.0 GB)"
    )


@pytest.mark.parametrize(
    ("wanted", "need", "is_final"),
    [(1, 25, True), (1, 23, False), (2, 15, True), (2, 11, False), (1, 24, False)],
)
def test_more_memory_than_any_has_is_refused_for_good(wanted, need, is_final):
    small, large = gpu("0", 1, total_bytes=12 * GB), gpu("1", 1)
    admission = decide(REQUEST.replace(gpus_wanted=wanted, need_bytes=need * GB, need_from="given"), small, large)
    assert admission.is_final is is_final
    if is_final and wanted == 1:
        assert refusal_text(admission) == (
            "GPU 0: 12.0 GB in all, 25.0 GB wanted; GPU 1: 24.0 GB in all, 25.0 GB wanted"
        )
        assert "lower --gpu-need" in help_text(admission)


def test_ram_and_disks_that_are_too_small_for_good():
    short = decide(REQUEST.replace(min_free_ram_bytes=40 * GB))
    assert (refusal_text(short), short.is_final) == ("RAM: 32.0 GB in all, 40.0 GB wanted", True)
    tiny = DiskSample(path="/mnt/small", what="checkpoints", free_bytes=GB, total_bytes=2 * GB)
    full = decide(REQUEST.replace(min_free_disk_bytes=GB, checkpoint_bytes=4 * GB), disks=(tiny,))
    assert refusal_text(full) == (
        "disk: 2.0 GB in all for checkpoints in /mnt/small, 5.0 GB wanted with room for a checkpoint"
    )
    assert full.is_final
    waits = decide(REQUEST.replace(min_free_disk_bytes=GB), disks=(tiny.replace(free_bytes=GB // 2),))
    assert (refusal_text(waits), waits.is_final) == (
        "disk: 0.5 GB free for checkpoints in /mnt/small, 1.0 GB wanted",
        False,
    )


@pytest.mark.parametrize(
    ("temp", "hot", "ok", "text"),
    [
        (84, (), True, "84 °C, below 85 °C wanted"),
        (85, (), False, "85 °C, below 85 °C wanted"),
        (84, ("0",), False, "84 °C, down to 75 °C wanted after it was too hot"),
        (76, ("0",), False, "76 °C, down to 75 °C wanted after it was too hot"),
        (75, ("0",), True, "75 °C, down to 75 °C wanted after it was too hot"),
        (84, ("1",), True, "84 °C, below 85 °C wanted"),
        (None, ("0",), True, "its temperature cannot be read"),
    ],
)
def test_a_gpu_that_was_too_hot_cools_down_first(temp, hot, ok, text):
    admission = decide(REQUEST, gpu("0", 20, temp), hot=hot)
    (heat,) = [d for d in admission.decisions if d.rule == "gpu_temp"]
    assert (heat.ok, heat.text) == (ok, f"GPU 0: {text}")
    assert admission.hot == (() if ok else ("0",))


@pytest.mark.parametrize(
    ("fields", "free", "ok"),
    [
        pytest.param({"gpu_used": {"0": 4 * GB}}, 9.9, False, id="8 of 12 are still to come"),
        pytest.param({"gpu_used": {"0": 4 * GB}}, 10.0, True, id="8 of 12 are still to come, 2 are left"),
        pytest.param({"gpu_used": {"0": 20 * GB}}, 2.0, True, id="it has more than it was promised"),
        pytest.param({"gpu_used": {"0": 0}, "since": NOW - 9e9}, 13.9, False, id="for as long as it lives"),
        pytest.param({"gpu_used": {}}, 2.0, True, id="unknown and old: it has what it was promised"),
        pytest.param({"gpu_used": {}, "since": NOW - 5}, 13.9, False, id="unknown and young"),
        pytest.param({"gpu_used": {"1": 12 * GB}, "gpus": ("0", "1"), "since": NOW - 5}, 13.9, False, id="elsewhere"),
        pytest.param({"gpu_used": {"0": -(1 << 62)}}, 14.0, True, id="nonsense in a lease"),
    ],
)
def test_what_a_lease_still_keeps(fields, free, ok):
    assert decide(REQUEST, gpu(free=free), leases=(lease(**fields),)).admitted is ok


@pytest.mark.parametrize(
    ("leases", "processes", "text"),
    [
        (
            (lease(name="llama-lora", gpu_used={"0": 12 * GB}, ends=NOW + 471),),
            None,
            " (llama-lora has 12.0 GB, its box ends in 8 min; other programs have 11.0 GB)",
        ),
        ((lease(gpu_used={}),), None, " (x has 12.0 GB)"),
        ((lease(gpu_used={"0": 0}, gpu_bytes=GB // 2),), None, " (x was promised 0.5 GB; other programs have 23.0 GB)"),
        ((), None, " (other programs have 23.0 GB)"),
        (
            (),
            (GpuProcess(pid=7), GpuProcess(pid=21844, used_bytes=9 * GB, name="py\x1bthon", user="anna")),
            " (py\\x1bthon 21844 (anna) has 9.0 GB; process 7)",
        ),
    ],
)
def test_who_has_the_memory(leases, processes, text):
    admission = decide(REQUEST, gpu(free=1, processes=processes), leases=leases)
    assert refusal_text(admission).replace(" beside what x may take", "").endswith(f" free, 2.0 GB wanted{text}")


@pytest.mark.parametrize(
    ("seen", "since", "admitted"),
    [
        pytest.param(NOW - 3, NOW - 15, False, id="it took its memory after the look"),
        pytest.param(NOW - 1, NOW - 15, True, id="the look saw it"),
        pytest.param(NOW - 3, NOW - 300, True, id="a training of that age has had its memory for long"),
    ],
)
def test_memory_taken_after_the_look_is_not_free_twice(seen, since, admitted):
    running = lease(since=since, gpu_used={"0": 12 * GB}, used_t=NOW - 2)
    report = GpuReport(t=seen, probe="nvidia-smi", gpus=(gpu("0", 20),))
    assert decide(REQUEST.replace(need_bytes=10 * GB), report=report, leases=(running,)).admitted is admitted


def test_a_learned_need_says_so():
    request = REQUEST.replace(need_bytes=int(14.5 * 1.1 * GB), need_from="learned")
    admission = decide(request, gpu(free=3.1, total_bytes=None))
    assert refusal_text(admission) == "GPU 0: 3.1 GB free, 15.9 GB wanted (14.5 GB was the most that it took before)"
    assert "--gpu-need" in help_text(admission)


def test_holding_is_a_rule():
    admission = decide(REQUEST, held="anna\n")
    assert refusal_text(admission) == "held by anna\\n"
    assert "backprop release me" in help_text(admission)


def test_who_waited_for_a_gpu_does_not_start_without_one_when_the_driver_hangs():
    silent = GpuReport(t=NOW, probe="none", failed=True, tried=(("nvml", "does not answer"),))
    assert decide(REQUEST, report=silent).admitted
    admission = decide(REQUEST, report=silent.replace(last_good=NOW - 90))
    assert refusal_text(admission) == "GPU: none can be read any more, nvml: does not answer"
    assert [d.age_s for d in admission.refusals] == [90.0]
    assert not admission.is_final
    assert decide(REQUEST.replace(gpus_wanted=0), report=silent.replace(last_good=NOW - 90)).admitted


@pytest.mark.parametrize(
    ("mask", "text"),
    [
        ("0", ""),
        (None, ""),
        ("1", 'no GPU: CUDA_VISIBLE_DEVICES="1" leaves none of those that can be read (nvml GPU 1: is lost)'),
        ("GPU-ab", 'no GPU: CUDA_VISIBLE_DEVICES="GPU-ab" leaves none of those that can be read (nvml GPU 1: is lost)'),
    ],
)
def test_a_masked_gpu_that_is_lost_is_not_replaced_by_the_cpu(mask, text):
    admission = decide(REQUEST.replace(user_mask=mask), report=LOST)
    assert refusal_text(admission) == text
    assert admission.admitted is not bool(text)
    assert not admission.is_final
    assert decide(REQUEST.replace(user_mask=mask, gpus_wanted=0), report=LOST).admitted


def test_a_mask_that_hides_all_gpus_on_purpose_still_means_the_cpu():
    for mask in ("", "-1", "none"):
        assert decide(REQUEST.replace(user_mask=mask), report=LOST).admitted
    other_probe = LOST.replace(tried=(("rocm", "no such program"),))
    assert decide(REQUEST.replace(user_mask="1"), report=other_probe).admitted


@pytest.mark.parametrize(
    ("peak", "total", "wanted"),
    [
        pytest.param(10.0, 24, 11.0, id="a tenth more"),
        pytest.param(23.5, 24, 21.6, id="it took all that there was"),
        pytest.param(20.0, 24, 21.6, id="a tenth more is more than a GPU has free"),
        pytest.param(60.0, 24, 21.6, id="learned on a larger GPU"),
    ],
)
def test_what_was_learned_never_asks_for_more_than_such_a_gpu_has_free(peak, total, wanted):
    request = REQUEST.replace(need_bytes=int(peak * 1.1 * GB), need_from="learned")
    refused = decide(request, gpu(free=wanted - 0.2, total_bytes=total * GB))
    assert (refused.admitted, refused.is_final) == (False, False)
    assert f"{wanted:.1f} GB wanted ({peak:.1f} GB was the most that it took before)" in refusal_text(refused)
    assert decide(request, gpu(free=min(wanted + 0.01, total), total_bytes=total * GB)).admitted
