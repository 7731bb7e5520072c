#!/usr/bin/env python3
"""Training steps of ResNet-18 as plain PyTorch: what a researcher would write first.

usage: resnet18_training.py SIZE BATCH STEPS THREADS [channels_last]
Colour noise that lies in memory, embedding 128, classes of 4 images, ICE with scale 16, AdamW. Prints images per second over all steps but the first fifth.
"""
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

size, batch, steps, threads = (int(argument) for argument in sys.argv[1:5])
layout = torch.channels_last if "channels_last" in sys.argv[5:] else torch.contiguous_format
torch.set_num_threads(threads)
torch.manual_seed(0)
PER_CLASS, SCALE = 4, 16.0


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs)
        self.conv2, self.bn2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = None
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        way = x if self.downsample is None else self.downsample(x)
        x = self.relu(self.bn1(self.conv1(x)))
        return self.relu(self.bn2(self.conv2(x)) + way)


def layer(inputs, outputs, stride):
    return [Block(inputs, outputs, stride), Block(outputs, outputs, 1)]


net = nn.Sequential(
    nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1),
    *layer(64, 64, 1), *layer(64, 128, 2), *layer(128, 256, 2), *layer(256, 512, 2),
    nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 128)).to(memory_format=layout)
optimiser = torch.optim.AdamW(net.parameters(), lr=1e-3, weight_decay=1e-2, foreach=True)
labels = torch.arange(batch // PER_CLASS).repeat_interleave(PER_CLASS)
same = labels[:, None] == labels[None, :]
positives = same & ~torch.eye(batch, dtype=torch.bool)
images = torch.randint(0, 256, (batch, 3, size, size), dtype=torch.uint8)


def ice(features):
    similarity = F.normalize(features) @ F.normalize(features).T * SCALE
    push = torch.logsumexp(similarity.masked_fill(same, -1e9), 1, keepdim=True)
    each = F.softplus(push - similarity)
    return (each * positives).sum() / positives.sum()


warm_up = max(1, steps // 5)
for step in range(steps):
    if step == warm_up:
        start = time.perf_counter()
    pixels = ((images.float() / 255 - 0.5) / 0.25).to(memory_format=layout)
    loss = ice(net(pixels))
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
print(f"{(steps - warm_up) * batch / (time.perf_counter() - start):.1f}")
