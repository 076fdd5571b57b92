"""Teaches a small network to read digits. An example of a script that talks to backprop: all of it is optional.

It prints a JSON line a step, says when it saved a checkpoint, saves and ends when it is interrupted, and goes
on from a checkpoint. Run by itself it is an ordinary training: python train.py
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sys
import time

import digits
from network import Network

BATCH = 24
RATE = 0.05


def main() -> int:
    """Train until --steps, or until somebody interrupts."""
    options = read_options()
    interrupted: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda got, _frame: interrupted.append(got))
    pictures, labels = digits.load(1200, seed=1)
    test = digits.load(300, seed=2)
    network = Network(digits.SIDE**2, digits.CLASSES, seed=3)
    dice = random.Random(4)  # noqa: S311  # an order of examples, no secrets
    step = restore(options.resume_from, network, dice) if options.resume_from else 0
    saved = time.monotonic()
    due = time.monotonic()
    while step < options.steps and not interrupted:
        step += 1
        batch = [dice.randrange(len(pictures)) for _ in range(BATCH)]
        loss, accuracy = network.learn([pictures[i] for i in batch], [labels[i] for i in batch], RATE)
        report({"step": step, "loss": round(loss, 4), "accuracy": round(accuracy, 3)})
        if step % 100 == 0:
            report({"step": step, "test_accuracy": round(network.accuracy(*test), 3)})
        if time.monotonic() - saved >= options.checkpoint_every_seconds:
            save(options.output, step, network, dice)
            saved = time.monotonic()
        # A person should see it happen: no faster than this, however fast the machine.
        due = max(due + 1 / options.steps_per_second, time.monotonic() - 0.1)
        time.sleep(max(0.0, due - time.monotonic()))
    save(options.output, step, network, dice)
    return 0


def read_options() -> argparse.Namespace:
    """The command line; backprop fills in the flags that it knows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=900)
    parser.add_argument("--steps-per-second", type=float, default=40.0)
    parser.add_argument("--output", default="checkpoints", help="folder for checkpoints")
    parser.add_argument("--checkpoint-every-seconds", type=float, default=5.0)
    parser.add_argument("--resume-from", default=None, help="a checkpoint to go on from")
    parser.add_argument("--run-id", default="")
    return parser.parse_args()


def report(line: dict[str, object]) -> None:
    """One JSON object on a line of its own."""
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def save(folder: str, step: int, network: Network, dice: random.Random) -> None:
    """Everything that the next slice needs, under a temporary name first: a cut save leaves no half file."""
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, f"step-{step}.json")
    state = {
        "step": step,
        "hidden": network.hidden,
        "output": network.output,
        "speed": network.speed,
        "dice": dice.getstate(),
    }
    with open(path + ".tmp", "w", encoding="ascii") as file:
        json.dump(state, file)
    os.replace(path + ".tmp", path)
    report({"event": "checkpoint_saved", "path": path, "step": step})


def restore(path: str, network: Network, dice: random.Random) -> int:
    """Take up a checkpoint; returns its step."""
    with open(path, encoding="ascii") as file:
        state = json.load(file)
    network.hidden, network.output, network.speed = state["hidden"], state["output"], state["speed"]
    version, numbers, gauss = state["dice"]
    dice.setstate((version, tuple(numbers), gauss))
    return int(state["step"])


if __name__ == "__main__":
    sys.exit(main())
