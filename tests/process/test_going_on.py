"""Runs that go on by themselves: in turn with others, to their goal, after crashes, kills and restarts."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from backprop_tui.control import requesting
from backprop_tui.store.home import Home
from backprop_tui.supervisor.steering import OrderBook
from backprop_tui.watch.watcher import Watcher
from tests.box import Box, is_running, script
from tests.stand_ins.waiting import wait_until

TRAIN = script("metrics.py")
SHORT = ("-m", "1s", "--grace", "5s")
HOLDER = ("run", "-d", TRAIN, "-p", "1", "--run-id", "holder")


def start(box: Box, run_id: str, *words: str) -> None:
    """A detached training that queues if it must, with checkpoints of its own."""
    box.run(
        "run", "-d", "--wait", "--run-id", run_id, "-p", "1", *SHORT, *words, TRAIN, "--", "--output", f"ck-{run_id}"
    )


def spans(box: Box, *ids: str) -> list[tuple[float, float, str]]:
    """When each slice trained, in the order of their starts."""
    found = [(piece["started"], piece["ended"], i) for i in ids for piece in box.state(i)["slices"]]
    return sorted(found)


def check_goes_on_from_checkpoints(box: Box, run_id: str) -> None:
    slices = box.state(run_id)["slices"]
    assert slices[0]["resumed_from"] is None
    for before, after in itertools.pairwise(slices):
        assert after["resumed_from"], "a slice began without a checkpoint"
        assert after["first_step"] == before["last_step"] + 1
    steps = [line["step"] for line in box.lines(run_id, "metrics.jsonl")]
    assert steps == list(range(1, len(steps) + 1)), "a step was lost or done twice"


def supervisor_of(box: Box, run_id: str) -> int:
    return int(box.state(run_id)["owner"]["process"]["pid"])


def kill_supervisor(box: Box, run_id: str) -> None:
    """Kill it, and wait until its guard has stopped the training."""
    pid = supervisor_of(box, run_id)
    training = (box.state(run_id)["training"] or {}).get("pid")
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not is_running(pid) and (training is None or not is_running(training)))


def forge_boot(box: Box, run_id: str) -> None:
    """Let the record look as if the machine had been started again since."""
    path = box.home / "runs" / run_id / "state.json"
    state = json.loads(path.read_text())
    state["owner"]["boot_id"] = "another"
    path.write_text(json.dumps(state))


def caught_between(box: Box, run_id: str) -> int:
    """Stop the supervisor at a moment at which a slice of the run has ended and the next has no record."""
    pid = supervisor_of(box, run_id)

    def is_caught() -> bool:
        state = box.state(run_id)
        if state["state"] != "timeboxed" or not state["goes_on"]:
            return False
        os.kill(pid, signal.SIGSTOP)
        wait_until(lambda: Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T")
        if box.state(run_id)["state"] == "timeboxed":
            return True
        os.kill(pid, signal.SIGCONT)
        return False

    wait_until(is_caught)
    return pid


def ask(box: Box, run_id: str, verb: str) -> None:
    answer = requesting.ask(Home(str(box.home)), run_id, verb, {})
    assert answer.ok, answer.text


def is_over(box: Box, run_id: str) -> bool:
    state = box.state(run_id)
    return state.get("state") in ("timeboxed", "completed", "stopped", "failed") and not state["goes_on"]


def test_three_take_turns_to_their_totals(box: Box) -> None:
    ids = ("a", "b", "c")
    for run_id in ids:
        start(box, run_id, "--total", "4s")
    wait_until(lambda: all(is_over(box, i) for i in ids), 120)
    for run_id in ids:
        state = box.state(run_id)
        assert state["state"] == "timeboxed"
        assert len(state["slices"]) >= 2
        assert sum(piece["used_s"] for piece in state["slices"]) >= 3.8
        check_goes_on_from_checkpoints(box, run_id)
    ran = spans(box, *ids)
    assert all(before[1] <= after[0] for before, after in itertools.pairwise(ran)), "two trained at once"
    assert [i for _, _, i in ran[:6]] == [*ids, *ids]
    for n, (before, after) in enumerate(itertools.pairwise(ran)):
        assert before[2] != after[2] or {i for _, _, i in ran[n:]} == {after[2]}, "a run went on before the others"
    assert box.experiments()["a"]["status"] == "timeboxed"
    wait_until(lambda: not list((box.home / "active").iterdir()))


def test_no_box_is_longer_than_what_is_left_of_the_total(box: Box) -> None:
    run = box.json("run", TRAIN, "--total", "2.5s", *SHORT)
    left_s = 2.5
    for piece in run["slices"]:
        assert piece["box_s"] == pytest.approx(min(1.0, left_s), abs=0.01)
        left_s -= piece["used_s"]
    assert left_s < 0.13
    assert not run["goes_on"]


def test_a_total_below_the_time_box_is_one_slice(box: Box) -> None:
    done = box.run("run", TRAIN, "--total", "1s", "--run-id", "r1")
    assert "time box 0:01, 0:01 in all" in done.stderr
    assert [piece["box_s"] for piece in box.state("r1")["slices"]] == [1.0]


def test_a_slice_that_left_nothing_good_is_the_last_and_says_so(box: Box) -> None:
    spoiling = box.work / "spoiling.py"
    spoiling.write_text(
        "import json, signal, time\n"
        "stop = []\n"
        "signal.signal(signal.SIGINT, lambda *_: stop.append(1))\n"
        "json.dump({'step': 5}, open('ck.json', 'w'))\n"
        "print(json.dumps({'event': 'checkpoint_saved', 'path': 'ck.json', 'step': 5}), flush=True)\n"
        "while not stop:\n"
        "    time.sleep(0.01)\n"
        "open('ck.json', 'w').close()\n"
    )
    run = box.json("run", str(spoiling), "--slices", "9", *SHORT)
    assert (len(run["slices"]), run["state"], run["goes_on"]) == (1, "timeboxed", False)
    assert "it does not go on by itself: run" in run["warnings"][-1]
    assert "no good checkpoint" in run["warnings"][-1]


def test_a_foreground_chain_ends_as_its_last_slice(box: Box) -> None:
    done = box.run("run", TRAIN, "--slices", "2", *SHORT, "--run-id", "r1")
    assert "slice 2 follows: 1 of 2 slices done" in done.stderr
    steps = [json.loads(line).get("step") for line in done.stdout.splitlines() if '"loss"' in line]
    assert steps == list(range(1, len(steps) + 1)), "the output of both slices is shown, once"
    check_goes_on_from_checkpoints(box, "r1")
    assert box.state("r1")["state"] == "timeboxed"


def test_json_prints_one_document_for_a_chain(box: Box) -> None:
    run = box.json("run", TRAIN, "--slices", "2", *SHORT)
    assert [piece["n"] for piece in run["slices"]] == [1, 2]


def test_a_reader_that_stands_still_holds_up_no_slice(box: Box) -> None:
    start_here = ("run", TRAIN, "--slices", "2", *SHORT, "--run-id", "r1")
    process = box.start(*start_here, "--", "--interval", "0", "--checkpoint-every", "0")
    wait_until(lambda: is_over(box, "r1"))
    assert process.poll() is None, "it still has output to pass on"
    out, _err = process.communicate(timeout=60)
    assert len(out.splitlines()) >= box.state("r1")["metric_lines"]
    assert process.returncode == 0


def test_ctrl_c_ends_slice_and_chain(box: Box) -> None:
    process = box.start("run", TRAIN, "--slices", "9", "--run-id", "r1", "-m", "1")
    box.wait_for_step("r1", 5)
    assert box.state("r1")["goes_on"]
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 5
    state = box.state("r1")
    assert (state["state"], len(state["slices"]), state["goes_on"]) == ("stopped", 1, False)


def test_ctrl_c_while_a_slice_ends_by_its_box_ends_the_chain(box: Box) -> None:
    process = box.start(
        "run", TRAIN, "--slices", "9", "--run-id", "r1", "-m", "1s", "--grace", "3s", "--", "--ignore-signals"
    )
    box.wait_for("r1", "stopping")
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0
    state = box.state("r1")
    assert (state["state"], len(state["slices"]), state["goes_on"]) == ("timeboxed", 1, False)


def test_ctrl_c_in_the_queue_ends_the_chain(box: Box) -> None:
    process = box.start("run", TRAIN, "--slices", "9", "--run-id", "r1", "-p", "1", *SHORT)
    box.wait_for_step("r1", 5)
    box.run("run", "-d", "--wait", TRAIN, "-p", "1", "--run-id", "other")
    wait_until(lambda: box.state("r1").get("state") == "queued")
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 5
    assert box.state("r1")["state"] == "stopped"
    assert not box.state("r1")["goes_on"]


@pytest.mark.parametrize(
    ("until", "text"), [("loss<0.1", "loss<0.1 is reached: loss is 0.09"), ("step>=30", "step>=30 is reached")]
)
def test_a_goal_ends_the_run_completed(box: Box, until: str, text: str) -> None:
    run = box.json("run", TRAIN, "--until", until, "-m", "1", "--", "--interval", "0.05")
    assert run["state"] == "completed"
    assert text in run["reason"]["text"]
    assert run["reason"]["code"] == "goal"
    assert run["checkpoints"][-1]["good"]


def test_no_improvement_ends_the_run(box: Box) -> None:
    run = box.json("run", TRAIN, "--until", "no-improve 2", *SHORT, "--", "--loss", "0.5")
    assert len(run["slices"]) == 3
    assert run["state"] == "timeboxed"


def test_a_person_gets_one_more_slice_of_what_is_used_up(box: Box) -> None:
    box.run("run", TRAIN, "--slices", "1", "--until", "step>=20", *SHORT, "--run-id", "r1")
    assert box.state("r1")["state"] == "completed"
    done = box.run("resume", "r1", "-m", "1s")
    assert "this is one more slice" in done.stderr
    state = box.state("r1")
    assert (len(state["slices"]), state["state"], state["goes_on"]) == (2, "timeboxed", False)
    assert state["slices"][1]["last_step"] > state["slices"][0]["last_step"] + 1


def test_retries_only_while_it_comes_further(box: Box) -> None:
    crashing = box.work / "crashing.py"
    crashing.write_text(
        "import argparse, json, sys\n"
        "p = argparse.ArgumentParser(); p.add_argument('--resume-from'); a = p.parse_args()\n"
        "step = json.load(open(a.resume_from))['step'] if a.resume_from else 0\n"
        "for _ in range(0 if step >= 20 else 10):\n"
        "    step += 1\n"
        "    print(json.dumps({'step': step, 'loss': 1.0}), flush=True)\n"
        "json.dump({'step': step}, open(f'ck-{step}.json', 'w'))\n"
        "print(json.dumps({'event': 'checkpoint_saved', 'path': f'ck-{step}.json', 'step': step}), flush=True)\n"
        "sys.exit('crash')\n"
    )
    run = box.json("run", str(crashing), "--retries", "9", code=1)
    assert [piece["state"] for piece in run["slices"]] == ["failed"] * 3
    assert [piece["last_step"] for piece in run["slices"]] == [10, 20, None]
    once = box.json("run", str(crashing), "--retries", "1", code=1)
    assert [piece["last_step"] for piece in once["slices"]] == [10, 20]
    assert "it has crashed 2 times, and --retries allows 1" in once["warnings"][-1]
    never = box.json("run", TRAIN, "--retries", "9", "--", "--steps", "0", "--exit", "3", code=1)
    assert len(never["slices"]) == 1


def test_without_a_checkpoint_no_slice_starts_over(box: Box) -> None:
    done = box.run(
        "run", TRAIN, "--slices", "9", *SHORT, "--run-id", "r1", "--", "--checkpoint-every", "0", "--ignore-signals"
    )
    state = box.state("r1")
    assert (len(state["slices"]), state["state"], state["goes_on"]) == (1, "timeboxed", False)
    for text in (done.stderr, state["warnings"][-1]):
        assert "it does not go on by itself: it has saved no checkpoint that was found" in " ".join(text.split())
    assert "-r PATH" in state["warnings"][-1]
    assert "--watch" in state["warnings"][-1]


def test_a_script_that_finds_its_own_goes_on_without_one_that_is_known(box: Box) -> None:
    finding = box.work / "finding.py"
    finding.write_text(
        "import os, time\n"
        "at = int(open('where').read()) if os.path.exists('where') else 0\n"
        "while True:\n"
        "    at += 1\n"
        "    print(f'step {at} loss 0.5', flush=True)\n"
        "    open('where', 'w').write(str(at))\n"
        "    time.sleep(0.02)\n"
    )
    run = box.json("run", str(finding), "--slices", "2", *SHORT, "--resume-arg", "rerun")
    assert [piece["resumed_from"] for piece in run["slices"]] == [None, None]
    assert run["slices"][1]["first_step"] > run["slices"][0]["first_step"]


def test_it_is_left_where_its_supervisor_died_before_it_could_say_so(box: Box) -> None:
    box.run(
        "run", TRAIN, "--slices", "9", *SHORT, "--run-id", "r1", "--", "--checkpoint-every", "0", "--ignore-signals"
    )
    path = box.home / "runs" / "r1" / "state.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "goes_on": True}))
    (box.home / "active" / "r1").touch()
    assert "saved no checkpoint that was found" in " ".join(box.run("list").stderr.split())
    assert (len(box.state("r1")["slices"]), box.state("r1")["goes_on"]) == (1, False)


def test_stop_between_two_slices(box: Box) -> None:
    start(box, "r1", "--slices", "99")
    pid = caught_between(box, "r1")
    assert Watcher(Home(str(box.home))).poll().get("r1"), "a run that goes on has not gone"
    refused = box.run("rm", "--purge", "--yes", "r1", code=2)
    assert "running" in refused.stderr
    stop = box.start("stop", "r1")
    wait_until(lambda: list((box.home / "runs" / "r1" / "control").glob("*.json")))
    os.kill(pid, signal.SIGCONT)
    assert stop.wait(60) == 0
    wait_until(lambda: not is_running(pid))
    assert is_over(box, "r1")


def test_stop_while_the_end_of_a_slice_is_told(box: Box) -> None:
    box.run("run", "-d", TRAIN, "--slices", "5", *SHORT, "--run-id", "r1", "--on-end", "touch told; sleep 20")
    wait_until((box.work / "told").exists)
    assert box.state("r1")["goes_on"]
    ask(box, "r1", "stop")
    assert is_over(box, "r1")
    assert "it does not go on by itself: stopped by" in box.state("r1")["warnings"][-1]
    pid = supervisor_of(box, "r1")
    assert is_running(pid), "the command may come to its end"
    os.kill(pid, signal.SIGTERM)
    wait_until(lambda: not is_running(pid))
    assert len(box.state("r1")["slices"]) == 1


def test_follow_shows_all_slices(box: Box) -> None:
    start(box, "r1", "--slices", "2")
    shown = box.run("logs", "-f", "r1").stdout
    steps = [json.loads(line)["step"] for line in shown.splitlines() if '"loss"' in line]
    assert steps == list(range(1, box.state("r1")["slices"][1]["last_step"] + 1))


def check_taken_up(box: Box, run_id: str, done: subprocess.CompletedProcess[str]) -> None:
    assert f"taken up again, as they were to go on by themselves: {run_id}" in done.stderr
    wait_until(lambda: is_over(box, run_id))
    assert box.state(run_id)["state"] == "timeboxed"


def test_a_supervisor_killed_between_two_slices_is_made_up_for(box: Box) -> None:
    start(box, "r1", "--slices", "3")
    os.kill(pid := caught_between(box, "r1"), signal.SIGKILL)
    wait_until(lambda: not is_running(pid))
    assert Watcher(Home(str(box.home))).poll().get("r1") is None
    had = len(box.state("r1")["slices"])
    check_taken_up(box, "r1", box.run("list"))
    assert len(box.state("r1")["slices"]) == 3 >= had
    check_goes_on_from_checkpoints(box, "r1")


def test_a_supervisor_killed_in_the_queue_is_made_up_for(box: Box) -> None:
    box.run(*HOLDER)
    start(box, "r1", "--slices", "1")
    assert box.state("r1")["state"] == "queued"
    kill_supervisor(box, "r1")
    done = box.run("list")
    box.wait_for("r1", "queued")
    box.run("stop", "holder")
    check_taken_up(box, "r1", done)


@pytest.mark.parametrize("boot", [True, False])
def test_a_killed_run_is_taken_up_once(box: Box, boot: bool) -> None:
    start(box, "r1", "--total", "3s")
    start(box, "plain")
    box.wait_for_step("r1", 5)
    kill_supervisor(box, "r1")
    if boot:
        forge_boot(box, "r1")
    both = [box.start("list") for _ in range(2)]
    said = [process.communicate(timeout=60)[1] for process in both]
    assert sum("taken up again" in text for text in said) == 1, said
    wait_until(lambda: is_over(box, "r1"))
    lost, *others = box.state("r1")["slices"]
    assert lost["state"] == "lost"
    assert ("restarted" in lost["reason"]["text"]) is boot
    assert {piece["state"] for piece in others} == {"timeboxed"}
    check_goes_on_from_checkpoints(box, "r1")


def test_a_new_run_takes_up_what_a_restart_left(box: Box) -> None:
    start(box, "r1", "--total", "3s")
    box.wait_for_step("r1", 5)
    kill_supervisor(box, "r1")
    forge_boot(box, "r1")
    (box.home / "boot").write_text("another")
    done = box.run("run", TRAIN, "--", "--steps", "3")
    check_taken_up(box, "r1", done)
    assert "taken up" not in box.run("run", TRAIN, "--", "--steps", "3").stderr


def test_it_is_left_where_that_is_asked_for(box: Box) -> None:
    start(box, "r1", "--total", "1h", "--take-up", "no")
    box.wait_for_step("r1", 5)
    kill_supervisor(box, "r1")
    forge_boot(box, "r1")
    assert "takeUp is off" in box.run("list").stderr
    state = box.state("r1")
    assert (state["state"], state["goes_on"]) == ("lost", False)
    assert state["reason"]["text"].endswith("takeUp is off")
    assert "taken up" not in box.run("list").stderr


def test_a_plain_run_is_not_taken_up_but_by_all_lost(box: Box) -> None:
    start(box, "r1")
    box.wait_for_step("r1", 5)
    kill_supervisor(box, "r1")
    assert "taken up" not in box.run("list").stderr
    assert box.state("r1")["state"] == "lost"
    assert box.json("resume", "--all-lost", "--dry-run")
    assert box.state("r1")["state"] == "lost"
    (answer,) = box.json("resume", "--all-lost")
    assert answer["id"] == "r1"
    assert answer["ok"] is True
    wait_until(lambda: is_over(box, "r1"))
    check_goes_on_from_checkpoints(box, "r1")
    assert box.json("resume", "--all-lost") == []


@pytest.mark.parametrize("box_ended", [False, True])
def test_a_stop_outlives_the_supervisor_that_carries_it_out(box: Box, box_ended: bool) -> None:
    limits = ("-m", "1s" if box_ended else "60s", "--grace", "60s")
    box.run("run", "-d", TRAIN, "--slices", "5", *limits, "--run-id", "r1", "--", "--ignore-signals")
    if box_ended:
        box.wait_for("r1", "stopping")
    else:
        box.wait_for_step("r1", 5)
    assert box.state("r1")["goes_on"]
    ask(box, "r1", "stop")
    wait_until(lambda: not box.state("r1")["goes_on"])
    pid, training = supervisor_of(box, "r1"), box.state("r1")["training"]["pid"]
    for one in (guard_of(pid, training), pid, training):
        os.kill(one, signal.SIGKILL)
    wait_until(lambda: not is_running(pid) and not is_running(training))
    assert "taken up" not in box.run("list").stderr
    state = box.state("r1")
    assert (state["state"], len(state["slices"]), state["goes_on"]) == ("lost", 1, False)


def guard_of(supervisor: int, training: int) -> int:
    children = Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text().split()
    (guard,) = {int(pid) for pid in children} - {training}
    return guard


def test_a_run_that_is_lost_in_a_circle_is_left(box: Box) -> None:
    silent = box.work / "silent.py"
    silent.write_text("import time\nprint('begun', flush=True)\ntime.sleep(600)\n")
    box.run("run", "-d", str(silent), "--total", "1h", "--run-id", "r1", "--grace", "1s")
    said: list[str] = []
    for _ in range(3):
        box.wait_for("r1", "running")
        kill_supervisor(box, "r1")
        said.append(box.run("list").stderr)
    assert ["taken up" in text for text in said] == [True, True, False]
    state: dict[str, Any] = box.state("r1")
    assert (state["state"], state["goes_on"]) == ("lost", False)
    assert "lost 3 times in a row" in state["reason"]["text"]


def test_a_higher_priority_goes_next_at_the_end_of_a_slice(box: Box) -> None:
    ids = ("a", "b", "c")
    for run_id in ids:
        start(box, run_id, "--total", "4s")
    start(box, "vip", "--slices", "1", "--priority", "5")
    at = box.state("vip")["created"]
    wait_until(lambda: all(is_over(box, i) for i in (*ids, "vip")), 120)
    ran = spans(box, *ids, "vip")
    later = [i for begun, _, i in ran if begun > at]
    assert later[0] == "vip", ran
    assert all(before[1] <= after[0] for before, after in itertools.pairwise(ran)), "two trained at once"
    for run_id in ids:
        check_goes_on_from_checkpoints(box, run_id)


def test_a_held_run_waits_after_its_slice_until_it_is_released(box: Box) -> None:
    start(box, "r1", "--slices", "2")
    ask(box, "r1", "hold")
    state = box.wait_for("r1", "queued")
    assert (len(state["slices"]), bool(state["held"])) == (2, True)
    wait_until(lambda: box.state("r1")["reason"]["code"] == "held")
    ask(box, "r1", "release")
    wait_until(lambda: is_over(box, "r1"))
    assert box.state("r1")["state"] == "timeboxed"
    assert not box.state("r1")["held"]


def test_a_plain_run_that_gave_way_comes_back_with_the_rest_of_its_box(box: Box) -> None:
    box.run("run", "-d", TRAIN, "--run-id", "r1", "-m", "60s", "--", "--steps", "60", "--interval", "0.1")
    box.wait_for_step("r1", 15)
    orders = OrderBook(box.env["BACKPROP_ADMISSION_DIR"])
    orders.set_yield("anna", time.time() + 600)
    state = box.wait_for("r1", "queued")
    assert [piece["state"] for piece in state["slices"]] == ["stopped", "queued"]
    assert state["slices"][0]["reason"]["code"] == "yield"
    wait_until(lambda: box.state("r1")["reason"]["code"] == "yielded")
    orders.end_yield()
    state = box.wait_for("r1", "completed")
    check_goes_on_from_checkpoints(box, "r1")
    gave_way, after = state["slices"]
    assert after["box_s"] == pytest.approx(gave_way["box_s"] - gave_way["used_s"], abs=0.01)
    assert not state["goes_on"]
