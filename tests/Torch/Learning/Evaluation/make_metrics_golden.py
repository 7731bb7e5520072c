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
from sklearn.metrics import adjusted_mutual_info_score, normalized_mutual_info_score
from sklearn.metrics.cluster import contingency_matrix, pair_confusion_matrix

sys.path.insert(0, sys.argv[1])
from pytorch_metric_learning.distances import CosineSimilarity
from pytorch_metric_learning.utils.accuracy_calculator import AccuracyCalculator
from pytorch_metric_learning.utils.inference import CustomKNN

random = np.random.default_rng(20)


def ranked(points, labels, gallery=None, gallery_labels=None):
    """What PML makes of a ranking of the whole gallery; without a gallery, of all points but the query."""
    calculator = AccuracyCalculator(
        include=("precision_at_1", "r_precision", "mean_average_precision_at_r", "mean_average_precision", "mean_reciprocal_rank"),
        knn_func=CustomKNN(CosineSimilarity()),
        kmeans_func=lambda *_: None,
        k=None,
        device=torch.device("cpu"),
    )
    result = calculator.get_accuracy(
        torch.tensor(points, dtype=torch.float64), torch.tensor(labels),
        None if gallery is None else torch.tensor(gallery, dtype=torch.float64), None if gallery is None else torch.tensor(gallery_labels))
    names = {"precision_at_1": "precision@1", "r_precision": "r-precision", "mean_average_precision_at_r": "map@r", "mean_average_precision": "map", "mean_reciprocal_rank": "mrr"}
    return {ours: result[theirs] for theirs, ours in names.items()}


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
        "full": ranked(points, labels),
        "inertia": clustering.inertia_,
    }


def agreement(classes, clusters, size):
    a, b = random.integers(classes, size=size), random.integers(clusters, size=size)
    b = np.where(random.random(size) < 0.6, a % clusters, b)
    # Of ordered pairs: [[apart in both, together in b only], [together in a only, together in both]].
    pairs = pair_confusion_matrix(a, b)
    joined = pairs[1, 0] + pairs[0, 1] + 2 * pairs[1, 1]
    return {
        "classes": a.tolist(),
        "clusters": b.tolist(),
        "nmi": normalized_mutual_info_score(a, b),
        "ami": adjusted_mutual_info_score(a, b),
        "purity": contingency_matrix(a, b).max(axis=0).sum() / size,
        "pairwise-f1": 2 * pairs[1, 1] / joined if joined else 1.0,
    }


def split(sizes, dimension, noise, share):
    """Queries and a gallery of other images; some classes have no query, some no gallery image."""
    labels = np.repeat(np.arange(len(sizes)), sizes)
    random.shuffle(labels)
    centres = random.normal(size=(len(sizes), dimension))
    points = np.round(centres[labels] + noise * random.normal(size=(len(labels), dimension)), 4)
    query = random.random(len(labels)) < share
    return {
        "dimension": dimension,
        "labels": labels.tolist(),
        "embeddings": points.ravel().tolist(),
        "query": query.tolist(),
        **ranked(points[query], labels[query], points[~query], labels[~query]),
    }


def k_reciprocal(points, labels, k1, k2, weight):
    """Average precision of every point after k-reciprocal re-ranking, with whole matrices and straight from the definition."""
    unit = points / np.linalg.norm(points, axis=1, keepdims=True)
    distance = 2 - 2 * unit @ unit.T
    distance /= distance.max(axis=1, keepdims=True)
    np.fill_diagonal(distance, -1)
    order = np.argsort(distance, axis=1, kind="stable")
    np.fill_diagonal(distance, 0)
    count = len(points)

    def reciprocal(i, k):
        return {j for j in order[i, : k + 1] if i in order[j, : k + 1]}

    encoding = np.zeros((count, count))
    for i in range(count):
        members = reciprocal(i, k1)
        expanded = set(members)
        for j in members:
            others = reciprocal(j, round(k1 / 2))
            if len(others & members) > 2 / 3 * len(others):
                expanded |= others
        for j in expanded:
            encoding[i, j] = np.exp(-distance[i, j])
        encoding[i] /= encoding[i].sum()
    encoding = np.stack([encoding[order[i, :k2]].mean(axis=0) for i in range(count)])

    precisions = []
    for i in range(count):
        jaccard = 1 - np.minimum(encoding[i], encoding).sum(axis=1) / np.maximum(encoding[i], encoding).sum(axis=1)
        final = (1 - weight) * jaccard + weight * distance[i]
        others = [j for j in np.argsort(final, kind="stable") if j != i]
        hits = labels[others] == labels[i]
        precisions.append(float((np.cumsum(hits) / np.arange(1, count))[hits].mean()))
    return precisions


def reranking(sizes, dimension, noise, k1, k2, weight):
    labels = np.repeat(np.arange(len(sizes)), sizes)
    random.shuffle(labels)
    centres = random.normal(size=(len(sizes), dimension))
    points = np.round(centres[labels] + noise * random.normal(size=(len(labels), dimension)), 4)
    return {
        "dimension": dimension,
        "labels": labels.tolist(),
        "embeddings": points.ravel().tolist(),
        "k1": k1,
        "k2": k2,
        "lambda": weight,
        "average-precision": k_reciprocal(points, labels, k1, k2, weight),
    }


json.dump(
    {
        "retrieval": [
            retrieval([10] * 8, 6, 0.9),
            retrieval([1, 2, 3, 5, 8, 13, 21, 1], 8, 0.8),
            retrieval([40, 40, 3], 4, 1.2),
        ],
        "nmi": [agreement(4, 4, 60), agreement(7, 3, 100), agreement(2, 9, 50), agreement(1, 4, 20), agreement(5, 1, 20)],
        "split": [split([9] * 10, 8, 0.9, 0.3), split([1, 2, 3, 5, 8, 13, 21, 30], 6, 1.0, 0.5)],
        "reranking": [reranking([12] * 10, 16, 1.6, 20, 6, 0.3), reranking([5, 9, 14, 20, 30], 6, 1.0, 7, 3, 0.5), reranking([6] * 12, 10, 1.2, 9, 1, 0.0)],
    },
    sys.stdout,
    separators=(",", ":"),
)
print()
