"""A plain PyTorch loop with a tqdm bar; epochs over a DataLoader with workers."""

import argparse
from itertools import islice
from pathlib import Path

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from tqdm import tqdm

parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int, default=500)
parser.add_argument("--batch-size", type=int, default=256)
parser.add_argument("--lr", type=float, default=1e-3)
parser.add_argument("--workers", type=int, default=2)
parser.add_argument("--save-every", type=int, default=50)
parser.add_argument("--resume", metavar="PATH", default=None, help="checkpoint to resume from")
args = parser.parse_args()

torch.manual_seed(0)
x = torch.randn(15360, 3, 24, 24)
y = (x[:, 0, :12].mean(dim=(1, 2)) > x[:, 0, 12:].mean(dim=(1, 2))).long()
loader = DataLoader(TensorDataset(x, y), batch_size=args.batch_size, shuffle=True, num_workers=args.workers)
model = nn.Sequential(
    nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
    nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(4),
    nn.Flatten(), nn.Linear(512, 2),
)  # fmt: skip
optimizer = torch.optim.Adam(model.parameters(), lr=args.lr)
criterion = nn.CrossEntropyLoss()
step = 0
if args.resume:
    checkpoint = torch.load(args.resume)
    model.load_state_dict(checkpoint["model_state_dict"])
    optimizer.load_state_dict(checkpoint["optimizer_state_dict"])
    step = checkpoint["step"]

Path("checkpoints").mkdir(exist_ok=True)
first_epoch, done = divmod(step, len(loader))
for epoch in range(first_epoch, args.epochs):
    running, correct, seen = 0.0, 0, 0
    batches = islice(loader, len(loader) - done)
    bar = tqdm(batches, total=len(loader), initial=done, desc=f"Epoch {epoch + 1}/{args.epochs}")
    done = 0
    for inputs, targets in bar:
        optimizer.zero_grad()
        outputs = model(inputs)
        loss = criterion(outputs, targets)
        loss.backward()
        optimizer.step()
        step += 1
        running += loss.item() * len(targets)
        correct += (outputs.argmax(1) == targets).sum().item()
        seen += len(targets)
        bar.set_postfix(loss=loss.item(), acc=correct / seen)
        if step % args.save_every == 0:
            torch.save(
                {
                    "epoch": epoch,
                    "step": step,
                    "model_state_dict": model.state_dict(),
                    "optimizer_state_dict": optimizer.state_dict(),
                },
                f"checkpoints/ckpt_{step}.pt",
            )
    print(f"Epoch {epoch + 1}: train loss {running / seen:.4f}, train acc {correct / seen:.4f}")
