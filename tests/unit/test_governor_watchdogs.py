"""What is wrong with a training that runs."""

from __future__ import annotations

import math

import pytest

from backprop_tui.governor.watchdogs import HELD_BYTES, Held, IdleWatch, Life, LossWatch, StallWatch, about

NAN, INF = math.nan, math.inf


def losses(*values: float, steps: list[int] | None = None) -> LossWatch:
    watch = LossWatch()
    for n, value in enumerate(values):
        watch.take(steps[n] if steps else n * 10, value, 1000.0 + n)
    return watch


@pytest.mark.parametrize(
    ("values", "streak"),
    [((1.0, 0.5), 0), ((1.0, NAN), 1), ((1.0, NAN, INF, -INF), 3), ((1.0, NAN, NAN, 0.5), 0), ((NAN, 1.0, NAN), 1)],
)
def test_reports_in_a_row(values: tuple[float, ...], streak: int) -> None:
    assert losses(*values).streak == streak


def test_a_bar_drawn_again_is_no_new_report() -> None:
    watch = losses(1.0, NAN, NAN, NAN, NAN, steps=[1, 2, 2, 2, 3])
    assert watch.streak == 2


def test_what_is_said() -> None:
    assert losses(2.0, 0.25, NAN, NAN, INF).said() == (
        "the loss has been no finite number for 3 reports in a row, from step 20 on (nan); "
        "the last one was 0.25 at step 10"
    )
    assert losses(NAN).said() == (
        "the loss was no finite number for 1 report, from step 0 on (nan); it was none from the first report on"
    )
    assert losses(1.0).said() == ""


def test_the_last_step_before_it_rose_and_when_the_next_report_came() -> None:
    assert losses(3.0, 2.0, 1.0, 4.0, 9.0, NAN).last_good == (20, 1003.0)
    assert losses(3.0, 2.0, NAN).last_good == (10, 1002.0)
    assert losses(NAN).last_good == (None, 1000.0)
    assert losses(1.0, NAN, 1.0).last_good is None


def test_a_long_slice_is_followed_within_bounds_and_the_rise_found() -> None:
    watch = LossWatch()
    for step in range(50_000):
        watch.take(step, 1.0 + 1.0 / (step + 1), float(step))
    for step in range(50_000, 50_040):
        watch.take(step, 2.0 + (step - 50_000), float(step))
    watch.take(50_040, NAN, 50_040.0)
    assert len(watch._trail) <= 1024
    assert watch.last_good == (49_999, 50_000.0)


class Training:
    """Looked at once a second."""

    def __init__(self, stop_s: float | None = None) -> None:
        self.watch, self.t, self.life = (
            StallWatch(stop_s),
            0.0,
            Life(step=None, reports=0, checkpoints=0, output_bytes=0),
        )
        self.ended = ""

    def steps(self, count: int, every: float, *, prints: bool = True) -> None:
        for _ in range(count):
            self.idle(every)
            step = (self.life.step or 0) + 1
            more = 10 if prints else 0
            self.life = self.life.replace(
                step=step, reports=self.life.reports + 1, output_bytes=self.life.output_bytes + more
            )
            self.look()

    def idle(self, seconds: float, **changes: int) -> None:
        """`changes` is what grows each second."""
        for _ in range(round(seconds)):
            self.t += 1
            now = self.life.plain()
            self.life = self.life.replace(**{name: now[name] + by for name, by in changes.items()})
            self.look()

    def look(self) -> None:
        self.ended = self.watch.look(self.t, self.life) or self.ended


def test_no_step_for_long_is_said_and_taken_back() -> None:
    one = Training()
    one.steps(10, 2)
    one.idle(58)
    assert one.watch.said == ""
    one.idle(3)
    assert one.watch.said == ("no step for 60 s: step 10 was the last; one usually takes 2 s; it prints nothing either")
    said = one.watch.said
    one.idle(100)
    assert one.watch.said == said
    one.steps(1, 1)
    assert one.watch.said == ""
    assert one.ended == ""


