#!/usr/bin/env python3
"""Writes pairs-golden.json, class-weights-golden.json and regularisers-golden.json: values and gradients of every loss, and of the regularisers that
the peer has, in double precision, as pytorch-metric-learning computes them.

usage: make_parity_golden.py PML_SOURCE        (the folder that holds pytorch_metric_learning; needs python3-torch, numpy, scipy, scikit-learn, tqdm)
Where the peer has no such loss, or one that differs, parity_definitions.py writes it out.
"""
import json
import math
import os
import sys

import torch

here = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path[:0] = [sys.argv[1], here]
import parity_definitions as own
from parity_definitions import B, D, K, M, bias, boundaries, centre_weights, class_weights, features, labels, learned_scale, positives, unit
from pytorch_metric_learning import losses as pml, miners, reducers, regularizers as peers
from pytorch_metric_learning.distances import DotProductSimilarity, SNRDistance


def peer(loss, miner=None):
    return "peer", lambda: loss(features, labels, miner(features.detach(), labels)) if miner else loss(features, labels)


def definition(compute):
    return "definition", compute


def ice(scale, reduction):
    """NT-Xent's values per positive pair at temperature 1/scale, put together per anchor."""
    result = pml.NTXentLoss(temperature=1 / scale, reducer=reducers.DoNothingReducer())(features, labels)["loss"]
    values, anchors = result["losses"], result["indices"][0]
    return own.mean([reduction(values[anchors == a]) for a in range(B) if positives(a)])


def cascade(margin, *shares):
    """The sum over levels, each level's pairs chosen by the peer's miner among those of the level before."""
    loss = pml.ContrastiveLoss(pos_margin=0, neg_margin=margin, reducer=reducers.MeanReducer())
    total, pairs = loss(features, labels), None
    for share in shares:
        miner = miners.HDCMiner(filter_percentage=share)
        if pairs is not None:
            miner.set_idx_externally(pairs, labels)
        pairs = miner(features.detach(), labels)
        total = total + loss(features, labels, pairs)
    return total


def with_weights(loss, name, values, transposed):
    """A loss of the peer whose class weights are ours."""
    del loss._parameters[name]

    def compute():
        loss.__dict__[name] = values.t() if transposed else values
        return loss(features, labels)

    return "peer", compute


def dynamic_soft_margin(nodes):
    """All triplets. The peer's histogram keeps the graph of every batch; here it is a constant to the gradient, as in the authors' code."""
    loss = pml.DynamicSoftMarginLoss(num_bins=nodes - 1)
    update = loss.update_histogram
    loss.update_histogram = lambda data: update(data.detach())
    return loss(features, labels)


def manifold():
    """A proxy for each class. The peer inverts in single precision; here in double."""
    loss = pml.ManifoldLoss(D, K=M)
    del loss._parameters["proxies"]
    loss.__dict__["proxies"] = class_weights
    single, torch.Tensor.float = torch.Tensor.float, lambda x: x
    try:
        return loss(features, indices_tuple=labels)
    finally:
        torch.Tensor.float = single


def p2s_grad():
    """The peer's weights are unit vectors without a graph, and it divides by the classes and images where the paper has half the sum over classes."""
    loss = pml.P2SGradLoss(D, M)
    loss.weight.data = class_weights.detach().t().clone()
    value = own.p2s_grad()
    assert abs(loss(features, labels) * M / 2 - value) < 1e-6  # its unit vectors are off by 1e-7
    return value


