"""Ignores SIGINT and SIGTERM; its grandchildren leave its process group and session. Writes all pids to a file."""

import os, signal, sys, time

for s in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(s, signal.SIG_IGN)
pids = open(sys.argv[1], "a")


def note():
    pids.write(f"{os.getpid()}\n")
    pids.flush()


def forever():
    note()
    while True:
        time.sleep(0.1)


note()
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.setsid()
        forever()
    forever()
if os.fork() == 0:  # a double fork: its parent is gone at once
    if os.fork() == 0:
        os.setsid()
        forever()
    os._exit(0)
os.wait()
print('{"step": 1, "loss": 1.0}', flush=True)
forever()
