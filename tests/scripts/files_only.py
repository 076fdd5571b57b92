"""Trains in silence: its metrics are in a file. files_only.py KIND FOLDER [--prints] [--steps N] [--interval S]"""

import argparse
import os
import struct
import time

parser = argparse.ArgumentParser()
parser.add_argument("kind", choices=["tensorboard", "csv"])
parser.add_argument("folder")
parser.add_argument("--prints", action="store_true")
parser.add_argument("--steps", type=int, default=40)
parser.add_argument("--first", type=int, default=1)
parser.add_argument("--delay", type=float, default=0.0)
parser.add_argument("--interval", type=float, default=0.02)
options = parser.parse_args()


def crc(data):
    value = 0xFFFFFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
    value ^= 0xFFFFFFFF
    return ((value >> 15 | value << 17) + 0xA282EAD8) & 0xFFFFFFFF


def record(data):
    head = struct.pack("<Q", len(data))
    return head + struct.pack("<I", crc(head)) + data + struct.pack("<I", crc(data))


def scalar(tag, step, value):
    entry = b"\x0a" + bytes([len(tag)]) + tag.encode() + b"\x15" + struct.pack("<f", value)
    summary = b"\x0a" + bytes([len(entry)]) + entry
    return record(
        b"\x09" + struct.pack("<d", time.time()) + b"\x10" + bytes([step]) + b"\x2a" + bytes([len(summary)]) + summary
    )


time.sleep(options.delay)
os.makedirs(options.folder, exist_ok=True)
if options.kind == "tensorboard":
    name = f"events.out.tfevents.{int(time.time())}.box.{os.getpid()}.0"
    file = open(os.path.join(options.folder, name), "ab", buffering=0)
    file.write(record(b"\x1a\x0dbrain.Event:2"))
else:
    path = os.path.join(options.folder, "metrics.csv")
    is_new = not os.path.exists(path)
    file = open(path, "ab", buffering=0)
    if is_new:
        file.write(b"epoch,step,train_loss,val_loss\n")
for step in range(options.first, options.first + options.steps):
    time.sleep(options.interval)
    if options.kind == "tensorboard":
        file.write(scalar("train/loss", step, 1 / step))
    else:
        file.write(f"0,{step},{1 / step},\n".encode())
    if options.prints:
        print(f"step {step} loss: {1 / step}", flush=True)
