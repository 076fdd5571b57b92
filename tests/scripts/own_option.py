"""Knows nothing of backprop: its own option for a checkpoint, its own words, a file every 10 steps."""

import argparse, json, os, time

p = argparse.ArgumentParser()
p.add_argument("--resume_from_checkpoint", type=str, default=None)
p.add_argument("--output_dir", default="out")
p.add_argument("--steps", type=int, default=100000)
a = p.parse_args()
step = 0
if a.resume_from_checkpoint:
    with open(a.resume_from_checkpoint) as f:
        step = json.load(f)["step"]
os.makedirs(a.output_dir, exist_ok=True)
while step < a.steps:
    step += 1
    print(json.dumps({"step": step, "loss": 1 / step}), flush=True)
    if step % 10 == 0:
        path = os.path.join(a.output_dir, f"state-{step}.json")
        with open(path, "w") as f:
            json.dump({"step": step}, f)
        print(json.dumps({"event": "checkpoint_saved", "path": path, "step": step}), flush=True)
    time.sleep(0.02)
