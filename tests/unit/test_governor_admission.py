from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backprop_tui.governor.admission import admit
from backprop_tui.governor.request import Request
from backprop_tui.governor.scene import Scene
from backprop_tui.model.samples import GpuReport, GpuSample, HostSample, Lease

GB = 1 << 30
NOW = 1000.0
REQUEST = Request(
    run_id="me",
    max_parallel=2,
    min_free_ram_bytes=4 * GB,
    max_load_per_core=1.5,
    need_bytes=2500 << 20,
    max_temp_c=85,
    resume_temp_c=75,
)
HOST = HostSample(t=NOW, cores=4, load1=1.0, ram_total_bytes=32 * GB, ram_free_bytes=16 * GB)
NO_GPU = GpuReport(t=NOW, probe="none")


def gpu(index="0", free=20.0, temp=50, **fields):
    values = {
        "index": index,
        "mask": index,
        "uuid": f"GPU-{index}",
        "name": "Card",
        "total_bytes": 24 * GB,
        "free_bytes": None if free is None else int(free * GB),
        "temp_c": temp,
    }
    return GpuSample(**{**values, **fields})


def report(*gpus: GpuSample, **fields):
    return GpuReport(**{"t": NOW, "probe": "nvml", "gpus": gpus, **fields})


def lease(run_id="k3f9q2", age_s=300.0, gpus=(), gb=0.0):
    return Lease(run_id=run_id, pid=1, since=NOW - age_s, gpus=gpus, gpu_bytes=int(gb * GB))


def decide(request=REQUEST, host=HOST, gpus=NO_GPU, leases=(), own=0.0, **more):
    return admit(request, Scene(host=host, gpus=gpus, leases=tuple(leases), own_load=own), **more)


def by_rule(admission, rule):
    found = [decision for decision in admission.decisions if decision.rule == rule]
    assert len(found) == 1, found
    return found[0]


def test_every_rule_leaves_a_decision():
    admission = decide(gpus=report(gpu()), request=REQUEST.replace(user_mask="0"))
    assert admission.admitted
    assert not admission.cautious
    assert [(d.rule, d.ok) for d in admission.decisions] == [
        ("slots", True),
        ("ram", True),
        ("cpu", True),
        ("gpu_mask", True),
        ("gpu_memory", True),
        ("gpu_temp", True),
    ]
    assert all(d.text and not d.help for d in admission.decisions)


@pytest.mark.parametrize(
    ("limit", "going", "ok", "text"),
    [
        (2, [], True, "0 runs in progress, 2 allowed"),
        (2, ["a1"], True, "1 run in progress, 2 allowed (a1)"),
        (2, ["k3f9q2", "a81mm0"], False, "2 runs in progress, 2 allowed (k3f9q2, a81mm0)"),
        (1, ["a1"], False, "1 run in progress, 1 allowed (a1)"),
        (3, list("abcdefg"), False, "7 runs in progress, 3 allowed (a, b, c, d, e and 2 more)"),
    ],
)
def test_slots(limit, going, ok, text):
    admission = decide(REQUEST.replace(max_parallel=limit), leases=[lease(name) for name in going])
    decision = by_rule(admission, "slots")
    assert (decision.ok, decision.text, decision.value, decision.limit) == (ok, text, len(going), limit)
    assert decision.help == ("" if ok else "raise --max-parallel")
    assert admission.admitted is ok


@pytest.mark.parametrize(
    ("free", "wanted", "ok", "text"),
    [
        (3.1, 4.0, False, "RAM: 3.1 GB free, 4.0 GB wanted"),
        (4.0, 4.0, True, "RAM: 4.0 GB free, 4.0 GB wanted"),
        (3.99, 4.0, False, "RAM: 3.9 GB free, 4.0 GB wanted"),
        (2.43, 2.44, False, "RAM: 2.4 GB free, 2.5 GB wanted"),
        (2.44, 2.44, True, "RAM: 2.4 GB free, 2.4 GB wanted"),
        (2.46, 2.44, True, "RAM: 2.5 GB free, 2.4 GB wanted"),
        (0.0, 0.0, True, "RAM: 0.0 GB free, 0.0 GB wanted"),
    ],
)
def test_ram(free, wanted, ok, text):
    admission = decide(
        REQUEST.replace(min_free_ram_bytes=int(wanted * GB)), HOST.replace(ram_free_bytes=int(free * GB))
    )
    decision = by_rule(admission, "ram")
    assert (decision.ok, decision.text, admission.admitted) == (ok, text, ok)
    assert ("--min-free-ram" in decision.help) is not ok


