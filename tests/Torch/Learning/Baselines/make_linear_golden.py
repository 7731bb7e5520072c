#!/usr/bin/env python3
"""Writes linear-golden.json: features with what scikit-learn, SciPy and plain numpy make of them.

usage: make_linear_golden.py > linear-golden.json
Needs numpy, SciPy and scikit-learn.
"""
import json
from itertools import combinations

import numpy as np
from scipy.linalg import eigh
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression

random = np.random.default_rng(29)


def clouds(sizes, dimension, noise):
    """Unequal classes with a covariance that they share; three decimals and float32, so that the file is small and exact."""
    labels = np.repeat(np.arange(len(sizes)), sizes)
    random.shuffle(labels)
    centres = random.normal(size=(len(sizes), dimension))
    mixing = random.normal(size=(dimension, dimension))
    points = centres[labels] + noise * random.normal(size=(len(labels), dimension)) @ mixing
    return np.round(points, 3).astype(np.float32).astype(np.float64), labels


def scatters(points, labels):
    within = sum(np.cov(points[labels == c].T, bias=True) * np.mean(labels == c) for c in np.unique(labels))
    return within, np.cov(points.T, bias=True) - within


def discriminants(sizes, dimension, noise, shrinkage):
    """Products of projected points, which do not depend on the signs of eigenvectors: of scikit-learn without shrinkage, of SciPy with it."""
    points, labels = clouds(sizes, dimension, noise)
    kept = min(len(sizes) - 1, dimension)
    within, between = scatters(points, labels)
    shrunk = (1 - shrinkage) * within + shrinkage * np.trace(within) / dimension * np.eye(dimension)
    vectors = eigh(between, shrunk)[1][:, ::-1][:, :kept]
    projected = (points - points.mean(axis=0)) @ vectors
    if shrinkage == 0:
        theirs = points @ LinearDiscriminantAnalysis(solver="eigen").fit(points, labels).scalings_[:, :kept]
        projected = theirs - theirs.mean(axis=0)
    projected /= np.linalg.norm(projected, axis=1, keepdims=True)
    white = PCA(3, whiten=True).fit_transform(points) * np.sqrt(len(points) / (len(points) - 1))
    return {
        "dimension": dimension, "shrinkage": shrinkage, "kept": kept, "points": points.ravel().tolist(), "labels": labels.tolist(),
        "products": (projected @ projected.T)[:8].ravel().tolist(), "white": (white @ white.T)[:8].ravel().tolist(),
    }


def kissme(sizes, dimension, noise):
    """The matrix M from loops over all pairs, its negative part left out."""
    points, labels = clouds(sizes, dimension, noise)
    sums, counts = {True: np.zeros((dimension, dimension)), False: np.zeros((dimension, dimension))}, {True: 0, False: 0}
    for i, j in combinations(range(len(labels)), 2):
        kind = bool(labels[i] == labels[j])
        difference = points[i] - points[j]
        sums[kind] += np.outer(difference, difference)
        counts[kind] += 1
    values, vectors = np.linalg.eigh(np.linalg.inv(sums[True] / counts[True]) - np.linalg.inv(sums[False] / counts[False]))
    matrix = vectors @ np.diag(np.maximum(values, 0)) @ vectors.T
    return {"dimension": dimension, "points": points.ravel().tolist(), "labels": labels.tolist(), "matrix": matrix.ravel().tolist(), "negative": int(np.sum(values <= 0))}


def ldml(pairs, dimension):
    """Logistic regression on the products of differences: concave in M, and the optimum of LDML where that M is positive definite."""
    differences = np.round(random.normal(size=(2 * pairs, dimension)) * np.repeat([0.8, 1.3], pairs)[:, None], 3)
    same = np.repeat([1, 0], pairs)
    upper = list(zip(*np.triu_indices(dimension)))
    features = np.stack([differences[:, i] * differences[:, j] for i, j in upper], axis=1)
    model = LogisticRegression(penalty=None, tol=1e-7, max_iter=100000, solver="newton-cg").fit(features, same)
    matrix = np.zeros((dimension, dimension))
    for weight, (i, j) in zip(-model.coef_[0], upper):
        matrix[i, j] += weight / 2
        matrix[j, i] += weight / 2
    assert np.all(np.linalg.eigvalsh(matrix) > 0)
    return {"dimension": dimension, "same": pairs, "differences": differences.ravel().tolist(), "matrix": matrix.ravel().tolist(), "bias": float(model.intercept_[0])}


print(json.dumps({
    "lda": [discriminants((9, 14, 6, 11), 5, 0.6, 0), discriminants((20, 5, 8), 4, 0.3, 0), discriminants((4, 3, 5, 3, 4), 6, 0.5, 0.2)],
    "kissme": [kissme((6, 9, 4, 8), 3, 0.3), kissme((5, 7, 6), 5, 1.0)],
    "ldml": [ldml(60, 2), ldml(150, 3)],
}))
