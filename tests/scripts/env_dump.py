"""Writes what it was born with to a file, as JSON."""

import json, os, sys

status = dict(line.split(":\t", 1) for line in open("/proc/self/status").read().splitlines() if ":\t" in line)
found = {
    "argv": sys.argv,
    "executable": sys.executable,
    "cwd": os.getcwd(),
    "env": dict(os.environ),
    "sigign": int(status["SigIgn"], 16),
    "sigblk": int(status["SigBlk"], 16),
    "stdin": os.readlink("/proc/self/fd/0"),
    "fds": sorted(int(fd) for fd in os.listdir("/proc/self/fd")),
    "sid": os.getsid(0),
    "pgid": os.getpgid(0),
    "pid": os.getpid(),
}
with open(sys.argv[1], "w") as f:
    json.dump(found, f)
