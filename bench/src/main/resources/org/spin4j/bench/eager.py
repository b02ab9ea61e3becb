"""PyTorch's eager mode on the GPU, or on the CPU where there is none: answers each line of work on standard input with its seconds.

matmul N TYPE                                                  one product of N x N matrices
train DIM LAYERS HEADS KV_HEADS HIDDEN VOCAB BATCH LENGTH TYPE         forward, backward and AdamW of a Llama-style decoder in float32;
                                                                       another TYPE is that of autocast
decode DIM LAYERS HEADS KV_HEADS HIDDEN VOCAB STREAMS PROMPT TOKENS    greedily TOKENS tokens for each stream behind PROMPT, in float32
"""
import statistics
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn

PASSES = 5
WARM_UPS = 3

device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
# Products of float32 are products of float32.
torch.backends.cuda.matmul.allow_tf32 = False
torch.backends.cudnn.allow_tf32 = False
torch.manual_seed(1)


def synchronize():
    if device.type == "cuda":
        torch.cuda.synchronize()


def seconds(work, repetitions=1):
    times = []
    for i in range(WARM_UPS + PASSES):
        synchronize()
        start = time.perf_counter()
        for _ in range(repetitions):
            work()
        synchronize()
        if i >= WARM_UPS:
            times.append((time.perf_counter() - start) / repetitions)
    return statistics.median(times)


class Block(nn.Module):
    def __init__(self, dim, heads, kv_heads, hidden):
        super().__init__()
        self.heads, self.kv_heads, self.head_dim = heads, kv_heads, dim // heads
        self.attention_norm = nn.RMSNorm(dim, eps=1e-5)
        self.qkv = nn.Linear(dim, (heads + 2 * kv_heads) * self.head_dim, bias=False)
        self.out = nn.Linear(dim, dim, bias=False)
        self.mlp_norm = nn.RMSNorm(dim, eps=1e-5)
        self.gate_up = nn.Linear(dim, 2 * hidden, bias=False)
        self.down = nn.Linear(hidden, dim, bias=False)

    def forward(self, x, cos, sin, cache):
        batch, length, _ = x.shape
        qkv = self.qkv(self.attention_norm(x)).view(batch, length, -1, self.head_dim).transpose(1, 2)
        q, k, v = qkv.split([self.heads, self.kv_heads, self.kv_heads], dim=1)
        q, k = turned(q, cos, sin), turned(k, cos, sin)
        if cache is not None:
            keys, values, at = cache
            keys[:, :, at : at + length] = k
            values[:, :, at : at + length] = v
            k, v = keys[:, :, : at + length], values[:, :, : at + length]
        mix = F.scaled_dot_product_attention(q, k, v, is_causal=length > 1, enable_gqa=self.heads != self.kv_heads)
        x = x + self.out(mix.transpose(1, 2).reshape(batch, length, -1))
        gate, up = self.gate_up(self.mlp_norm(x)).chunk(2, dim=-1)
        return x + self.down(F.silu(gate) * up)


def turned(x, cos, sin):
    a, b = x.chunk(2, dim=-1)
    return torch.cat([a * cos - b * sin, b * cos + a * sin], dim=-1)


class Decoder(nn.Module):
    def __init__(self, dim, layers, heads, kv_heads, hidden, vocab):
        super().__init__()
        self.embedding = nn.Embedding(vocab, dim)
        nn.init.normal_(self.embedding.weight, std=0.02)
        self.blocks = nn.ModuleList(Block(dim, heads, kv_heads, hidden) for _ in range(layers))
        self.norm = nn.RMSNorm(dim, eps=1e-5)
        self.frequencies = 1e4 ** (-torch.arange(0, dim // heads, 2, device=device) / (dim // heads))

    def forward(self, ids, first=0, caches=None):
        angles = torch.arange(first, first + ids.shape[1], device=device)[:, None] * self.frequencies
        cos, sin = angles.cos(), angles.sin()
        x = self.embedding(ids)
        for i, block in enumerate(self.blocks):
            x = block(x, cos, sin, None if caches is None else (*caches[i], first))
        return F.linear(self.norm(x), self.embedding.weight)


def matmul(n, kind):
    a = torch.randn(int(n), int(n), device=device).to(getattr(torch, kind))
    b = torch.randn_like(a)
    c = torch.empty_like(a)
    return seconds(lambda: torch.matmul(a, b, out=c), max(1, min(30, int(2e10 / (2 * int(n) ** 3)))))


def train(dim, layers, heads, kv_heads, hidden, vocab, batch, length, kind):
    model = Decoder(dim, layers, heads, kv_heads, hidden, vocab).to(device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, betas=(0.9, 0.999), weight_decay=0.01)
    ids = torch.randint(vocab, (batch, length + 1), device=device)

    def step():
        optimizer.zero_grad()
        with torch.autocast(device.type, dtype=getattr(torch, kind), enabled=kind != "float32"):
            loss = F.cross_entropy(model(ids[:, :-1]).reshape(-1, vocab), ids[:, 1:].reshape(-1))
        loss.backward()
        optimizer.step()
        loss.item()

    return seconds(step)


@torch.no_grad()
def decode(dim, layers, heads, kv_heads, hidden, vocab, streams, prompt, tokens):
    model = Decoder(dim, layers, heads, kv_heads, hidden, vocab).to(device)
    shape = (streams, kv_heads, prompt + tokens, dim // heads)
    caches = [(torch.zeros(shape, device=device), torch.zeros(shape, device=device)) for _ in range(layers)]
    first = torch.randint(vocab, (streams, prompt), device=device)

    def generate():
        ids, at = first, 0
        for _ in range(tokens):
            ids, at = model(ids, at, caches)[:, -1].argmax(-1, keepdim=True), at + ids.shape[1]
            ids.tolist()

    return seconds(generate)


name = torch.cuda.get_device_name() if device.type == "cuda" else f"the CPU, {torch.get_num_threads()} threads"
print(f"PyTorch {torch.__version__} on {name}", flush=True)
for line in sys.stdin:
    what, *arguments = line.split()
    try:
        numbers = [int(x) if x.isdigit() else x for x in arguments]
        print({"matmul": matmul, "train": train, "decode": decode}[what](*numbers), flush=True)
    except Exception as e:
        print("failed: " + str(e).split("\n")[0], flush=True)
    if device.type == "cuda":
        torch.cuda.empty_cache()
