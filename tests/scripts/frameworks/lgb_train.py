"""Gradient boosting with LightGBM on made-up data; a snapshot every ten rounds."""

import argparse
import os

import lightgbm as lgb
import numpy as np

parser = argparse.ArgumentParser()
parser.add_argument("--num_boost_round", type=int, default=2000)
parser.add_argument("--learning_rate", type=float, default=0.02)
parser.add_argument("--snapshot_dir", default="snapshots")
parser.add_argument("--snapshot_freq", type=int, default=10)
parser.add_argument("--init_model", default=None, help="Model file to continue training from.")
args = parser.parse_args()

rng = np.random.default_rng(0)
x = rng.normal(size=(200_000, 80))
y = (x[:, 0] * x[:, 1] + np.sin(3 * x[:, 2]) + rng.normal(0, 0.5, len(x)) > 0).astype(int)
train = lgb.Dataset(x[:180_000], y[:180_000], free_raw_data=False)
valid = lgb.Dataset(x[180_000:], y[180_000:], reference=train, free_raw_data=False)


def snapshot(env):
    done = env.iteration + 1
    if done % args.snapshot_freq == 0:
        env.model.save_model(os.path.join(args.snapshot_dir, f"model_{done}.txt"))


os.makedirs(args.snapshot_dir, exist_ok=True)
booster = lgb.train(
    {"objective": "binary", "metric": ["binary_logloss", "auc"], "learning_rate": args.learning_rate, "num_leaves": 63},
    train,
    num_boost_round=args.num_boost_round,
    valid_sets=[train, valid],
    valid_names=["train", "valid"],
    init_model=args.init_model,
    callbacks=[lgb.log_evaluation(1), snapshot],
)
booster.save_model("final.txt")
