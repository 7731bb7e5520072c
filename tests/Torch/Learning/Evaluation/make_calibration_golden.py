#!/usr/bin/env python3
"""Writes calibration-golden.json: logits, probabilities and similarities with what scikit-learn and SciPy make of them.

usage: make_calibration_golden.py > calibration-golden.json
Needs numpy, SciPy and scikit-learn.
"""
import json

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import expit, softmax
from sklearn.calibration import calibration_curve
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score, roc_curve

random = np.random.default_rng(17)


def temperature(rows, classes, sharpness, noise):
    """Logits whose classes were drawn at another temperature than 1; float32, as a network gives them."""
    logits = np.round(sharpness * random.normal(size=(rows, classes)), 3).astype(np.float32).astype(np.float64)
    labels = np.array([random.choice(classes, p=softmax(row / noise)) for row in logits])
    loss = lambda u: log_loss(labels, softmax(logits / np.exp(u), axis=1), labels=range(classes))
    found = minimize_scalar(loss, bounds=(-7, 7), method="bounded", options={"xatol": 1e-10})
    return {
        "classes": classes, "logits": logits.ravel().tolist(), "labels": labels.tolist(),
        "temperature": float(np.exp(found.x)), "loss-before": float(loss(0)), "loss-after": float(found.fun),
    }


def reliability(count, bins):
    """The curve of scikit-learn and the error over it; some probabilities lie on the edges of bins."""
    probabilities = np.round(random.beta(2, 1, size=count), 3)
    probabilities[:4] = [0, 1, 1 / bins, 0.5]
    outcomes = random.random(count) < probabilities**2
    frequency, confidence = calibration_curve(outcomes, probabilities, n_bins=bins)
    share = np.histogram(np.searchsorted(np.linspace(0, 1, bins + 1)[1:-1], probabilities), bins=np.arange(bins + 1))[0] / count
    share = share[share > 0]
    # Bins of equal mass over distinct probabilities are equal parts of the sorted list.
    distinct = np.sort(random.random(6 * bins))
    came = random.random(6 * bins) < distinct
    parts = zip(np.array_split(distinct, bins), np.array_split(came, bins))
    adaptive = float(np.mean([abs(p.mean() - o.mean()) for p, o in parts]))
    return {
        "bins": bins, "probabilities": probabilities.tolist(), "outcomes": outcomes.tolist(),
        "frequency": frequency.tolist(), "confidence": confidence.tolist(), "share": share.tolist(),
        "ece": float(np.sum(share * np.abs(frequency - confidence))),
        "distinct": distinct.tolist(), "came": came.tolist(), "adaptive": adaptive,
    }


def verification(same, different, gap):
    """Similarities on a grid of 1/512, which cells of similarity hold exactly."""
    draw = lambda mean, count: np.clip(np.round(512 * np.tanh(random.normal(mean, 0.5, size=count))) / 512, -1, 511 / 512)
    similarities = np.concatenate([draw(gap, same), draw(0, different)])
    labels = np.repeat([True, False], [same, different])
    false, true, thresholds = roc_curve(labels, similarities, drop_intermediate=False)
    missed = 1 - true
    i = int(np.argmax(false >= missed))
    share = (missed[i - 1] - false[i - 1]) / (missed[i - 1] - false[i - 1] + false[i] - missed[i])
    points = []
    for rate in (0.1, 0.01, 0.003):
        at = int(np.flatnonzero(false <= rate)[-1])
        points.append({"rate": rate, "false": float(false[at]), "true": float(true[at]), "threshold": float(thresholds[at])})
    # Platt's targets, and one half of the weight to either kind of pair: every pair counts once as 1 and once as 0.
    target = np.where(labels, (same + 1) / (same + 2), 1 / (different + 2))
    weight = np.where(labels, 0.5 / same, 0.5 / different)
    model = LogisticRegression(penalty=None, tol=1e-7, max_iter=10000, solver="newton-cg").fit(
        np.tile(similarities, 2)[:, None], np.repeat([1, 0], len(labels)), sample_weight=np.concatenate([weight * target, weight * (1 - target)]) * len(labels))
    probability = expit(similarities * model.coef_[0, 0] + model.intercept_[0])
    return {
        "similarities": similarities.tolist(), "same": labels.tolist(), "area": float(roc_auc_score(labels, similarities)),
        "equal-error": float(false[i - 1] + share * (false[i] - false[i - 1])), "points": points,
        "slope": float(model.coef_[0, 0]), "intercept": float(model.intercept_[0]),
        "loss": float(log_loss(labels, probability, sample_weight=weight)),
    }


print(json.dumps({
    "temperature": [temperature(60, 5, 4, 3), temperature(80, 12, 0.3, 0.05)],
    "reliability": [reliability(120, 10), reliability(90, 15)],
    "verification": [verification(60, 400, 0.8), verification(150, 350, 1.6)],
}))
