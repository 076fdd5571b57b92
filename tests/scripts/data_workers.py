"""A loop over a DataLoader with two workers; their process ids go to a file."""

import json, os, sys

import torch
from torch.utils.data import DataLoader, Dataset


class Numbers(Dataset):
    def __len__(self):
        return 10_000_000

    def __getitem__(self, n):
        return torch.ones(4) * n


def note(_worker):
    with open(sys.argv[1], "a") as f:
        f.write(f"{os.getpid()}\n")


torch.set_num_threads(1)
loader = DataLoader(Numbers(), batch_size=64, num_workers=2, worker_init_fn=note)
for step, batch in enumerate(loader, 1):
    print(json.dumps({"step": step, "loss": float(batch.mean() > 0)}), flush=True)
