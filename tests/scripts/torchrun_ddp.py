"""Two workers under torchrun (gloo); rank 0 reports and saves."""

import json, os, signal, sys, time

import torch
import torch.distributed as dist

torch.set_num_threads(1)
dist.init_process_group("gloo")
rank, stop = dist.get_rank(), []
signal.signal(signal.SIGINT, lambda *s: stop.append(1))
with open(sys.argv[1], "a") as f:
    f.write(f"{os.getpid()}\n")
weight, step = torch.ones(4), 0
if os.environ.get("BACKPROP_RESUME_FROM"):
    saved = torch.load(os.environ["BACKPROP_RESUME_FROM"])
    weight, step = saved["w"], saved["step"]
while True:
    flag = torch.tensor([float(bool(stop))])
    dist.all_reduce(flag)
    if flag.item():
        break
    step += 1
    dist.all_reduce(weight)
    weight /= 2
    if rank == 0:
        print(json.dumps({"step": step, "loss": 1.0 / step}), flush=True)
        if step % 20 == 0:
            torch.save({"w": weight, "step": step}, "ddp.pt")
            print(json.dumps({"event": "checkpoint_saved", "path": "ddp.pt", "step": step}), flush=True)
    time.sleep(0.02)
if rank == 0:
    torch.save({"w": weight, "step": step}, "ddp.pt")
    print(json.dumps({"event": "checkpoint_saved", "path": "ddp.pt", "step": step}), flush=True)
dist.destroy_process_group()