average = dict(reducer=reducers.MeanReducer())
weights, centres, softmax_weights = {"weights": class_weights}, {"weights": centre_weights}, {"weights": class_weights, "bias": bias}
pairs = [
    ({"name": "ice"}, {}, ("peer", lambda: ice(16, torch.mean))),
    ({"name": "ice", "scale": 4, "positives": "sum"}, {}, ("peer", lambda: ice(4, torch.sum))),
    ({"name": "circle"}, {}, peer(pml.CircleLoss(m=0.4, gamma=80, **average))),
    ({"name": "circle", "scale": 128, "margin": 0.25}, {}, peer(pml.CircleLoss(m=0.25, gamma=128, **average))),
    ({"name": "contrastive"}, {}, peer(pml.ContrastiveLoss(pos_margin=0, neg_margin=1))),
    ({"name": "contrastive", "positive_margin": 0.2, "negative_margin": 1.3}, {}, peer(pml.ContrastiveLoss(pos_margin=0.2, neg_margin=1.3))),
    ({"name": "contrastive", "power": 2}, {}, definition(lambda: own.contrastive_squared(1))),
    ({"name": "snr-contrastive", "positive_margin": 0.1, "negative_margin": 2.5}, {},
     peer(pml.SignalToNoiseRatioContrastiveLoss(pos_margin=0.1, neg_margin=2.5, distance=SNRDistance(normalize_embeddings=False)))),
    ({"name": "triplet", "triplets": "all"}, {}, peer(pml.TripletMarginLoss(margin=0.2))),
    ({"name": "triplet", "triplets": "all", "squared": True}, {}, definition(lambda: own.triplets_squared(0.2))),
    ({"name": "triplet", "triplets": "semi-hard", "margin": 0.4}, {}, peer(pml.TripletMarginLoss(margin=0.4), miners.TripletMarginMiner(0.4, "semihard"))),
    ({"name": "triplet", "triplets": "batch-hard"}, {}, peer(pml.TripletMarginLoss(margin=0.2, **average), miners.BatchHardMiner())),
    ({"name": "triplet", "triplets": "easy-positive"}, {},
     peer(pml.TripletMarginLoss(margin=0.2, **average), miners.BatchEasyHardMiner(miners.BatchEasyHardMiner.EASY, miners.BatchEasyHardMiner.HARD))),
    ({"name": "n-pairs", "regularisation": 0}, {}, peer(pml.NPairsLoss(distance=DotProductSimilarity(normalize_embeddings=False)))),
    ({"name": "n-pairs"}, {}, definition(lambda: own.n_pairs(0.002))),
    ({"name": "lifted-structure"}, {}, peer(pml.LiftedStructureLoss(neg_margin=1))),
    ({"name": "generalised-lifted-structure"}, {}, peer(pml.GeneralizedLiftedStructureLoss(neg_margin=1))),
    ({"name": "multi-similarity", "mining": False}, {}, peer(pml.MultiSimilarityLoss(2, 50, 0.5))),
    ({"name": "multi-similarity"}, {}, peer(pml.MultiSimilarityLoss(2, 50, 0.5), miners.MultiSimilarityMiner(0.1))),
    ({"name": "supcon"}, {}, peer(pml.SupConLoss(0.1))),
    ({"name": "nt-xent"}, {}, peer(pml.NTXentLoss(0.07))),
    ({"name": "decoupled-contrastive"}, {}, definition(lambda: own.decoupled(0.1))),
    ({"name": "nca"}, {}, peer(pml.NCALoss(softmax_scale=8))),
    ({"name": "nca", "scale": 1}, {}, peer(pml.NCALoss())),
    ({"name": "selectively-contrastive"}, {}, definition(lambda: own.selectively_contrastive(0.1, 1, 0.8))),
    ({"name": "selectively-contrastive", "weight": 0.5, "ceiling": 0.2}, {}, definition(lambda: own.selectively_contrastive(0.1, 0.5, 0.2))),
    ({"name": "dynamic-soft-margin"}, {}, definition(lambda: own.dynamic_soft_margin(512))),
    ({"name": "dynamic-soft-margin", "triplets": "all", "bins": 33}, {}, ("peer", lambda: dynamic_soft_margin(33))),
    ({"name": "tuplet-margin"}, {}, peer(pml.TupletMarginLoss(5.73, 64))),
    # The peer normalises anchors and positives only; the paper normalises negatives too.
    ({"name": "angular"}, {}, ("peer", lambda: pml.AngularLoss(40)(unit(features), labels))),
    ({"name": "margin", "sampling": "all", "nu": 0.25}, {"boundaries": boundaries}, definition(lambda: own.margin_pairs(0.2, 0.25))),
    ({"name": "hardnet"}, {}, definition(lambda: own.hardnet(1, 0))),
    ({"name": "hardnet", "margin": 0.5, "spread_out": 1}, {}, definition(lambda: own.hardnet(0.5, 1))),
    ({"name": "histogram", "bins": 20}, {}, peer(pml.HistogramLoss(n_bins=20))),
    ({"name": "ranked-list"}, {}, definition(lambda: own.ranked_list(1.2, 0.4, 0, 10, 0.5))),
    ({"name": "ranked-list", "positive_temperature": 3, "imbalance": 0.25}, {}, definition(lambda: own.ranked_list(1.2, 0.4, 3, 10, 0.25))),
    ({"name": "fast-ap"}, {}, peer(pml.FastAPLoss(10))),
    ({"name": "smooth-ap", "temperature": 0.05}, {}, definition(lambda: own.smooth_ap(0.05))),
    ({"name": "recall-surrogate", "rank_temperature": 0.05}, {}, definition(lambda: own.recall_surrogate([1, 2, 4, 8, 16], 0.05, 1))),
    ({"name": "recall-surrogate", "smallest_k": 2, "largest_k": 2, "rank_temperature": 0.1, "temperature": 0.5}, {}, definition(lambda: own.recall_surrogate([2], 0.1, 0.5))),
    *(({"name": "pnp", "variant": variant.lower()}, {}, peer(pml.PNPLoss(variant=variant, b=2, alpha=4))) for variant in ("O", "Ds", "Dq", "Iu", "Ib")),
    ({"name": "hdc"}, {}, ("peer", lambda: cascade(1, 0.5, 0.2))),
    ({"name": "hdc", "margin": 1.5, "second_level": 0.3}, {}, ("peer", lambda: cascade(1.5, 0.3, 0.2))),
    ({"name": "facility-location"}, {}, definition(lambda: own.facility_location(1))),
    ({"name": "facility-location", "structure": 0.25}, {}, definition(lambda: own.facility_location(0.25))),
    ({"name": "spectral-clustering"}, {}, definition(lambda: own.spectral_clustering(0.01))),
    ({"name": "vicreg"}, {}, definition(lambda: own.vicreg(25, 25, 1))),
]
class_weight_losses = [
    ({"name": "circle-class"}, weights, definition(lambda: own.circle_class(256, 0.25))),
    ({"name": "circle-class", "scale": 64, "margin": 0.4}, weights, definition(lambda: own.circle_class(64, 0.4))),
    ({"name": "softmax"}, softmax_weights, definition(lambda: own.softmax("none", 1))),
    ({"name": "ln"}, softmax_weights, definition(lambda: own.softmax("l2", 16))),
    ({"name": "ln", "scale": 4, "bias": False}, weights, with_weights(pml.NormalizedSoftmaxLoss(M, D, temperature=1 / 4), "W", class_weights, True)),
    ({"name": "bn"}, softmax_weights, definition(lambda: own.softmax("batch", 16))),
    ({"name": "hln"}, softmax_weights, definition(lambda: own.softmax("l2", 16))),
    ({"name": "hbn"}, softmax_weights, definition(lambda: own.softmax("batch", 16))),
    ({"name": "normface"}, {"weights": class_weights, "scale": learned_scale}, definition(lambda: own.normface(learned_scale))),
    ({"name": "normface", "scale": 12, "learned_scale": False}, weights, with_weights(pml.NormalizedSoftmaxLoss(M, D, temperature=1 / 12), "W", class_weights, True)),
    ({"name": "l2-softmax", "scale": 12}, softmax_weights, definition(lambda: own.l2_softmax(12))),
    ({"name": "instance", "scale": 20}, weights, with_weights(pml.NormalizedSoftmaxLoss(M, D, temperature=1 / 20), "W", class_weights, True)),
    ({"name": "centre", "centre_weight": 0.3}, softmax_weights, definition(lambda: own.centre(0.3))),
    ({"name": "cosface"}, weights, with_weights(pml.CosFaceLoss(M, D, margin=0.35, scale=64), "W", class_weights, True)),
    ({"name": "arcface"}, weights, with_weights(pml.ArcFaceLoss(M, D, margin=math.degrees(0.5), scale=64), "W", class_weights, True)),
    ({"name": "arcface", "scale": 16, "easy_margin": True}, weights, definition(lambda: own.easy_arcface(16, 0.5))),
    ({"name": "sub-centre-arcface", "centres": K}, centres,
     with_weights(pml.SubCenterArcFaceLoss(num_classes=M, embedding_size=D, margin=math.degrees(0.5), scale=64, sub_centers=K), "W", centre_weights, True)),
    # Of classes of like size: the margins are the same.
    ({"name": "dynamic-arcface", "centres": K}, centres,
     with_weights(pml.SubCenterArcFaceLoss(num_classes=M, embedding_size=D, margin=math.degrees(0.5), scale=64, sub_centers=K), "W", centre_weights, True)),
    ({"name": "sphereface", "annealing": False}, weights, with_weights(pml.SphereFaceLoss(M, D, margin=4, scale=1), "W", class_weights, True)),
    ({"name": "sphereface"}, weights, definition(lambda: own.annealed(4, 1500, False))),
    ({"name": "l-softmax", "annealing": False}, weights, with_weights(pml.LargeMarginSoftmaxLoss(M, D, margin=4, scale=1), "W", class_weights, True)),
    ({"name": "l-softmax", "margin": 3}, weights, definition(lambda: own.annealed(3, 1500, True))),
    ({"name": "proxy-nca"}, weights, with_weights(pml.ProxyNCALoss(M, D, softmax_scale=9), "proxies", class_weights, False)),
    ({"name": "proxy-nca", "own_in_denominator": False}, weights, definition(lambda: own.proxy_nca_2017(9))),
    ({"name": "proxy-anchor"}, weights, with_weights(pml.ProxyAnchorLoss(M, D, margin=0.1, alpha=32), "proxies", class_weights, False)),
    ({"name": "soft-triple", "centres": K, "centre_regularisation": 0}, centres,
     with_weights(pml.SoftTripleLoss(M, D, centers_per_class=K, la=20, gamma=0.1, margin=0.01), "fc", centre_weights, True)),
    ({"name": "soft-triple", "centres": K}, centres, definition(lambda: own.soft_triple(20, 0.1, 0.01, 0.2))),
    ({"name": "p2s-grad"}, weights, definition(p2s_grad)),
    ({"name": "manifold"}, weights, ("peer", manifold)),
]


