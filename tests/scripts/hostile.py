"""A training that prints a text given to it wherever a text can stand, and worse; then fails, or goes on."""

import json, os, sys, time

mode, text = sys.argv[1:3]
out = sys.stdout.buffer
raw = text.encode("utf-8", "surrogateescape")
for end in (b"\n", b"\r", b"\b\b\0\n", b"\r\n"):
    out.write(b"50%|####     |\r" + raw + end)
out.write(b"\x9b31m\x9d0;OWNED\x9c\x85\xff\x90q\x9c\n")
out.write(b"x" * 1_000_000 + b"\n")
for step in range(1, 40):
    out.write(json.dumps({"step": step, "loss": 1 / step, text[:60]: step, text: 2.0}).encode() + b"\n")
os.makedirs("ck", exist_ok=True)
path = os.path.join("ck", text.replace("/", "")[:120].encode("utf-8", "ignore").decode() + ".json")
open(path, "w").write("{}")
out.write(json.dumps({"event": "checkpoint_saved", "path": path, "step": 39}).encode() + b"\n")
out.flush()
if mode == "fail":
    raise ValueError(text)
while True:
    step += 1
    print(json.dumps({"step": step, "loss": 1 / step}), flush=True)
    time.sleep(0.1)
