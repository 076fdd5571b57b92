"""Gradient boosting with XGBoost on made-up data; a checkpoint every ten rounds."""

import argparse
import os

import numpy as np
import xgboost as xgb

parser = argparse.ArgumentParser()
parser.add_argument("--rounds", type=int, default=2000, help="Boosting rounds to add.")
parser.add_argument("--eta", type=float, default=0.02)
parser.add_argument("--max-depth", type=int, default=6)
parser.add_argument("--checkpoint-dir", default="checkpoints")
parser.add_argument("--xgb_model", default=None, help="Model file to continue training from.")
args = parser.parse_args()

rng = np.random.default_rng(0)
x = rng.normal(size=(200_000, 60)).astype("float32")
y = (x[:, 0] * x[:, 1] + np.sin(3 * x[:, 2]) + rng.normal(0, 0.5, len(x)) > 0).astype(int)
train, valid = xgb.DMatrix(x[:180_000], y[:180_000]), xgb.DMatrix(x[180_000:], y[180_000:])

os.makedirs(args.checkpoint_dir, exist_ok=True)
booster = xgb.train(
    {"objective": "binary:logistic", "eta": args.eta, "max_depth": args.max_depth, "eval_metric": ["logloss", "auc"]},
    train,
    num_boost_round=args.rounds,
    evals=[(train, "train"), (valid, "valid")],
    xgb_model=args.xgb_model,
    callbacks=[xgb.callback.TrainingCheckPoint(args.checkpoint_dir, name="model", interval=10)],
)
booster.save_model("final.ubj")
