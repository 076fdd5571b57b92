"""Declares two of backprop's flags and prints what it got."""

import argparse, json

p = argparse.ArgumentParser()
p.add_argument("--resume-from")
p.add_argument("--run-id")
a = p.parse_args()
print(json.dumps({"event": "args", "resume_from": a.resume_from, "run_id": a.run_id}), flush=True)
