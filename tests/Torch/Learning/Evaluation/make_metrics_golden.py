#!/usr/bin/env python3
"""Writes metrics-golden.json: embeddings with what pytorch-metric-learning and scikit-learn make of them.

usage: make_metrics_golden.py PML_SOURCE > metrics-golden.json
PML_SOURCE is the folder that holds pytorch_metric_learning. Needs torch, numpy, scikit-learn and tqdm; faiss is not needed.
"""
import json
import sys

import numpy as np
import torch
from sklearn.cluster import KMeans
from sklearn.metrics import normalized_mutual_info_score

sys.path.insert(0, sys.argv[1])
from pytorch_metric_learning.distances import CosineSimilarity
from pytorch_metric_learning.utils.accuracy_calculator import AccuracyCalculator
from pytorch_metric_learning.utils.inference import CustomKNN

random = np.random.default_rng(20)


def retrieval(sizes, dimension, noise):
    """Noisy points about a random centre per class; four decimals, so that the file is small and exact."""
    labels = np.repeat(np.arange(len(sizes)), sizes)
    random.shuffle(labels)
    centres = random.normal(size=(len(sizes), dimension))
    points = np.round(centres[labels] + noise * random.normal(size=(len(labels), dimension)), 4)
    calculator = AccuracyCalculator(
        include=("precision_at_1", "r_precision", "mean_average_precision_at_r"),
        knn_func=CustomKNN(CosineSimilarity()),
        kmeans_func=lambda *_: None,
        k="max_bin_count",
        device=torch.device("cpu"),
    )
    result = calculator.get_accuracy(torch.tensor(points, dtype=torch.float64), torch.tensor(labels))
    # Only the unit vectors' order matters: the one fact that scikit-learn adds is how well its own k-means clusters them.
    unit = points / np.linalg.norm(points, axis=1, keepdims=True)
    clustering = KMeans(len(sizes), n_init=10, random_state=0).fit(unit)
    return {
        "dimension": dimension,
        "labels": labels.tolist(),
        "embeddings": points.ravel().tolist(),
        "precision@1": result["precision_at_1"],
        "r-precision": result["r_precision"],
        "map@r": result["mean_average_precision_at_r"],
        "inertia": clustering.inertia_,
    }


def agreement(classes, clusters, size):
    a, b = random.integers(classes, size=size), random.integers(clusters, size=size)
    b = np.where(random.random(size) < 0.6, a % clusters, b)
    return {"classes": a.tolist(), "clusters": b.tolist(), "nmi": normalized_mutual_info_score(a, b)}


json.dump(
    {
        "retrieval": [
            retrieval([10] * 8, 6, 0.9),
            retrieval([1, 2, 3, 5, 8, 13, 21, 1], 8, 0.8),
            retrieval([40, 40, 3], 4, 1.2),
        ],
        "nmi": [agreement(4, 4, 60), agreement(7, 3, 100), agreement(2, 9, 50), agreement(1, 4, 20), agreement(5, 1, 20)],
    },
    sys.stdout,
    separators=(",", ":"),
)
print()