# The peer has those of pairs as losses.
regularisers = [
    ({"name": "intra-pair-variance"}, features, 0, lambda: pml.IntraPairVarianceLoss()(features, labels)),
    ({"name": "intra-pair-variance", "positive_slack": 0.1, "negative_slack": 0.3}, features, 0, lambda: pml.IntraPairVarianceLoss(0.1, 0.3)(features, labels)),
    ({"name": "threshold-consistent-margin"}, features, 0, lambda: pml.ThresholdConsistentMarginLoss()(features, labels)),
    ({"name": "threshold-consistent-margin", "positive_margin": 0.4, "negative_margin": 0.1, "negative_weight": 2}, features, 0,
     lambda: pml.ThresholdConsistentMarginLoss(margin_plus=0.4, margin_minus=0.1, lambda_minus=2)(features, labels)),
    ({"name": "lp-norm"}, features, 0, lambda: peers.LpRegularizer()(features)),
    ({"name": "lp-norm", "p": 3, "power": 2}, features, 0, lambda: peers.LpRegularizer(p=3, power=2)(features)),
    ({"name": "zero-mean"}, features, 0, lambda: peers.ZeroMeanRegularizer()(features)),
    ({"name": "centre-invariant"}, centre_weights, 1, lambda: peers.CenterInvariantRegularizer()(centre_weights)),
    ({"name": "regular-face"}, centre_weights, 1, lambda: peers.RegularFaceRegularizer()(centre_weights)),
    ({"name": "sparse-centres"}, centre_weights, K, lambda: peers.SparseCentersRegularizer(M, K)(centre_weights)),
]


