#!/usr/bin/env python3
"""Writes miners-golden.json: what the miners of pytorch-metric-learning choose, and what its losses make of it and of its cross-batch memory.

usage: make_miners_golden.py PML_SOURCE        (the folder that holds pytorch_metric_learning; needs python3-torch, numpy, scipy, scikit-learn, tqdm)
"""
import json
import os
import sys

import torch

sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])
from pytorch_metric_learning import losses, miners, reducers
from pytorch_metric_learning.distances import CosineSimilarity, LpDistance, SNRDistance
from pytorch_metric_learning.utils import loss_and_miner_utils as lmu

torch.manual_seed(5)
D = 6
labels = torch.tensor([0, 0, 0, 0, 1, 1, 2, 2, 2, 3, 3, 4, 4, 5, 5, 5, 5])
B = len(labels)
centres = torch.randn(6, D, dtype=torch.float64)
features = centres[labels] + 1.1 * torch.randn(B, D, dtype=torch.float64)
unit = torch.nn.functional.normalize(features)

manhattan = dict(distance=LpDistance(p=1, normalize_embeddings=False))
cosine = dict(distance=CosineSimilarity())
snr = dict(distance=SNRDistance(normalize_embeddings=False))
easy_hard = miners.BatchEasyHardMiner

cases = [
    ("hard", {}, miners.TripletMarginMiner(margin=0.2, type_of_triplets="hard")),
    ("semi-hard", {}, miners.TripletMarginMiner(margin=0.2, type_of_triplets="semihard")),
    ("semi-hard", {"margin": 3, "distance": "lp", "p": 1, "normalised": False}, miners.TripletMarginMiner(margin=3, type_of_triplets="semihard", **manhattan)),
    ("violating", {"margin": 0.1}, miners.TripletMarginMiner(margin=0.1, type_of_triplets="all")),
    ("violating", {"margin": 0.15, "distance": "cosine"}, miners.TripletMarginMiner(margin=0.15, type_of_triplets="all", **cosine)),
    ("easy", {"margin": 0.3}, miners.TripletMarginMiner(margin=0.3, type_of_triplets="easy")),
    ("batch-hard", {}, miners.BatchHardMiner()),
    ("batch-hard", {"distance": "cosine"}, miners.BatchHardMiner(**cosine)),
    ("batch-hard", {"distance": "snr"}, miners.BatchHardMiner(**snr)),
    ("batch-easy-hard", {}, easy_hard()),
    ("pair-margin", {}, miners.PairMarginMiner()),
    ("pair-margin", {"positive_margin": 0.5, "negative_margin": 0.9, "distance": "cosine"}, miners.PairMarginMiner(pos_margin=0.5, neg_margin=0.1, **cosine)),
    ("hdc", {}, miners.HDCMiner()),
    ("hdc", {"share": 0.2}, miners.HDCMiner(0.2)),
    ("multi-similarity", {}, miners.MultiSimilarityMiner()),
    ("multi-similarity", {"epsilon": 0.4}, miners.MultiSimilarityMiner(0.4)),
    ("angular", {}, miners.AngularMiner()),
    ("angular", {"angle": 35}, miners.AngularMiner(35)),
]
words = {"hard": "hard", "semi-hard": "semihard", "easy": "easy", "all": "all"}
for positive in words:
    for negative in words:
        if (positive, negative) in {("semi-hard", "semi-hard"), ("semi-hard", "all"), ("all", "semi-hard"), ("easy", "semi-hard")}:
            continue
        cases.append(("batch-easy-hard", {"positive": positive, "negative": negative}, easy_hard(words[positive], words[negative])))
cases.append(("batch-easy-hard", {"positive": "hard", "negative": "hard", "positive_from": 0.5, "positive_to": 0.8, "negative_from": 0.9, "negative_to": 1.2},
              easy_hard("hard", "hard", allowed_pos_range=(0.5, 0.8), allowed_neg_range=(0.9, 1.2))))


def case(name, options, miner):
    # The peer's angular miner measures features as they are; its formula is for unit ones.
    found = miner(unit if name == "angular" else features, labels)
    a1, p, a2, n = lmu.convert_to_pairs(found, labels)
    pairs = lambda a, b: sorted(set(zip(a.tolist(), b.tolist())))
    return {
        "miner": {"name": name, **options}, "positives": pairs(a1, p), "negatives": pairs(a2, n),
        "triplets": sorted(zip(*[x.tolist() for x in found])) if len(found) == 3 else None,
        "losses": {key: loss(features, labels, found).item() for key, loss in learners.items()},
    }


learners = {
    "contrastive": losses.ContrastiveLoss(), "triplet": losses.TripletMarginLoss(margin=0.2), "multi-similarity": losses.MultiSimilarityLoss(2, 50, 0.5),
    "circle": losses.CircleLoss(m=0.4, gamma=80, reducer=reducers.MeanReducer()), "nt-xent": losses.NTXentLoss(0.07),
}


def weights():
    """The probabilities that the peer draws negatives with: what its miner hands to its draw."""
    seen = {}
    draw, lmu.get_random_triplet_indices = lmu.get_random_triplet_indices, lambda *_, weights, **__: seen.update(weights=weights)
    try:
        miner = miners.DistanceWeightedMiner()
        miner.mine(features, labels, features, labels)
    finally:
        lmu.get_random_triplet_indices = draw
    return seen["weights"].flatten().tolist()


def bins():
    """One pair per bin: how many bins hold any."""
    a1, _, a2, _ = miners.UniformHistogramMiner(num_bins=12, pos_per_bin=1, neg_per_bin=1)(features, labels)
    return {"bins": 12, "positives": len(a1), "negatives": len(a2)}


def memory():
    """Losses of four batches, one after the other. The peer counts the batch itself to its memory: twelve images are eight older ones and the batch."""
    return {key: [wrapped(features[batch], labels[batch]).item() for batch in batches]
            for key, loss in learners.items() for wrapped in [losses.CrossBatchMemory(loss, D, memory_size=12)]}


batches = [[0, 1, 4, 5], [2, 3, 6, 7], [9, 10, 13, 14], [15, 16, 11, 12]]
golden = {
    "dimensions": D, "features": features.flatten().tolist(), "labels": labels.tolist(), "cases": [case(*c) for c in cases],
    "distance_weights": weights(), "histogram": bins(), "memory": {"batches": batches, "losses": memory()},
}
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "miners-golden.json"), "w") as out:
    json.dump(golden, out, separators=(",", ":"))
for c in golden["cases"]:
    print(f"{str(c['miner']):90} {len(c['positives']):4} positives {len(c['negatives']):4} negatives")
print(golden["memory"], golden["histogram"])
