"""Fits a small convolutional network with Keras; run again after an interruption it goes on where it was."""

import argparse
import os

import keras
import numpy as np
from keras import layers

parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int, default=300)
parser.add_argument("--batch-size", type=int, default=64)
parser.add_argument("--samples", type=int, default=12288)
parser.add_argument("--verbose", default="auto", choices=["auto", "1", "2"])
parser.add_argument("--output", default="checkpoints")
args = parser.parse_args()

keras.utils.set_random_seed(1)
rng = np.random.default_rng(1)
labels = rng.integers(0, 4, args.samples)
images = rng.normal(0, 1, (args.samples, 20, 20, 1)).astype("float32")
for quarter in range(4):
    row, column = divmod(quarter, 2)
    images[labels == quarter, row * 10 : row * 10 + 10, column * 10 : column * 10 + 10] += 0.25

model = keras.Sequential(
    [
        keras.Input(shape=(20, 20, 1)),
        layers.Conv2D(32, 3, activation="relu"),
        layers.MaxPooling2D(2),
        layers.Conv2D(64, 3, activation="relu"),
        layers.Flatten(),
        layers.Dropout(0.3),
        layers.Dense(4, activation="softmax"),
    ]
)
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.summary()

os.makedirs(args.output, exist_ok=True)
model.fit(
    images,
    labels,
    batch_size=args.batch_size,
    epochs=args.epochs,
    validation_split=0.125,
    verbose=args.verbose if args.verbose == "auto" else int(args.verbose),
    callbacks=[
        keras.callbacks.BackupAndRestore(backup_dir="backup"),
        keras.callbacks.ModelCheckpoint(os.path.join(args.output, "model-{epoch:03d}.keras"), verbose=1),
    ],
)
model.save("final.keras")