@pytest.mark.parametrize(
    ("every", "quiet", "is_said"),
    [(20, 200, False), (20, 245, True), (1, 59, False), (1, 61, True)],
)
def test_slow_steps_get_more_time(every: float, quiet: float, is_said: bool) -> None:
    one = Training()
    one.steps(6, every)
    one.idle(quiet)
    assert bool(one.watch.said) is is_said


@pytest.mark.parametrize("sign", ["reports", "checkpoints"])
def test_evaluating_and_saving_are_no_stall(sign: str) -> None:
    one = Training(stop_s=120)
    one.steps(10, 1)
    one.idle(500, **{sign: 1})
    assert (one.watch.said, one.ended) == ("", "")


def test_a_checkpoint_that_is_being_written_is_no_stall() -> None:
    one = Training(stop_s=120)
    one.steps(10, 1)
    one.life = one.life.replace(is_saving=True)
    one.idle(500)
    assert (one.watch.said, one.ended) == ("", "")
    one.life = one.life.replace(is_saving=False)
    one.idle(119)
    assert one.ended == ""
    one.idle(3)
    assert one.ended.startswith("no step for 2 min: step 10 was the last")


def test_who_still_prints_gets_longer() -> None:
    one = Training()
    one.steps(10, 1)
    one.idle(200, output_bytes=5)
    assert one.watch.said == ""
    one.idle(60, output_bytes=5)
    assert one.watch.said.endswith("it still prints")


def test_a_gap_that_was_seen_once_is_not_said_again() -> None:
    one = Training()
    one.steps(10, 1)
    one.steps(1, 100)
    one.steps(10, 1)
    one.idle(150)
    assert one.watch.said == ""
    one.idle(60)
    assert one.watch.said


def test_a_start_that_takes_long_is_not_said_but_ended_if_asked() -> None:
    one = Training()
    one.idle(1000)
    assert (one.watch.said, one.ended) == ("", "")
    one = Training(stop_s=300)
    one.idle(310)
    assert one.ended == "no step has been reported for 5 min, and none before"


def held(util: int | None, used: int | None, *, is_sure: bool = True) -> Held:
    return Held(index="1", util_percent=util, run_bytes=used, is_sure=is_sure)


def idled(*looks: tuple[float, Held]) -> dict[str, str]:
    watch = IdleWatch()
    for t, gpu in looks:
        watch.look(t, [gpu])
    return watch.said


BIG = 12 * 1024**3


def test_a_gpu_that_is_held_and_idles() -> None:
    assert idled((0, held(0, BIG)), (299, held(3, BIG))) == {}
    assert idled((0, held(0, BIG)), (301, held(3, BIG))) == {
        "1": "GPU 1 has been idle for 5 min, while the run holds 12.0 GB of its memory"
    }
    assert idled((0, held(0, BIG)), (200, held(50, BIG)), (301, held(0, BIG))) == {}
    assert idled((0, held(0, BIG)), (301, held(0, BIG)), (302, held(80, BIG))) == {}
    assert idled((0, held(None, BIG)), (301, held(None, BIG))) == {}
    assert idled((0, held(0, BIG, is_sure=False)), (301, held(0, BIG, is_sure=False))) != {}


def test_a_gpu_that_is_leased_and_never_used() -> None:
    unused = {"1": "GPU 1 is kept for the run, which has not used it in 5 min: --gpus 0 leaves it to others"}
    assert idled((0, held(0, 0)), (301, held(0, 0))) == unused
    assert idled((0, held(0, None)), (301, held(0, None))) == {}
    assert idled((0, held(0, 0, is_sure=False)), (301, held(0, 0, is_sure=False))) == {}
    assert idled((0, held(0, BIG)), (1, held(0, 0)), (301, held(0, 0))) == {}  # between two models
    assert idled((0, held(0, 0)), (200, held(0, HELD_BYTES)), (301, held(0, HELD_BYTES))) == {}


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.2, "less than a second"), (89, "89 s"), (150, "2 min"), (7200, "2.0 h")]
)
def test_lengths_of_time(seconds: float, said: str) -> None:
    assert about(seconds) == said
