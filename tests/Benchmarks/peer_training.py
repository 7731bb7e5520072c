#!/usr/bin/env python3
"""One training with pytorch-metric-learning, as like our own as it can be: network, first weights, batches, augmentation, optimiser and schedule.

usage: peer_training.py PML_SOURCE FOLDER LOSS SEED THREADS STEPS SECONDS
FOLDER holds train.pixels and test.pixels (uint8, 32 x 32) and train.labels (int64); embeddings of the test images are written to it. Of STEPS and
SECONDS one is 0. Prints images per second and images per second of processor time. A loss that the peer lacks ends with status 3.
"""
import math
import sys
import time

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

source, folder, name, seed, threads, steps, seconds = sys.argv[1:4] + [int(x) for x in sys.argv[4:8]]
sys.path.insert(0, source)
from pytorch_metric_learning import distances, losses, miners, reducers, regularizers, samplers

SIDE, SIZE, CLASSES, PER_CLASS = 32, 128, 32, 4
BATCH = CLASSES * PER_CLASS
torch.set_num_threads(threads)
torch.manual_seed(seed)
np.random.seed(seed)


def images(part):
    raw = torch.from_numpy(np.fromfile(f"{folder}/{part}.pixels", np.uint8)).reshape(-1, 1, SIDE, SIDE)
    return (255 - raw).float().div(255)  # paper is zero


train, test, labels = images("train"), images("test"), torch.from_numpy(np.fromfile(f"{folder}/train.labels", np.int64))
centre, spread = train.mean(), train.std()
classes = int(labels.max()) + 1


def block(inputs):
    return [nn.Conv2d(inputs, 64, 3, padding=1, bias=False), nn.BatchNorm2d(64), nn.ReLU(inplace=True), nn.MaxPool2d(2)]