def write_regularisers(name):
    golden = []
    for settings, leaf, per_class, compute in regularisers:
        leaf.grad = None
        value = compute()
        value.backward()
        golden.append({
            "regulariser": settings, "per_class": per_class, "rows": leaf.shape[0], "values": leaf.flatten().tolist(), "labels": labels.tolist(),
            "value": value.item(), "gradient": leaf.grad.flatten().tolist(),
        })
        print(f"{settings['name']:30} {'peer':12} {value.item():.12g}")
    with open(os.path.join(here, "..", "Regularisers", name), "w") as out:
        json.dump(golden, out, separators=(",", ":"))
        out.write("\n")


def write(name, cases):
    golden = []
    for settings, parameters, (oracle, compute) in cases:
        for leaf in (features, *parameters.values()):
            leaf.grad = None
        loss = compute()
        loss.backward()
        golden.append({
            "loss": settings, "oracle": oracle, "value": loss.item(), "gradient": features.grad.flatten().tolist(),
            "parameters": {key: {"values": leaf.flatten().tolist(), "gradient": leaf.grad.flatten().tolist()} for key, leaf in parameters.items()},
        })
        print(f"{settings['name']:30} {oracle:12} {loss.item():.12g}")
    text = {"features": features.flatten().tolist(), "dimensions": D, "labels": labels.tolist(), "cases": golden}
    with open(os.path.join(here, name), "w") as out:
        json.dump(text, out, separators=(",", ":"))
        out.write("\n")


write("pairs-golden.json", pairs)
write("class-weights-golden.json", class_weight_losses)
write_regularisers("regularisers-golden.json")
