"""Knows nothing of backprop: one file that it overwrites, and takes up where it finds it."""

import json, os, time

CHECKPOINT = "state.json"
step = 0
if os.path.exists(CHECKPOINT):
    with open(CHECKPOINT) as f:
        step = json.load(f)["step"]
while True:
    step += 1
    print(json.dumps({"step": step, "loss": 1 / step}), flush=True)
    if step % 10 == 0:
        with open(CHECKPOINT + ".tmp", "w") as f:
            json.dump({"step": step}, f)
        os.replace(CHECKPOINT + ".tmp", CHECKPOINT)
        print(json.dumps({"event": "checkpoint_saved", "path": CHECKPOINT, "step": step}), flush=True)
    time.sleep(0.02)
