"""
Trains a small character-level GPT. Everything is in this one file; any setting below can be given as --name=value.

$ python one_file.py --batch_size=8
$ python one_file.py --init_from=resume
"""

import math
import os
import sys
import time

import torch
import torch.nn as nn
from torch.nn import functional as F

# -----------------------------------------------------------------------------
out_dir = "out"
eval_interval = 50
log_interval = 1
eval_iters = 5
always_save_checkpoint = True  # if True, save after each eval
init_from = "scratch"  # 'scratch' or 'resume'
batch_size = 16
block_size = 64
n_layer = 3
n_head = 4
n_embd = 128
learning_rate = 1e-3
max_iters = 5000
grad_clip = 1.0
# -----------------------------------------------------------------------------
config_keys = [k for k, v in globals().items() if not k.startswith("_") and isinstance(v, (int, float, bool, str))]
for word in sys.argv[1:]:
    key, _, value = word.removeprefix("--").partition("=")
    if key not in config_keys:
        raise ValueError(f"Unknown config key: {key}")
    print(f"Overriding: {key} = {value}")
    kind = type(globals()[key])
    globals()[key] = value == "True" if kind is bool else kind(value)
config = {k: globals()[k] for k in config_keys}
# -----------------------------------------------------------------------------

tokens_per_iter = batch_size * block_size
print(f"tokens per iteration will be: {tokens_per_iter:,}")
os.makedirs(out_dir, exist_ok=True)
torch.manual_seed(1337)

# A made-up language: words from a small dictionary, drawn by a fixed Markov chain.
rng = torch.Generator().manual_seed(1)
words = ["".join(chr(97 + int(c)) for c in torch.randint(0, 26, (5,), generator=rng)) for _ in range(40)]
chain = torch.rand(40, 40, generator=rng) ** 8
text, word = [], 0
for _ in range(20000):
    word = int(torch.multinomial(chain[word], 1, generator=rng))
    text.append(words[word])
text = " ".join(text)
chars = sorted(set(text))
vocab_size = len(chars)
data = torch.tensor([chars.index(c) for c in text])
print(f"number of characters: {len(data):,}, vocabulary of {vocab_size}")
split = int(0.9 * len(data))
parts = {"train": data[:split], "val": data[split:]}


def get_batch(part):
    source = parts[part]
    starts = torch.randint(len(source) - block_size - 1, (batch_size,))
    x = torch.stack([source[i : i + block_size] for i in starts])
    y = torch.stack([source[i + 1 : i + 1 + block_size] for i in starts])
    return x, y


class Block(nn.Module):
    def __init__(self, n_embd, n_head):
        super().__init__()
        self.n_head = n_head
        self.norm_1, self.norm_2 = nn.LayerNorm(n_embd), nn.LayerNorm(n_embd)
        self.qkv, self.proj = nn.Linear(n_embd, 3 * n_embd), nn.Linear(n_embd, n_embd)
        self.mlp = nn.Sequential(nn.Linear(n_embd, 4 * n_embd), nn.GELU(), nn.Linear(4 * n_embd, n_embd))

    def forward(self, x):
        B, T, C = x.shape
        q, k, v = (t.view(B, T, self.n_head, -1).transpose(1, 2) for t in self.qkv(self.norm_1(x)).split(C, dim=2))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.proj(y.transpose(1, 2).reshape(B, T, C))
        return x + self.mlp(self.norm_2(x))


class GPT(nn.Module):
    def __init__(self, vocab_size, block_size, n_layer, n_head, n_embd):
        super().__init__()
        self.tokens, self.positions = nn.Embedding(vocab_size, n_embd), nn.Embedding(block_size, n_embd)
        self.blocks = nn.Sequential(*(Block(n_embd, n_head) for _ in range(n_layer)))
        self.norm, self.head = nn.LayerNorm(n_embd), nn.Linear(n_embd, vocab_size)

    def forward(self, idx, targets):
        x = self.tokens(idx) + self.positions(torch.arange(idx.shape[1]))
        logits = self.head(self.norm(self.blocks(x)))
        return logits, F.cross_entropy(logits.flatten(0, 1), targets.flatten())


@torch.no_grad()
def estimate_loss():
    model.eval()
    means = {}
    for part in ("train", "val"):
        means[part] = torch.stack([model(*get_batch(part))[1] for _ in range(eval_iters)]).mean()
    model.train()
    return means


iter_num, best_val_loss = 0, 1e9
model_args = dict(vocab_size=vocab_size, block_size=block_size, n_layer=n_layer, n_head=n_head, n_embd=n_embd)
if init_from == "scratch":
    print("Initializing a new model from scratch")
    model = GPT(**model_args)
elif init_from == "resume":
    print(f"Resuming training from {out_dir}")
    checkpoint = torch.load(os.path.join(out_dir, "ckpt.pt"))
    model_args = checkpoint["model_args"]
    model = GPT(**model_args)
    model.load_state_dict(checkpoint["model"])
    iter_num, best_val_loss = checkpoint["iter_num"], checkpoint["best_val_loss"]
n_params = sum(p.numel() for p in model.parameters())
print(f"number of parameters: {n_params / 1e6:.2f}M")
optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate, weight_decay=0.1)
if init_from == "resume":
    optimizer.load_state_dict(checkpoint["optimizer"])
    checkpoint = None

x, y = get_batch("train")
t0 = time.time()
first = True
while True:
    lr = learning_rate * (0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi * min(1, iter_num / max_iters))))
    for group in optimizer.param_groups:
        group["lr"] = lr
    if iter_num % eval_interval == 0:
        losses = estimate_loss()
        print(f"step {iter_num}: train loss {losses['train']:.4f}, val loss {losses['val']:.4f}")
        if losses["val"] < best_val_loss or always_save_checkpoint:
            best_val_loss = losses["val"]
            if iter_num > 0:
                print(f"saving checkpoint to {out_dir}")
                torch.save(
                    {
                        "model": model.state_dict(),
                        "optimizer": optimizer.state_dict(),
                        "model_args": model_args,
                        "iter_num": iter_num,
                        "best_val_loss": best_val_loss,
                        "config": config,
                    },
                    os.path.join(out_dir, "ckpt.pt"),
                )
    logits, loss = model(x, y)
    x, y = get_batch("train")
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), grad_clip)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    t1 = time.time()
    dt, t0 = t1 - t0, t1
    if iter_num % log_interval == 0:
        mfu = -1.0 if first else 6 * n_params * tokens_per_iter / dt / 1e12
        print(f"iter {iter_num}: loss {loss.item():.4f}, time {dt * 1000:.2f}ms, mfu {mfu * 100:.2f}%")
    first = False
    iter_num += 1
    if iter_num > max_iters:
        break
