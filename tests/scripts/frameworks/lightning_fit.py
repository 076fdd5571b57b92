"""Fits an autoencoder with Lightning: CSV logs, a checkpoint every few steps."""

import argparse

import lightning as L
import torch
from lightning.pytorch.callbacks import ModelCheckpoint, TQDMProgressBar
from lightning.pytorch.loggers import CSVLogger
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class LitAutoEncoder(L.LightningModule):
    def __init__(self, width=512, lr=1e-3):
        super().__init__()
        self.save_hyperparameters()
        self.encoder = nn.Sequential(nn.Linear(784, width), nn.ReLU(), nn.Linear(width, 32))
        self.decoder = nn.Sequential(nn.Linear(32, width), nn.ReLU(), nn.Linear(width, 784))

    def forward(self, x):
        return self.decoder(self.encoder(x))

    def training_step(self, batch, batch_idx):
        (x,) = batch
        loss = nn.functional.mse_loss(self(x), x)
        self.log("train_loss", loss, prog_bar=True)
        return loss

    def validation_step(self, batch, batch_idx):
        (x,) = batch
        self.log("val_loss", nn.functional.mse_loss(self(x), x), prog_bar=True)

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=self.hparams.lr)


def pictures(count, seed):
    """Pictures of 28 x 28 that lie on a surface of 16 dimensions, with noise."""
    rng = torch.Generator().manual_seed(seed)
    basis = torch.randn(16, 784, generator=torch.Generator().manual_seed(0))
    codes = torch.randn(count, 16, generator=rng)
    return TensorDataset(torch.tanh(codes @ basis / 4) + 0.05 * torch.randn(count, 784, generator=rng))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--max_epochs", type=int, default=200)
    parser.add_argument("--batch_size", type=int, default=1024)
    parser.add_argument("--train_size", type=int, default=102400)
    parser.add_argument("--save_every", type=int, default=50)
    parser.add_argument("--log_dir", default="logs")
    parser.add_argument("--tqdm", action="store_true", help="Use the tqdm progress bar.")
    parser.add_argument("--ckpt_path", default=None, help="Checkpoint to resume from.")
    args = parser.parse_args()

    L.seed_everything(7)
    trainer = L.Trainer(
        max_epochs=args.max_epochs,
        accelerator="cpu",
        logger=CSVLogger(args.log_dir, name="autoencoder", flush_logs_every_n_steps=20),
        log_every_n_steps=5,
        callbacks=[
            ModelCheckpoint(every_n_train_steps=args.save_every, save_top_k=1),
            *([TQDMProgressBar(refresh_rate=5)] if args.tqdm else []),
        ],
    )
    trainer.fit(
        LitAutoEncoder(),
        DataLoader(pictures(args.train_size, 1), batch_size=args.batch_size, shuffle=True),
        DataLoader(pictures(1024, 2), batch_size=args.batch_size),
        ckpt_path=args.ckpt_path,
    )


if __name__ == "__main__":
    main()
