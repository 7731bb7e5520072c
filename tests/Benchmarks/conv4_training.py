#!/usr/bin/env python3
"""The training benchmark's network, loss and optimiser as plain PyTorch: what a researcher would write first.

usage: conv4_training.py THREADS STEPS [channels_last]
Conv4 (64 channels) on 32 x 32 grey images, embedding 128, batches of 32 classes x 4 images of noise that lie in memory, ICE with
scale 16, AdamW. Prints images per second over all steps but the first tenth.
"""
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

threads, steps = int(sys.argv[1]), int(sys.argv[2])
layout = torch.channels_last if "channels_last" in sys.argv[3:] else torch.contiguous_format
torch.set_num_threads(threads)
torch.manual_seed(0)

CLASSES, PER_CLASS, SIDE, SIZE, SCALE = 32, 4, 32, 128, 16.0
BATCH = CLASSES * PER_CLASS


def block(inputs):
    return [nn.Conv2d(inputs, 64, 3, padding=1, bias=False), nn.BatchNorm2d(64), nn.ReLU(inplace=True), nn.MaxPool2d(2)]


net = nn.Sequential(*block(1), *block(64), *block(64), *block(64), nn.Flatten(), nn.Linear(64 * (SIDE // 16) ** 2, SIZE)).to(memory_format=layout)
optimiser = torch.optim.AdamW(net.parameters(), lr=4e-3, weight_decay=1e-2, foreach=True)
labels = torch.arange(CLASSES).repeat_interleave(PER_CLASS)
same = labels[:, None] == labels[None, :]
positives = same & ~torch.eye(BATCH, dtype=torch.bool)
images = torch.randint(0, 256, (50, BATCH, 1, SIDE, SIDE), dtype=torch.uint8)


def ice(features):
    similarity = F.normalize(features) @ F.normalize(features).T * SCALE
    push = torch.logsumexp(similarity.masked_fill(same, -1e9), 1, keepdim=True)
    each = F.softplus(push - similarity)
    return (each * positives).sum() / positives.sum()


for step in range(steps):
    if step == steps // 10:
        start = time.perf_counter()
    pixels = images[step % len(images)].float().div(255).to(memory_format=layout)
    loss = ice(net(pixels))
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
print(f"{(steps - steps // 10) * BATCH / (time.perf_counter() - start):.1f}")
