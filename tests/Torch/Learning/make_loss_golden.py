#!/usr/bin/env python3
"""Writes Losses/loss-golden.json: loss values and gradients computed from the papers' formulas, pair by pair, in double precision.

usage: make_loss_golden.py PML_SOURCE        (PML_SOURCE is the folder that holds pytorch_metric_learning)
ICE's reference is pytorch-metric-learning's NTXentLoss at temperature 1/scale, per pair; everything else is written out below.
"""
import json, math, os, sys
import torch

sys.path.insert(0, sys.argv[1])
from pytorch_metric_learning.losses import NTXentLoss
from pytorch_metric_learning.reducers import DoNothingReducer

torch.manual_seed(7)
B, D, M = 10, 6, 4
features = (torch.randn(B, D, dtype=torch.float64) * 1.5).round(decimals=4).requires_grad_()
labels = torch.tensor([0, 0, 0, 1, 1, 2, 2, 2, 2, 3])
weights = torch.randn(M, D, dtype=torch.float64).round(decimals=4).requires_grad_()
bias = (torch.randn(M, dtype=torch.float64) * 0.3).round(decimals=4).requires_grad_()
unit = lambda x: x / x.pow(2).sum(-1, keepdim=True).sqrt()
positives = lambda a: [i for i in range(B) if i != a and labels[i] == labels[a]]
negatives = lambda a: [j for j in range(B) if labels[j] != labels[a]]


def ice(scale, reduction):
    """Mean over anchors of NT-Xent's values per positive pair, put together per anchor."""
    result = NTXentLoss(temperature=1 / scale, reducer=DoNothingReducer())(features, labels)["loss"]
    values, anchors = result["losses"], result["indices"][0]
    per_anchor = [values[anchors == a] for a in range(B) if positives(a)]
    return torch.stack([v.mean() if reduction == "mean" else v.sum() for v in per_anchor]).mean()


def circle(scale, margin):
    f = unit(features)
    total = []
    for a in range(B):
        if not positives(a) or not negatives(a):
            continue
        push = pull = 0
        for j in negatives(a):
            s = f[a] @ f[j]
            push = push + torch.exp(scale * max(s.item() + margin, 0) * (s - margin))
        for i in positives(a):
            s = f[a] @ f[i]
            pull = pull + torch.exp(-scale * max(1 + margin - s.item(), 0) * (s - (1 - margin)))
        total.append(torch.log(1 + push * pull))
    return torch.stack(total).mean()


def circle_class(scale, margin):
    f, w = unit(features), unit(weights)
    total = []
    for a in range(B):
        push = 0
        for m in range(M):
            s = f[a] @ w[m]
            if m == labels[a]:
                pull = torch.exp(-scale * max(1 + margin - s.item(), 0) * (s - (1 - margin)))
            else:
                push = push + torch.exp(scale * max(s.item() + margin, 0) * (s - margin))
        total.append(torch.log(1 + push * pull))
    return torch.stack(total).mean()


def softmax(scaling, alpha):
    total = []
    for a in range(B):
        f = {"none": features[a], "l2": unit(features[a]), "batch": features[a] / math.sqrt(D)}[scaling]
        w = weights if scaling == "none" else unit(weights)
        z = torch.stack([alpha * (w[m] @ f) + bias[m] for m in range(M)])
        total.append(-(z[labels[a]] - torch.log(torch.exp(z).sum())))
    return torch.stack(total).mean()


cases = {
    "ice-16-mean": lambda: ice(16, "mean"), "ice-16-sum": lambda: ice(16, "sum"), "ice-4-mean": lambda: ice(4, "mean"),
    "circle-80-0.4": lambda: circle(80, 0.4), "circle-128-0.25": lambda: circle(128, 0.25),
    "circle-class-256-0.25": lambda: circle_class(256, 0.25), "circle-class-64-0.4": lambda: circle_class(64, 0.4),
    "softmax-none-1": lambda: softmax("none", 1), "softmax-l2-16": lambda: softmax("l2", 16), "softmax-l2-4": lambda: softmax("l2", 4),
    "softmax-batch-16": lambda: softmax("batch", 16),
}
golden = {}
for name, case in cases.items():
    for x in (features, weights, bias):
        x.grad = None
    loss = case()
    loss.backward()
    golden[name] = {"loss": loss.item(), "features": features.grad.flatten().tolist(),
                    "weights": None if weights.grad is None else weights.grad.flatten().tolist(),
                    "bias": None if bias.grad is None else bias.grad.flatten().tolist()}

data = {"dimensions": D, "classes": M, "labels": labels.tolist(), "features": features.flatten().tolist(),
        "weights": weights.flatten().tolist(), "bias": bias.flatten().tolist()}
lines = [f'"{key}": {json.dumps(value)}' for key, value in data.items()]
lines.append('"cases": {\n' + ",\n".join(f'  "{name}": {json.dumps(value)}' for name, value in golden.items()) + "\n}")
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "Losses", "loss-golden.json"), "w") as out:
    out.write("{\n" + ",\n".join(lines) + "\n}\n")
