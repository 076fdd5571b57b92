"""Trains PPO on CartPole with stable-baselines3; checkpoints every few thousand steps."""

import argparse

import gymnasium as gym
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import CheckpointCallback

parser = argparse.ArgumentParser()
parser.add_argument("--env", default="CartPole-v1")
parser.add_argument("--timesteps", type=int, default=1_000_000)
parser.add_argument("--save-freq", type=int, default=2000)
parser.add_argument("--log-dir", default="logs")
parser.add_argument("--load", default=None, help="Path of a saved model to continue from.")
args = parser.parse_args()

env = gym.make(args.env)
if args.load:
    model = PPO.load(args.load, env=env)
else:
    model = PPO("MlpPolicy", env, n_steps=512, verbose=1, seed=3, device="cpu")
model.learn(
    total_timesteps=args.timesteps - model.num_timesteps,
    callback=CheckpointCallback(save_freq=args.save_freq, save_path=args.log_dir, name_prefix="rl_model"),
    reset_num_timesteps=args.load is None,
)
model.save("ppo_cartpole")
