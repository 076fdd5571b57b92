"""A plain PyTorch loop with a big state: torch.save takes a while, and nobody hears of it."""

import argparse
import os
import time

import torch

parser = argparse.ArgumentParser()
parser.add_argument("--tensors", type=int, default=30_000)
parser.add_argument("--every", type=int, default=50)
parser.add_argument("--big-from", type=int, default=200)
parser.add_argument("--resume")
args = parser.parse_args()

model = torch.nn.Linear(4, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
step = 0
if args.resume:
    saved = torch.load(args.resume, weights_only=True)
    model.load_state_dict(saved["model"])
    step = saved["step"]
os.makedirs("checkpoints", exist_ok=True)
ballast = {str(n): torch.zeros(64) for n in range(args.tensors)}
x = torch.randn(32, 4)
while True:
    step += 1
    loss = ((model(x) - x.sum(1, keepdim=True)) ** 2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(f"step {step}: loss {loss.item():.6f}", flush=True)
    if step % args.every == 0:
        state = {"step": step, "model": model.state_dict(), "ballast": ballast if step >= args.big_from else {}}
        torch.save(state, f"checkpoints/ckpt_{step}.pt")
    if step < args.big_from:
        time.sleep(0.02)
