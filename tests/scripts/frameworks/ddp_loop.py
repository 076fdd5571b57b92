"""Data-parallel training: torchrun --standalone --nproc_per_node=2 ddp_loop.py"""

import argparse
import os

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel as DDP
from torch.utils.data import DataLoader, TensorDataset
from torch.utils.data.distributed import DistributedSampler


def make_data(count):
    rng = torch.Generator().manual_seed(0)
    x = torch.randn(count, 128, generator=rng)
    y = torch.tanh(x @ torch.randn(128, 16, generator=rng) / 6) + 0.1 * torch.randn(count, 16, generator=rng)
    return TensorDataset(x, y)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=300)
    parser.add_argument("--batch_size", type=int, default=1024)
    parser.add_argument("--save_every", type=int, default=50)
    parser.add_argument("--save_dir", default="snapshots")
    parser.add_argument("--resume", default=None, help="snapshot file to resume from")
    args = parser.parse_args()

    dist.init_process_group("gloo")
    rank, world = dist.get_rank(), dist.get_world_size()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    print(f"[rank {rank}] started, world size {world}, pid {os.getpid()}")
    dataset = make_data(102400)
    sampler = DistributedSampler(dataset, shuffle=True)
    loader = DataLoader(dataset, batch_size=args.batch_size, sampler=sampler)
    model = nn.Sequential(nn.Linear(128, 1024), nn.ReLU(), nn.Linear(1024, 512), nn.ReLU(), nn.Linear(512, 16))
    model = DDP(model)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    step = 0
    if args.resume:
        snapshot = torch.load(args.resume, map_location="cpu")
        model.module.load_state_dict(snapshot["model"])
        optimizer.load_state_dict(snapshot["optimizer"])
        step = snapshot["step"]
        if rank == 0:
            print(f"Resuming from {args.resume} at step {step}")
    os.makedirs(args.save_dir, exist_ok=True)

    for epoch in range(step // len(loader), args.epochs):
        sampler.set_epoch(epoch)
        for x, y in loader:
            optimizer.zero_grad()
            loss = nn.functional.mse_loss(model(x), y)
            loss.backward()
            optimizer.step()
            step += 1
            if step % 5 == 0:
                print(
                    f"[rank {rank}] epoch {epoch} step {step} loss {loss.item():.5f} lr {optimizer.param_groups[0]['lr']}"
                )
            if step % args.save_every == 0 and rank == 0:
                path = os.path.join(args.save_dir, f"snapshot_{step:06d}.pt")
                torch.save(
                    {"model": model.module.state_dict(), "optimizer": optimizer.state_dict(), "step": step}, path
                )
                print(f"Epoch {epoch} | Training snapshot saved at {path}")
        dist.barrier()
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
