"""A small network that learns to read digits, with the knobs of a real training."""

from __future__ import annotations

import argparse
import json
import os
import pickle
import random
import signal
import time

from backprop_tui.demo import digits
from backprop_tui.demo.network import Network

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=0.05)
parser.add_argument("--seed", type=int, default=3)
parser.add_argument("--batch", type=int, default=16)
parser.add_argument("--steps", type=int, default=1500)
parser.add_argument("--pace", type=float, default=0.0, help="seconds a step takes at least")
parser.add_argument("--tracker", default="")
parser.add_argument("--resume-from")
args = parser.parse_args()
if args.tracker:
    __import__(args.tracker)
stops: list[int] = []
signal.signal(signal.SIGINT, lambda number, _frame: stops.append(number))
pictures, labels = digits.load(600, seed=1)
others, answers = digits.load(120, seed=2)
network = Network(digits.SIDE**2, digits.CLASSES, seed=args.seed)
dice, step = random.Random(args.batch), 0
if args.resume_from:
    with open(args.resume_from, "rb") as file:
        step, network = pickle.load(file)
folder = f"checkpoints/{os.environ.get('BACKPROP_RUN_ID', 'digits')}"
os.makedirs(folder, exist_ok=True)


def save() -> None:
    path = f"{folder}/step-{step}.pkl"
    with open(path, "wb") as file:
        pickle.dump((step, network), file)
    print(json.dumps({"event": "checkpoint_saved", "path": path, "step": step}), flush=True)


print(f"digits: {len(pictures)} pictures, lr {args.lr}", flush=True)
while step < args.steps and not stops:
    began, step = time.monotonic(), step + 1
    batch = [dice.randrange(len(pictures)) for _ in range(args.batch)]
    loss, accuracy = network.learn([pictures[n] for n in batch], [labels[n] for n in batch], args.lr)
    line = {"step": step, "total_steps": args.steps, "loss": round(loss, 4), "accuracy": round(accuracy, 3)}
    if step % 50 == 0:
        line["val_accuracy"] = round(network.accuracy(others, answers), 3)
    print(json.dumps(line), flush=True)
    if step % 250 == 0:
        save()
    time.sleep(max(0.0, args.pace - (time.monotonic() - began)))
save()
