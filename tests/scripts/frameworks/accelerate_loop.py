"""A training loop with Accelerate, in the manner of its examples without a trainer."""

import argparse
import logging
import os

import torch
from accelerate import Accelerator
from accelerate.logging import get_logger
from accelerate.utils import ProjectConfiguration, set_seed
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from tqdm.auto import tqdm

logger = get_logger(__name__)


class Progress:
    """The number of steps done; saved and restored with the rest of the state."""

    def __init__(self):
        self.steps = 0

    def state_dict(self):
        return {"steps": self.steps}

    def load_state_dict(self, state):
        self.steps = state["steps"]


def parse_args():
    parser = argparse.ArgumentParser()
    parser.add_argument("--output_dir", type=str, default="results")
    parser.add_argument("--max_train_steps", type=int, default=20000)
    parser.add_argument("--per_device_train_batch_size", type=int, default=1024)
    parser.add_argument("--learning_rate", type=float, default=1e-3)
    parser.add_argument("--checkpointing_steps", type=int, default=50)
    parser.add_argument("--automatic_names", action="store_true", help="Let Accelerate number the checkpoints.")
    parser.add_argument(
        "--resume_from_checkpoint",
        type=str,
        default=None,
        help="If the training should continue from a checkpoint folder.",
    )
    parser.add_argument("--seed", type=int, default=42)
    return parser.parse_args()


def main():
    args = parse_args()
    accelerator = Accelerator(
        cpu=True,
        project_config=ProjectConfiguration(
            project_dir=args.output_dir, automatic_checkpoint_naming=args.automatic_names, total_limit=4
        ),
    )
    logging.basicConfig(
        format="%(asctime)s - %(levelname)s - %(name)s - %(message)s", datefmt="%m/%d/%Y %H:%M:%S", level=logging.INFO
    )
    logger.info(accelerator.state, main_process_only=False)
    set_seed(args.seed)

    rng = torch.Generator().manual_seed(0)
    x = torch.randn(102400, 64, generator=rng)
    y = torch.sin(x @ torch.randn(64, 8, generator=rng) / 4) + 0.1 * torch.randn(102400, 8, generator=rng)
    loader = DataLoader(TensorDataset(x, y), batch_size=args.per_device_train_batch_size, shuffle=True)
    model = nn.Sequential(nn.Linear(64, 1024), nn.GELU(), nn.Linear(1024, 1024), nn.GELU(), nn.Linear(1024, 8))
    optimizer = torch.optim.AdamW(model.parameters(), lr=args.learning_rate)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, args.max_train_steps)
    model, optimizer, loader, scheduler = accelerator.prepare(model, optimizer, loader, scheduler)
    progress = Progress()
    accelerator.register_for_checkpointing(progress)

    logger.info("***** Running training *****")
    logger.info(f"  Num examples = {len(x)}")
    logger.info(f"  Instantaneous batch size per device = {args.per_device_train_batch_size}")
    logger.info(f"  Total optimization steps = {args.max_train_steps}")
    if args.resume_from_checkpoint:
        accelerator.print(f"Resumed from checkpoint: {args.resume_from_checkpoint}")
        accelerator.load_state(args.resume_from_checkpoint)
        if args.automatic_names:
            accelerator.project_configuration.iteration = int(args.resume_from_checkpoint.rpartition("_")[2]) + 1

    bar = tqdm(range(args.max_train_steps), disable=not accelerator.is_local_main_process)
    bar.update(progress.steps)
    first_epoch, done_in_epoch = divmod(progress.steps, len(loader))
    for epoch in range(first_epoch, args.max_train_steps // len(loader) + 1):
        batches = accelerator.skip_first_batches(loader, done_in_epoch) if epoch == first_epoch else loader
        total = 0.0
        for inputs, targets in batches:
            loss = nn.functional.mse_loss(model(inputs), targets)
            accelerator.backward(loss)
            optimizer.step()
            scheduler.step()
            optimizer.zero_grad()
            progress.steps += 1
            total += loss.item()
            bar.update(1)
            bar.set_postfix(step_loss=loss.detach().item(), lr=scheduler.get_last_lr()[0])
            if progress.steps % args.checkpointing_steps == 0:
                if args.automatic_names:
                    accelerator.save_state()
                else:
                    accelerator.save_state(os.path.join(args.output_dir, f"step_{progress.steps}"))
            if progress.steps >= args.max_train_steps:
                break
        accelerator.print(f"epoch {epoch}: train_loss: {total / len(batches):.5f}")
    accelerator.wait_for_everyone()
    accelerator.save_model(model, args.output_dir)


if __name__ == "__main__":
    main()
