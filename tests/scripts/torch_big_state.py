"""Trains a little and saves a lot: a state of many tensors every other step, the newest three are kept."""

import argparse
import os
from pathlib import Path

import torch
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--steps", type=int, default=100_000)
parser.add_argument("--tensors", type=int, default=1500)
parser.add_argument("--resume", default=None, help="checkpoint to go on from")
args = parser.parse_args()

torch.manual_seed(0)
torch.set_num_threads(1)
x = torch.randn(512, 16)
y = torch.sin(x).sum(dim=1, keepdim=True)
model = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 1))
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
ballast = {f"embedding.{n}": torch.full((64, 128), float(n)) for n in range(args.tensors)}
step = 0
if args.resume:
    state = torch.load(args.resume)
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    step, ballast = state["step"], state["ballast"]
    assert len(ballast) == args.tensors

Path("checkpoints").mkdir(exist_ok=True)
while step < args.steps:
    for _ in range(20):
        loss = nn.functional.mse_loss(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    step += 1
    print(f"step {step}: loss {loss.item():.5f}")
    if step % 2 == 0:
        state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "step": step, "ballast": ballast}
        torch.save(state, f"checkpoints/step_{step}.pt")
        old = Path(f"checkpoints/step_{step - 6}.pt")
        if old.exists():
            os.remove(old)
