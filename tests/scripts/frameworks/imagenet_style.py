"""Trains an image classifier in the manner of the PyTorch ImageNet example: meters, one checkpoint file, a best copy."""

import argparse
import os
import shutil
import time

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

parser = argparse.ArgumentParser(description="Image classification")
parser.add_argument("--epochs", default=90, type=int, metavar="N", help="number of total epochs to run")
parser.add_argument("--start-epoch", default=0, type=int, metavar="N", help="manual epoch number (useful on restarts)")
parser.add_argument("-b", "--batch-size", default=64, type=int, metavar="N")
parser.add_argument("--lr", "--learning-rate", default=0.05, type=float, metavar="LR", dest="lr")
parser.add_argument("-p", "--print-freq", default=5, type=int, metavar="N", help="print frequency (default: 5)")
parser.add_argument("--resume", default="", type=str, metavar="PATH", help="path to latest checkpoint (default: none)")
parser.add_argument("-e", "--evaluate", dest="evaluate", action="store_true", help="evaluate model on validation set")

best_acc1 = 0


class Meter:
    """The newest value and the mean of all."""

    def __init__(self, name, form):
        self.name, self.form = name, form
        self.value = self.total = self.count = 0

    def update(self, value, n=1):
        self.value = value
        self.total += value * n
        self.count += n

    @property
    def mean(self):
        return self.total / self.count

    def __str__(self):
        return f"{self.name} {self.value:{self.form}} ({self.mean:{self.form}})"


def show(prefix, batch, batches, meters):
    width = len(str(batches))
    print("\t".join([f"{prefix}[{batch:{width}}/{batches}]", *map(str, meters)]))


def pictures(count, seed):
    rng = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, 8, (count,), generator=rng)
    shapes = torch.randn(8, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    return TensorDataset(torch.randn(count, 3, 32, 32, generator=rng) + 0.08 * shapes[labels], labels)


def accuracy(output, target):
    return (output.argmax(1) == target).float().mean().item() * 100


def train(loader, model, criterion, optimizer, epoch, args):
    batch_time, data_time = Meter("Time", "6.3f"), Meter("Data", "6.3f")
    losses, top1 = Meter("Loss", ".4e"), Meter("Acc@1", "6.2f")
    model.train()
    end = time.time()
    for i, (images, target) in enumerate(loader):
        data_time.update(time.time() - end)
        output = model(images)
        loss = criterion(output, target)
        losses.update(loss.item(), len(images))
        top1.update(accuracy(output, target), len(images))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        batch_time.update(time.time() - end)
        end = time.time()
        if i % args.print_freq == 0:
            show(f"Epoch: [{epoch}]", i + 1, len(loader), [batch_time, data_time, losses, top1])


def validate(loader, model, criterion, args):
    batch_time, losses, top1 = Meter("Time", "6.3f"), Meter("Loss", ".4e"), Meter("Acc@1", "6.2f")
    model.eval()
    with torch.no_grad():
        end = time.time()
        for i, (images, target) in enumerate(loader):
            output = model(images)
            losses.update(criterion(output, target).item(), len(images))
            top1.update(accuracy(output, target), len(images))
            batch_time.update(time.time() - end)
            end = time.time()
            if i % args.print_freq == 0:
                show("Test: ", i + 1, len(loader), [batch_time, losses, top1])
    print(f" *   Acc@1 {top1.mean:.3f}")
    return top1.mean


def save_checkpoint(state, is_best, filename="checkpoint.pth.tar"):
    torch.save(state, filename)
    if is_best:
        shutil.copyfile(filename, "model_best.pth.tar")


def main():
    global best_acc1
    args = parser.parse_args()
    torch.manual_seed(0)
    print("=> creating model 'smallnet'")
    model = nn.Sequential(
        nn.Conv2d(3, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3, padding=1), nn.BatchNorm2d(64), nn.ReLU(), nn.AdaptiveAvgPool2d(4),
        nn.Flatten(), nn.Linear(1024, 8),
    )  # fmt: skip
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), args.lr, momentum=0.9, weight_decay=1e-4)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=30, gamma=0.1)
    if args.resume:
        if os.path.isfile(args.resume):
            print(f"=> loading checkpoint '{args.resume}'")
            checkpoint = torch.load(args.resume)
            args.start_epoch = checkpoint["epoch"]
            best_acc1 = checkpoint["best_acc1"]
            model.load_state_dict(checkpoint["state_dict"])
            optimizer.load_state_dict(checkpoint["optimizer"])
            scheduler.load_state_dict(checkpoint["scheduler"])
            print(f"=> loaded checkpoint '{args.resume}' (epoch {checkpoint['epoch']})")
        else:
            print(f"=> no checkpoint found at '{args.resume}'")

    train_loader = DataLoader(pictures(6400, 1), batch_size=args.batch_size, shuffle=True)
    val_loader = DataLoader(pictures(640, 2), batch_size=args.batch_size)
    if args.evaluate:
        validate(val_loader, model, criterion, args)
        return
    for epoch in range(args.start_epoch, args.epochs):
        train(train_loader, model, criterion, optimizer, epoch, args)
        acc1 = validate(val_loader, model, criterion, args)
        scheduler.step()
        is_best = acc1 > best_acc1
        best_acc1 = max(acc1, best_acc1)
        save_checkpoint(
            {
                "epoch": epoch + 1,
                "arch": "smallnet",
                "state_dict": model.state_dict(),
                "best_acc1": best_acc1,
                "optimizer": optimizer.state_dict(),
                "scheduler": scheduler.state_dict(),
            },
            is_best,
        )


if __name__ == "__main__":
    main()
