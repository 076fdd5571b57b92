"""A training on the standard library: JSON lines, small checkpoints, ends gracefully unless told otherwise."""

import argparse, json, os, signal, sys, time

p = argparse.ArgumentParser()
p.add_argument("--steps", type=int, default=10_000)
p.add_argument("--interval", type=float, default=0.02)
p.add_argument("--checkpoint-every", type=int, default=10)
p.add_argument("--exit", type=int, default=0)
p.add_argument("--loss", default=None)
p.add_argument("--ignore-signals", action="store_true")
p.add_argument("--resume-from", default=None)
p.add_argument("--output", default="ck")
a = p.parse_args()
stop = []
for s in (signal.SIGINT, signal.SIGTERM):
    signal.signal(s, signal.SIG_IGN if a.ignore_signals else lambda *x: stop.append(1))
step = json.load(open(a.resume_from))["step"] if a.resume_from else 0


def save():
    os.makedirs(a.output, exist_ok=True)
    path = os.path.join(a.output, f"step-{step}.json")
    with open(path + ".tmp", "w") as f:
        json.dump({"step": step}, f)
    os.replace(path + ".tmp", path)
    print(json.dumps({"event": "checkpoint_saved", "path": path, "step": step}), flush=True)


while step < a.steps and not stop:
    step += 1
    loss = float(a.loss) if a.loss else 1.0 / step
    print(json.dumps({"step": step, "loss": loss}), flush=True)
    if a.checkpoint_every and step % a.checkpoint_every == 0:
        save()
    time.sleep(a.interval)
if stop:
    save()
sys.exit(a.exit)
