"""On SIGINT writes a checkpoint that grows for some seconds."""

import json, signal, sys, time

seconds, stop = float(sys.argv[1]), []
signal.signal(signal.SIGINT, lambda *x: stop.append(1))
open("first.bin", "wb").write(b"x")
print('{"event": "checkpoint_saved", "path": "first.bin", "step": 1}', flush=True)
while not stop:
    time.sleep(0.02)
with open("slow.bin", "wb", buffering=0) as f:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        f.write(b"x" * 1000)
        time.sleep(0.05)
print(json.dumps({"event": "checkpoint_saved", "path": "slow.bin", "step": 2}), flush=True)
