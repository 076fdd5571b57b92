"""A training that takes more and more memory, and disk if it saves on the way, until it is asked to save and end."""

import argparse, json, os, signal, sys, time

p = argparse.ArgumentParser()
p.add_argument("--mb-a-step", type=int, default=8)
p.add_argument("--most-mb", type=int, default=4096)
p.add_argument("--interval", type=float, default=0.05)
p.add_argument("--workers", type=int, default=0)
p.add_argument("--save-every", type=int, default=0)
p.add_argument("--save-mb", type=int, default=0)
p.add_argument("--output", default="ck")
a = p.parse_args()
stop = []
signal.signal(signal.SIGINT, lambda *x: stop.append(1))
held, step = [], 0
workers = []


def save():
    os.makedirs(a.output, exist_ok=True)
    path = os.path.join(a.output, f"step-{step}.json")
    with open(path + ".tmp", "w") as f:
        json.dump({"step": step, "weights": "x" * (a.save_mb << 20)}, f)
    os.replace(path + ".tmp", path)
    print(json.dumps({"event": "checkpoint_saved", "path": path, "step": step}), flush=True)


while not stop:
    step += 1
    if len(held) * a.mb_a_step < a.most_mb:
        held.append(os.urandom(1 << 20) * a.mb_a_step)
    elif len(workers) < a.workers:  # they share all that was read, as a DataLoader's workers do
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            while True:
                signal.pause()
        workers.append(pid)
    print(json.dumps({"step": step, "loss": 1.0 / step}), flush=True)
    if a.save_every and step % a.save_every == 0:
        save()
    time.sleep(a.interval)
save()
for pid in workers:
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
sys.exit(0)
