"""Trains and saves without saying so, as most scripts do; goes on from --resume or from what it finds itself."""

import argparse, io, os, sys, time, zipfile

parser = argparse.ArgumentParser()
parser.add_argument("--out", default="out")
parser.add_argument("--name", default="step_{step}.pt")
parser.add_argument("--every", type=int, default=20)
parser.add_argument("--interval", type=float, default=0.05)
parser.add_argument("--write-seconds", type=float, default=0)
parser.add_argument("--slow-from", type=int, default=0)
parser.add_argument("--size", type=int, default=200_000)
parser.add_argument("--resume")
args = parser.parse_args()


def save(step):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a/data.pkl", b"\x80\x02N.")
        archive.writestr("a/step", str(step))
        archive.writestr("a/data/0", os.urandom(args.size))
    data = packed.getvalue()
    path = os.path.join(args.out, args.name.format(step=step))
    os.makedirs(args.out, exist_ok=True)
    pieces = 100 if args.write_seconds and step >= args.slow_from else 1
    with open(path, "wb", buffering=0) as file:
        for n in range(pieces):
            file.write(data[len(data) * n // pieces : len(data) * (n + 1) // pieces])
            time.sleep(args.write_seconds / pieces if pieces > 1 else 0)


step = 0
source = args.resume or os.environ.get("BACKPROP_RESUME_FROM")
if source:
    step = int(zipfile.ZipFile(source).read("a/step"))
    print(f"goes on from {source}", flush=True)
while True:
    step += 1
    print(f'{{"step": {step}, "loss": {1 + 1 / step}}}', flush=True)
    if step % args.every == 0:
        save(step)
    time.sleep(args.interval)