@pytest.mark.parametrize(
    ("load1", "own", "cores", "ok", "text"),
    [
        (6.0, 0.0, 4, True, "1.50 per core (4 cores), 1.50 allowed"),
        (6.01, 0.0, 4, False, "1.51 per core (4 cores), 1.50 allowed"),
        (6.6, 0.0, 4, False, "1.65 per core (4 cores), 1.50 allowed"),
        (9.0, 3.0, 4, True, "1.50 per core (4 cores), 1.50 allowed"),
        (2.0, 5.0, 4, True, "0.00 per core (4 cores), 1.50 allowed"),
        (2.0, 0.0, 1, False, "2.00 per core (1 core), 1.50 allowed"),
        (1.0, 0.0, 0, True, "1.00 per core (0 cores), 1.50 allowed"),
    ],
)
def test_cpu(load1, own, cores, ok, text):
    admission = decide(host=HOST.replace(load1=load1, cores=cores), own=own)
    decision = by_rule(admission, "cpu")
    assert (decision.ok, decision.text) == (ok, f"CPU: other programs' load is {text}")
    assert admission.admitted is ok
    assert ("--max-cpu-load" in decision.help) is not ok


@pytest.mark.parametrize(
    ("gpus", "chosen"),
    [
        ([gpu("0", 10), gpu("1", 20)], "1"),
        ([gpu("0", 20, 60), gpu("1", 20, 50)], "1"),
        ([gpu("0", 20, None), gpu("1", 20, 80)], "1"),
        ([gpu("10", 20, 50), gpu("9", 20, 50)], "9"),
        ([gpu("0:10", 20, 50), gpu("0:9", 20, 50)], "0:9"),
        ([gpu("0", 20, 90), gpu("1", 10)], "1"),
        ([gpu("0", 20, 85), gpu("1", 10, 84)], "1"),
        ([gpu("0", 1), gpu("1", 3)], "1"),
        ([gpu("0", None), gpu("1", 3)], "1"),
        ([gpu("0", 5, None)], "0"),
    ],
)
def test_the_gpu_that_is_chosen(gpus, chosen):
    admission = decide(gpus=report(*gpus))
    assert admission.admitted
    assert [gpu.index for gpu in admission.gpus] == [chosen]
    assert admission.refusals == ()


@pytest.mark.parametrize(
    ("gpus", "texts"),
    [
        (
            [gpu("0", 1), gpu("1", 2)],
            [
                "GPU 0: 1.0 GB free, 2.4 GB wanted (other programs have 23.0 GB)",
                "GPU 1: 2.0 GB free, 2.4 GB wanted (other programs have 22.0 GB)",
            ],
        ),
        (
            [gpu("0", 20, 85), gpu("1", 2, 40)],
            [
                "GPU 0: 85 °C, below 85 °C wanted",
                "GPU 1: 2.0 GB free, 2.4 GB wanted (other programs have 22.0 GB)",
            ],
        ),
        ([gpu("0", None, 91)], ["GPU 0: 91 °C, below 85 °C wanted"]),
    ],
)
def test_no_gpu_passes(gpus, texts):
    admission = decide(gpus=report(*gpus))
    assert not admission.admitted
    assert not admission.gpus
    assert [d.text for d in admission.refusals] == texts
    assert all(d.help for d in admission.refusals)


def test_what_speaks_against_one_gpu_is_no_refusal_while_another_passes():
    admission = decide(gpus=report(gpu("0", 1, 95), gpu("1", 20)), leases=[lease("a"), lease("b")])
    assert [d.rule for d in admission.refusals] == ["slots"]
    assert "GPU 0: 1.0 GB free, 2.4 GB wanted: passed over" in [d.text for d in admission.decisions]
    assert not admission.gpus


def test_a_card_too_small_says_so():
    admission = decide(gpus=report(gpu(total_bytes=2 * GB, free=1.9)))
    assert "--gpu-probe none" in admission.refusals[0].help


@pytest.mark.parametrize(
    ("leases", "free", "ok"),
    [
        ([lease(age_s=59.0, gpus=("0",), gb=2.5)], 4.9, False),
        ([lease(age_s=59.0, gpus=("0",), gb=2.5)], 5.0, True),
        ([lease(age_s=60.0, gpus=("0",), gb=2.5)], 4.9, True),
        ([lease(age_s=-5.0, gpus=("0",), gb=2.5)], 4.9, False),
        ([lease(age_s=1.0, gpus=("1",), gb=2.5)], 4.9, True),
        ([lease(age_s=1.0, gpus=("0:1",), gb=2.5)], 4.9, True),
        ([lease(age_s=1.0, gpus=("0",), gb=99)], 4.9, False),
        ([lease(age_s=1.0, gpus=("0",), gb=-99)], 4.9, True),
    ],
)
def test_memory_promised_to_young_runs_is_not_free(leases, free, ok):
    admission = decide(REQUEST.replace(max_parallel=9), gpus=report(gpu(free=free)), leases=leases)
    assert admission.admitted is ok
    if not ok:
        assert "beside what k3f9q2 may take" in admission.refusals[0].text


@pytest.mark.parametrize(
    ("mask", "chosen", "text"),
    [
        (None, "1", None),
        ("0", "0", 'CUDA_VISIBLE_DEVICES="0" leaves GPU 0'),
        ("1,0", "1", 'CUDA_VISIBLE_DEVICES="1,0" leaves GPU 0, 1'),
        ("", None, 'no GPU: CUDA_VISIBLE_DEVICES="" hides all 2 GPUs; runs on the CPU'),
        ("-1", None, 'no GPU: CUDA_VISIBLE_DEVICES="-1" hides all 2 GPUs; runs on the CPU'),
        ("\x1b[2J", None, r'no GPU: CUDA_VISIBLE_DEVICES="\x1b[2J" hides all 2 GPUs; runs on the CPU'),
    ],
)
def test_the_users_own_mask(mask, chosen, text):
    admission = decide(REQUEST.replace(user_mask=mask), gpus=report(gpu("0", 10), gpu("1", 20)))
    assert admission.admitted
    assert ([gpu.index for gpu in admission.gpus] or [None]) == [chosen]
    assert [d.text for d in admission.decisions if d.rule == "gpu_mask"] == ([text] if text else [])


