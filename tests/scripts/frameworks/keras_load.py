"""Fits a small dense network with Keras; --resume loads a saved model and goes on from its epoch."""

import argparse
import os
import re

import keras
import numpy as np
from keras import layers

parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int, default=300)
parser.add_argument("--resume", default=None, metavar="MODEL.keras", help="saved model to continue from")
args = parser.parse_args()

keras.utils.set_random_seed(1)
rng = np.random.default_rng(1)
x = rng.normal(0, 1, (8192, 64)).astype("float32")
y = np.tanh(x @ rng.normal(0, 0.2, (64, 4))).astype("float32")

first_epoch = 0
if args.resume:
    model = keras.models.load_model(args.resume)
    first_epoch = int(re.search(r"(\d+)\.keras$", args.resume).group(1))
else:
    model = keras.Sequential([keras.Input((64,)), layers.Dense(512, activation="relu"), layers.Dense(4)])
    model.compile(optimizer=keras.optimizers.Adam(3e-4), loss="mse", metrics=["mae"])

os.makedirs("models", exist_ok=True)
model.fit(
    x,
    y,
    batch_size=32,
    epochs=args.epochs,
    initial_epoch=first_epoch,
    validation_split=0.1,
    callbacks=[keras.callbacks.ModelCheckpoint("models/epoch-{epoch:03d}.keras")],
)
