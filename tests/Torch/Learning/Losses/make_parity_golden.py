#!/usr/bin/env python3
"""Writes parity-golden.json: values and gradients of the losses, in double precision, as pytorch-metric-learning computes them.

usage: make_parity_golden.py PML_SOURCE        (the folder that holds pytorch_metric_learning; needs python3-torch, numpy, scipy, tqdm)
Where the peer has no such loss, or one that differs, the definition is written out below, pair by pair.
"""
import json
import math
import os
import sys

import torch

sys.path.insert(0, sys.argv[1])
from pytorch_metric_learning import losses as pml, miners, reducers
from pytorch_metric_learning.distances import DotProductSimilarity, SNRDistance

torch.manual_seed(11)
D, M, K = 6, 4, 3
labels = torch.tensor([0, 0, 0, 1, 1, 2, 2, 2, 2, 3, 3])
B = len(labels)
sixteenths = lambda *shape: (torch.randn(*shape, dtype=torch.float64) * 16).round() / 16  # exact in single precision too
features = (torch.randn(B, D, dtype=torch.float64) * 1.5).requires_grad_()
class_weights, centre_weights = sixteenths(M, D), sixteenths(M * K, D)
unit = lambda x: x / x.pow(2).sum(-1, keepdim=True).sqrt()
positives = lambda a: [i for i in range(B) if i != a and labels[i] == labels[a]]
negatives = lambda a: [j for j in range(B) if labels[j] != labels[a]]
mean = lambda values: torch.stack(values).mean()
above_zero = lambda values: torch.stack([v for v in values if v > 0]).mean()


def distance(i, j):
    f = unit(features)
    return (f[i] - f[j]).pow(2).sum().sqrt()


def cosine(i, j):
    f = unit(features)
    return f[i] @ f[j]


def hardnet(margin):
    nearest = [min((distance(a, n) for n in negatives(a)), key=float) for a in range(B)]
    return mean([(margin + distance(a, p) - min(nearest[a], nearest[p], key=float)).relu() for a in range(B) for p in positives(a)])


def ranked_list(alpha, margin, hot, imbalance):
    total = []
    for a in range(B):
        far = [distance(a, p) - (alpha - margin) for p in positives(a) if distance(a, p) > alpha - margin]
        near = [alpha - distance(a, n) for n in negatives(a) if distance(a, n) < alpha]
        weights = [torch.exp(hot * x) for x in near]
        pull = sum(far) / len(far) if far else torch.zeros(())
        push = sum(w * x for w, x in zip(weights, near)) / sum(weights) if near else torch.zeros(())
        total.append((1 - imbalance) * pull + imbalance * push)
    return mean(total)


def smooth_ap(temperature):
    total = []
    for a in range(B):
        precision = []
        for p in positives(a):
            ahead = lambda others: sum(torch.sigmoid((cosine(a, k) - cosine(a, p)) / temperature) for k in others)
            among = 1 + ahead([k for k in positives(a) if k != p])
            precision.append(among / (among + ahead(negatives(a))))
        total.append(1 - mean(precision))
    return mean(total)


def margin_pairs(margin, beta):
    pairs = [(distance(a, p) - beta + margin).relu() for a in range(B) for p in positives(a)]
    return above_zero(pairs + [(beta - distance(a, n) + margin).relu() for a in range(B) for n in negatives(a)])


def of_peer(loss, miner=None):
    return lambda: loss(features, labels, miner(features.detach(), labels)) if miner else loss(features, labels)


def with_weights(loss, name, values, transposed):
    """A loss of the peer with class weights: they are put in, and their gradient comes out rows first."""
    parameter = torch.nn.Parameter((values.t() if transposed else values).clone())
    setattr(loss, name, parameter)
    return lambda: loss(features, labels), lambda: parameter.grad.t() if transposed else parameter.grad, values