net = nn.Sequential(*block(1), *block(64), *block(64), *block(64), nn.Flatten(), nn.Linear(64 * (SIDE // 16) ** 2, SIZE))
for module in net:
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    if isinstance(module, nn.Linear):
        nn.init.normal_(module.weight, std=1 / math.sqrt(module.in_features))
        nn.init.zeros_(module.bias)
net.to(memory_format=torch.channels_last)

mean = dict(reducer=reducers.MeanReducer())
weighted = dict(num_classes=classes, embedding_size=SIZE)
plain_dot, degrees = distances.DotProductSimilarity(normalize_embeddings=False), math.degrees(0.5)


def dynamic_soft_margin():
    """Its histogram keeps the graph of the batches before, through which a second step cannot go; here it does not."""
    made = losses.DynamicSoftMarginLoss(num_bins=512)
    update = made.update_histogram
    made.update_histogram = lambda data: update(data.detach())
    return made


def manifold():
    """Classes share the 50 proxies at random, as ours; by itself it draws a proxy for each image."""
    made, proxy_of_class = losses.ManifoldLoss(SIZE, K=50), torch.randperm(classes) % 50
    made.with_labels = lambda features, y: made(features, indices_tuple=proxy_of_class[y])
    return made


# The same options as in our catalogue.
known = {
    "ice": lambda: losses.NTXentLoss(temperature=1 / 16),
    "circle": lambda: losses.CircleLoss(m=0.4, gamma=80),
    "ln": lambda: losses.NormalizedSoftmaxLoss(**weighted, temperature=1 / 16),
    "hln": lambda: losses.NormalizedSoftmaxLoss(**weighted, temperature=1 / 16),
    "normface": lambda: losses.NormalizedSoftmaxLoss(**weighted, temperature=1 / 16),
    "contrastive": lambda: losses.ContrastiveLoss(pos_margin=0, neg_margin=1),
    "snr-contrastive": lambda: losses.SignalToNoiseRatioContrastiveLoss(pos_margin=0, neg_margin=1, distance=distances.SNRDistance(normalize_embeddings=False)),
    "triplet": lambda: (losses.TripletMarginLoss(margin=0.2), miners.TripletMarginMiner(margin=0.2, type_of_triplets="semihard")),
    "n-pairs": lambda: losses.NPairsLoss(distance=plain_dot, embedding_regularizer=regularizers.LpRegularizer(power=2), embedding_reg_weight=0.002),
    "lifted-structure": lambda: losses.LiftedStructureLoss(neg_margin=1),
    "generalised-lifted-structure": lambda: losses.GeneralizedLiftedStructureLoss(neg_margin=1),
    "multi-similarity": lambda: (losses.MultiSimilarityLoss(2, 50, 0.5), miners.MultiSimilarityMiner(0.1)),
    "supcon": lambda: losses.SupConLoss(0.1),
    "nt-xent": lambda: losses.NTXentLoss(0.07),
    "tuplet-margin": lambda: losses.TupletMarginLoss(5.73, 64),
    "angular": lambda: losses.AngularLoss(40),
    "margin": lambda: (losses.MarginLoss(margin=0.2, nu=0, beta=1.2, learn_beta=True, num_classes=classes), miners.DistanceWeightedMiner(cutoff=0.5, nonzero_loss_cutoff=1.4)),
    "histogram": lambda: losses.HistogramLoss(n_bins=100),
    "ranked-list": lambda: losses.RankedListLoss(margin=0.4, Tn=10, imbalance=0.5, alpha=1.2, Tp=0),
    "fast-ap": lambda: losses.FastAPLoss(10),
    "pnp": lambda: losses.PNPLoss(variant="Dq", b=2, alpha=4, anneal=0.01),
    "cosface": lambda: losses.CosFaceLoss(**weighted, margin=0.35, scale=64),
    "arcface": lambda: losses.ArcFaceLoss(**weighted, margin=degrees, scale=64),
    "sub-centre-arcface": lambda: losses.SubCenterArcFaceLoss(**weighted, margin=degrees, scale=64, sub_centers=3),
    "sphereface": lambda: losses.SphereFaceLoss(**weighted, margin=4, scale=1),
    "l-softmax": lambda: losses.LargeMarginSoftmaxLoss(**weighted, margin=4, scale=1),
    "proxy-nca": lambda: losses.ProxyNCALoss(**weighted, softmax_scale=9),
    "proxy-anchor": lambda: losses.ProxyAnchorLoss(**weighted, margin=0.1, alpha=32),
    "soft-triple": lambda: losses.SoftTripleLoss(**weighted, centers_per_class=10, la=20, gamma=0.1, margin=0.01),
    "instance": lambda: losses.InstanceLoss(gamma=64),
    "nca": lambda: losses.NCALoss(softmax_scale=8),
    "dynamic-soft-margin": dynamic_soft_margin,
    "p2s-grad": lambda: losses.P2SGradLoss(SIZE, classes),
    "manifold": manifold,
}
if name not in known:
    sys.exit(3)
made = known[name]()
loss, miner = made if isinstance(made, tuple) else (made, None)

many, few = [p for p in net.parameters() if p.ndim > 1], [p for p in net.parameters() if p.ndim <= 1]
rates = [4e-3, 4e-3, 4e-2]
groups = [{"params": many, "weight_decay": 0.01}, {"params": few, "weight_decay": 0}]
if list(loss.parameters()):
    groups.append({"params": list(loss.parameters()), "weight_decay": 0})
optimiser = torch.optim.AdamW(groups, lr=4e-3, foreach=True)


def augment(x):
    """Rotation by 15 degrees either way, zoom by 15 %, shift by a tenth of the side, slant by 10 degrees."""
    uniform = lambda most: (torch.rand(len(x)) * 2 - 1) * most
    turn, zoom, slant = torch.deg2rad(uniform(15)), 1 + uniform(0.15), torch.tan(torch.deg2rad(uniform(10)))
    sin, cos = turn.sin(), turn.cos()
    xx, xy, yx, yy = (cos + slant * sin) / zoom, (sin - slant * cos) / zoom, -sin / zoom, cos / zoom
    dx, dy = uniform(0.2), uniform(0.2)  # in half sides
    theta = torch.stack([torch.stack([xx, xy, -(xx * dx + xy * dy)], 1), torch.stack([yx, yy, -(yx * dx + yy * dy)], 1)], 1)
    return F.grid_sample(x, F.affine_grid(theta, x.shape, align_corners=False), align_corners=False)


def batches():
    if list(loss.parameters()) and not isinstance(loss, losses.MarginLoss):  # class weights: shuffled, as we draw for them
        while True:
            yield from (part for part in torch.randperm(len(labels)).split(BATCH) if len(part) == BATCH)
    while True:
        order = list(samplers.MPerClassSampler(labels, PER_CLASS, batch_size=BATCH, length_before_new_iter=BATCH * 100))
        yield from (torch.as_tensor(order[i : i + BATCH]) for i in range(0, len(order) - BATCH + 1, BATCH))


def rate(progress):
    if name == "hln":
        return (0.1 if progress >= 0.75 else 1) * (max(0.01, progress / 0.02) if progress < 0.02 else 1)
    return max(0.01, progress / 0.02) if progress < 0.02 else 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * (progress - 0.02) / 0.98))


started, processor, step = time.perf_counter(), time.process_time(), 0
for index in batches():
    progress = step / steps if steps else (time.perf_counter() - started) / seconds
    if progress >= 1:
        break
    for group, peak in zip(optimiser.param_groups, rates):
        group["lr"] = peak * rate(progress)
    if name == "hln" and progress >= 0.75:
        loss.temperature = 1 / 4
    x, y = (augment(train[index]) - centre) / spread, labels[index]
    features = net(x.to(memory_format=torch.channels_last))
    value = loss.with_labels(features, y) if hasattr(loss, "with_labels") else loss(features, y, miner(features, y)) if miner else loss(features, y)
    optimiser.zero_grad()
    value.backward()
    optimiser.step()
    step += 1
print(f"{step * BATCH / (time.perf_counter() - started):.1f} {step * BATCH / (time.process_time() - processor):.1f}")

net.eval()
with torch.no_grad():
    found = torch.cat([F.normalize(net(((part - centre) / spread).to(memory_format=torch.channels_last))) for part in test.split(512)])
found.numpy().astype(np.float32).tofile(f"{folder}/peer.embeddings")
