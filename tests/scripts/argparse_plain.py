"""An ordinary argparse script that knows none of backprop's flags."""

import argparse, json, sys

p = argparse.ArgumentParser()
p.add_argument("--lr", type=float, default=0.1)
p.add_argument("data", nargs="?")
print(json.dumps({"event": "args", "lr": p.parse_args().lr, "argv": sys.argv[1:]}), flush=True)