average = dict(reducer=reducers.MeanReducer())
cases = [
    ({"name": "circle", "scale": 80, "margin": 0.4}, "peer", of_peer(pml.CircleLoss(m=0.4, gamma=80, reducer=reducers.MeanReducer()))),
    ({"name": "contrastive"}, "peer", of_peer(pml.ContrastiveLoss(pos_margin=0, neg_margin=1))),
    ({"name": "contrastive", "positive_margin": 0.2, "negative_margin": 1.3}, "peer", of_peer(pml.ContrastiveLoss(pos_margin=0.2, neg_margin=1.3))),
    ({"name": "snr-contrastive", "positive_margin": 0.1, "negative_margin": 2.5}, "peer",
     of_peer(pml.SignalToNoiseRatioContrastiveLoss(pos_margin=0.1, neg_margin=2.5, distance=SNRDistance(normalize_embeddings=False)))),
    ({"name": "triplet", "triplets": "all", "margin": 0.2}, "peer", of_peer(pml.TripletMarginLoss(margin=0.2))),
    ({"name": "triplet", "triplets": "semi-hard", "margin": 0.4}, "peer", of_peer(pml.TripletMarginLoss(margin=0.4), miners.TripletMarginMiner(0.4, "semihard"))),
    ({"name": "triplet", "triplets": "batch-hard", "margin": 0.2}, "peer", of_peer(pml.TripletMarginLoss(margin=0.2, **average), miners.BatchHardMiner())),
    ({"name": "triplet", "triplets": "easy-positive", "margin": 0.2}, "peer",
     of_peer(pml.TripletMarginLoss(margin=0.2, **average), miners.BatchEasyHardMiner(miners.BatchEasyHardMiner.EASY, miners.BatchEasyHardMiner.HARD))),
    ({"name": "n-pairs", "regularisation": 0}, "peer", of_peer(pml.NPairsLoss(distance=DotProductSimilarity(normalize_embeddings=False)))),
    ({"name": "lifted-structure"}, "peer", of_peer(pml.LiftedStructureLoss(neg_margin=1))),
    ({"name": "generalised-lifted-structure"}, "peer", of_peer(pml.GeneralizedLiftedStructureLoss(neg_margin=1))),
    ({"name": "multi-similarity", "mining": False}, "peer", of_peer(pml.MultiSimilarityLoss(2, 50, 0.5))),
    ({"name": "multi-similarity"}, "peer", of_peer(pml.MultiSimilarityLoss(2, 50, 0.5), miners.MultiSimilarityMiner(0.1))),
    ({"name": "supcon"}, "peer", of_peer(pml.SupConLoss(0.1))),
    ({"name": "nt-xent"}, "peer", of_peer(pml.NTXentLoss(0.07))),
    ({"name": "tuplet-margin"}, "peer", of_peer(pml.TupletMarginLoss(5.73, 64))),
    # The peer normalises anchors and positives only; the paper normalises negatives too.
    ({"name": "angular"}, "peer", lambda: pml.AngularLoss(40)(unit(features), labels)),
    ({"name": "histogram", "bins": 20}, "peer", of_peer(pml.HistogramLoss(n_bins=20))),
    ({"name": "fast-ap"}, "peer", of_peer(pml.FastAPLoss(10))),
    ({"name": "pnp", "variant": "o"}, "peer", of_peer(pml.PNPLoss(variant="O"))),
    ({"name": "pnp", "variant": "ds"}, "peer", of_peer(pml.PNPLoss(variant="Ds"))),
    ({"name": "pnp", "variant": "dq", "alpha": 4}, "peer", of_peer(pml.PNPLoss(variant="Dq", alpha=4))),
    ({"name": "pnp", "variant": "iu"}, "peer", of_peer(pml.PNPLoss(variant="Iu"))),
    ({"name": "pnp", "variant": "ib"}, "peer", of_peer(pml.PNPLoss(variant="Ib"))),
    ({"name": "hardnet"}, "definition", lambda: hardnet(1)),
    ({"name": "ranked-list"}, "definition", lambda: ranked_list(1.2, 0.4, 10, 0.5)),
    ({"name": "smooth-ap", "temperature": 0.05}, "definition", lambda: smooth_ap(0.05)),
    ({"name": "margin", "sampling": "all"}, "definition", lambda: margin_pairs(0.2, 1.2)),
    ({"name": "ln", "bias": False}, "peer", with_weights(pml.NormalizedSoftmaxLoss(M, D, temperature=1 / 16), "W", class_weights, True)),
    ({"name": "cosface"}, "peer", with_weights(pml.CosFaceLoss(M, D, margin=0.35, scale=64), "W", class_weights, True)),
    ({"name": "arcface"}, "peer", with_weights(pml.ArcFaceLoss(M, D, margin=math.degrees(0.5), scale=64), "W", class_weights, True)),
    ({"name": "sub-centre-arcface"}, "peer",
     with_weights(pml.SubCenterArcFaceLoss(num_classes=M, embedding_size=D, margin=math.degrees(0.5), scale=64, sub_centers=K), "W", centre_weights, True)),
    ({"name": "sphereface", "annealing": False}, "peer", with_weights(pml.SphereFaceLoss(M, D, margin=4, scale=1), "W", class_weights, True)),
    ({"name": "l-softmax", "annealing": False}, "peer", with_weights(pml.LargeMarginSoftmaxLoss(M, D, margin=4, scale=1), "W", class_weights, True)),
    ({"name": "proxy-nca"}, "peer", with_weights(pml.ProxyNCALoss(M, D, softmax_scale=9), "proxies", class_weights, False)),
    ({"name": "proxy-anchor"}, "peer", with_weights(pml.ProxyAnchorLoss(M, D, margin=0.1, alpha=32), "proxies", class_weights, False)),
    ({"name": "soft-triple", "centres": K, "centre_regularisation": 0}, "peer",
     with_weights(pml.SoftTripleLoss(M, D, centers_per_class=K, la=20, gamma=0.1, margin=0.01), "fc", centre_weights, True)),
]

golden = []
for settings, oracle, case in cases:
    features.grad = None
    compute, weight_gradient, weights = case if isinstance(case, tuple) else (case, None, None)
    loss = compute()
    loss.backward()
    golden.append({
        "loss": settings, "oracle": oracle, "value": loss.item(), "features": features.grad.flatten().tolist(),
        "weights": None if weights is None else weights.flatten().tolist(), "weights_gradient": None if weights is None else weight_gradient().flatten().tolist(),
    })
    print(f"{settings['name']:30} {loss.item():.12g}")

with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "parity-golden.json"), "w") as out:
    json.dump({"features": features.detach().flatten().tolist(), "dimensions": D, "labels": labels.tolist(), "cases": golden}, out, separators=(",", ":"))
