"""A small CNN on made-up pictures: JSON lines, torch.save checkpoints, resumes; --plain does not handle SIGINT."""

import argparse, json, os, signal, sys, time

import torch
from torch import nn

p = argparse.ArgumentParser()
p.add_argument("--steps", type=int, default=100_000)
p.add_argument("--save-every", type=int, default=20)
p.add_argument("--output", default="checkpoints")
p.add_argument("--resume-from", default=None)
p.add_argument("--plain", action="store_true")
a = p.parse_args()
torch.set_num_threads(1)
torch.manual_seed(0)
x = torch.randn(256, 1, 12, 12)
y = (x.mean(dim=(1, 2, 3)) > 0).long()
model = nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(128, 2))
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
step, stop = 0, []
if not a.plain:
    signal.signal(signal.SIGINT, lambda *s: stop.append(1))
if a.resume_from:
    state = torch.load(a.resume_from)
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    step = state["step"]


def save():
    os.makedirs(a.output, exist_ok=True)
    path = os.path.join(a.output, f"step-{step}.pt")
    torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict(), "step": step}, path)
    print(json.dumps({"event": "checkpoint_saved", "path": path, "step": step}), flush=True)


while step < a.steps and not stop:
    step += 1
    batch = torch.randint(0, 256, (32,))
    loss = nn.functional.cross_entropy(model(x[batch]), y[batch])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(json.dumps({"step": step, "loss": loss.item()}), flush=True)
    if step % a.save_every == 0:
        save()
    time.sleep(0.02)
save()