def test_a_mask_keeps_a_full_gpu_from_being_replaced():
    admission = decide(REQUEST.replace(user_mask="0"), gpus=report(gpu("0", 1), gpu("1", 20)))
    assert not admission.admitted
    assert [d.text for d in admission.refusals] == ["GPU 0: 1.0 GB free, 2.4 GB wanted (other programs have 23.0 GB)"]


def test_the_mask_of_amd_has_its_own_name():
    admission = decide(REQUEST.replace(user_mask=""), gpus=report(gpu(vendor="amd"), probe="rocm"))
    assert by_rule(admission, "gpu_mask").text == ('no GPU: HIP_VISIBLE_DEVICES="" hides the GPU; runs on the CPU')


@pytest.mark.parametrize(
    ("probe", "text"),
    [("auto", "no GPU: runs on the CPU"), ("none", "no GPU: runs on the CPU (--gpu-probe none)")],
)
def test_a_box_without_gpu_needs_no_flag(probe, text):
    admission = decide(REQUEST.replace(gpu_probe=probe, user_mask="0"))
    assert admission.admitted
    assert (admission.gpus, admission.cautious) == ((), False)
    assert by_rule(admission, "gpu_memory").text == text


BLIND = [
    pytest.param(
        {"gpus": GpuReport(t=NOW, probe="none", failed=True, tried=(("nvml", "hangs"), ("rocm", "no")))},
        "no GPU probe answers (nvml: hangs; rocm: no)",
        id="probes",
    ),
    pytest.param({"gpus": report(gpu(free=None))}, "the GPU's free memory cannot be read", id="vram"),
    pytest.param({"host": HOST.replace(ram_free_bytes=None)}, "free RAM cannot be read", id="ram"),
    pytest.param({"host": HOST.replace(load1=None)}, "the load average cannot be read", id="load"),
]


@pytest.mark.parametrize(("blindness", "why"), BLIND)
def test_blind_means_cautious(blindness, why):
    alone = decide(**blindness)
    assert alone.admitted
    assert alone.cautious
    assert by_rule(alone, "probe").text == f"cautious, one run at a time: {why}"
    beside = decide(**blindness, leases=[lease("a1")])
    assert not beside.admitted
    assert beside.cautious
    assert [d.text for d in beside.refusals] == ["1 run in progress, 1 allowed (a1), one at a time as a probe failed"]
    assert "backprop doctor" in beside.refusals[0].help
    assert "--max-parallel" not in beside.refusals[0].help


def test_a_gpu_that_was_not_chosen_may_be_unreadable():
    assert not decide(gpus=report(gpu("0", None), gpu("1", 20))).cautious


def test_caution_never_raises_the_limit():
    blind = HOST.replace(load1=None)
    assert by_rule(decide(REQUEST.replace(max_parallel=0), blind), "slots").limit == 0


maybe_bytes = st.none() | st.integers(0, 40 * GB)
gpus_of_any_kind = st.lists(
    st.builds(
        GpuSample,
        index=st.sampled_from(["0", "1", "2", "3:0", "3:1"]),
        mask=st.just("x"),
        uuid=st.sampled_from(["", "GPU-1", "MIG-2"]),
        name=st.just("x"),
        free_bytes=maybe_bytes,
        total_bytes=maybe_bytes,
        temp_c=st.none() | st.integers(1, 200),
    ),
    max_size=5,
    unique_by=lambda sample: sample.index,
)


@given(
    gpus=gpus_of_any_kind,
    mask=st.none() | st.text(max_size=8) | st.sampled_from(["0", "0,1", "GPU-1,2"]),
    failed=st.booleans(),
    ram=maybe_bytes,
    load=st.none() | st.floats(0, 100),
    ages=st.lists(st.floats(0, 120), max_size=3),
)
def test_what_holds_for_every_decision(gpus, mask, failed, ram, load, ages):
    leases = [lease(f"r{n}", age, ("0",), 2.0) for n, age in enumerate(ages)]
    admission = decide(
        REQUEST.replace(user_mask=mask),
        HOST.replace(ram_free_bytes=ram, load1=load),
        report(*gpus, failed=failed and not gpus),
        leases,
    )
    assert admission.admitted is (not admission.refusals)
    assert all(bool(d.help) >= (not d.ok) and d.text for d in admission.decisions)
    for gpu in admission.gpus:
        assert admission.admitted
        assert gpu in gpus
        assert gpu.temp_c is None or gpu.temp_c < 85
    if admission.admitted:
        assert len(leases) < (1 if admission.cautious else 2)
