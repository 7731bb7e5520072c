"""The definitions of losses that pytorch-metric-learning lacks or has in another form, pair by pair, in double precision."""
import math

import torch
from sklearn.metrics import normalized_mutual_info_score

torch.manual_seed(11)
D, M, K = 6, 4, 3
labels = torch.tensor([0, 0, 0, 1, 1, 2, 2, 2, 2, 3, 3])
B = len(labels)
sixteenths = lambda *shape: (torch.randn(*shape, dtype=torch.float64) * 16).round() / 16  # exact in single precision too
features = (torch.randn(B, D, dtype=torch.float64) * 1.5).requires_grad_()
class_weights, centre_weights = sixteenths(M, D).requires_grad_(), sixteenths(M * K, D).requires_grad_()
bias = (sixteenths(M) / 4).requires_grad_()
learned_scale = torch.tensor([12.0], dtype=torch.float64).requires_grad_()
boundaries = torch.tensor([1.25, 1.0, 1.125, 0.875], dtype=torch.float64).requires_grad_()

unit = lambda x: x / x.pow(2).sum(-1, keepdim=True).sqrt()
positives = lambda a: [i for i in range(B) if i != a and labels[i] == labels[a]]
negatives = lambda a: [j for j in range(B) if labels[j] != labels[a]]
positive_pairs = lambda: [(a, p) for a in range(B) for p in positives(a)]
negative_pairs = lambda: [(a, n) for a in range(B) for n in negatives(a)]
mean = lambda values: torch.stack(values).mean()
above_zero = lambda values: torch.stack([v for v in values if v > 0]).mean()


def distance(i, j):
    f = unit(features)
    return (f[i] - f[j]).pow(2).sum().sqrt()


def cosine(i, j):
    f = unit(features)
    return f[i] @ f[j]


def circle_class(scale, margin):
    f, w = unit(features), unit(class_weights)
    total = []
    for a in range(B):
        push = []
        for m in range(M):
            s = f[a] @ w[m]
            if m == labels[a]:
                pull = -scale * max(1 + margin - s.item(), 0) * (s - (1 - margin))
            else:
                push.append(scale * max(s.item() + margin, 0) * (s - margin))
        total.append(torch.logaddexp(torch.logsumexp(torch.stack(push), 0) + pull, torch.zeros((), dtype=torch.float64)))
    return mean(total)


def softmax(scaling, alpha):
    total = []
    for a in range(B):
        f = {"none": features[a], "l2": unit(features[a]), "batch": features[a] / math.sqrt(D)}[scaling]
        w = class_weights if scaling == "none" else unit(class_weights)
        z = torch.stack([alpha * (w[m] @ f) + bias[m] for m in range(M)])
        total.append(-(z[labels[a]] - torch.log(torch.exp(z).sum())))
    return mean(total)


def normface(alpha):
    return mean([-torch.log_softmax(alpha[0] * cosines_to(class_weights)[a], 0)[labels[a]] for a in range(B)])


def l2_softmax(alpha):
    z = lambda a: torch.stack([alpha * (class_weights[m] @ unit(features)[a]) + bias[m] for m in range(M)])
    return mean([torch.log(torch.exp(z(a)).sum()) - z(a)[labels[a]] for a in range(B)])


def centre(weight):
    """Before the first step: the centres are at zero."""
    z = lambda a: torch.stack([class_weights[m] @ features[a] + bias[m] for m in range(M)])
    return mean([torch.logsumexp(z(a), 0) - z(a)[labels[a]] + weight / 2 * features[a].pow(2).sum() for a in range(B)])


def easy_arcface(scale, margin):
    total = []
    for a in range(B):
        s = cosines_to(class_weights)[a]
        own = labels[a]
        z = torch.stack([scale * (torch.cos(torch.acos(s[m]) + margin) if m == own and s[m] > 0 else s[m]) for m in range(M)])
        total.append(torch.logsumexp(z, 0) - z[own])
    return mean(total)


def contrastive_squared(margin):
    pull = above_zero([distance(a, p) ** 2 for a, p in positive_pairs()])
    return pull + above_zero([(margin - distance(a, n)).relu() ** 2 for a, n in negative_pairs()])


def triplets_squared(margin):
    return above_zero([(distance(a, p) ** 2 - distance(a, n) ** 2 + margin).relu() for a, p in positive_pairs() for n in negatives(a)])


def n_pairs(regularisation):
    first = {m: [i for i in range(B) if labels[i] == m][:2] for m in range(M)}
    total = []
    for m, (a, p) in first.items():
        right = features[a] @ features[p]
        wrong = sum(torch.exp(features[a] @ features[q] - right) for k, (_, q) in first.items() if k != m)
        total.append(torch.log(1 + wrong) + regularisation / 2 * (features[a].pow(2).sum() + features[p].pow(2).sum()))
    return mean(total)


def hardnet(margin, spread_out):
    nearest = [min((distance(a, n) for n in negatives(a)), key=float) for a in range(B)]
    loss = mean([(margin + distance(a, p) - min(nearest[a], nearest[p], key=float)).relu() for a, p in positive_pairs()])
    cosines = [cosine(a, n) for a, n in negative_pairs()]
    return loss + spread_out * (mean(cosines) ** 2 + (mean([c**2 for c in cosines]) - 1 / D).relu())


def ranked_list(alpha, margin, warm, hot, imbalance):
    def weighted(excess, temperature):
        weights = [torch.exp(temperature * x) for x in excess]
        return sum(w * x for w, x in zip(weights, excess)) / sum(weights) if excess else torch.zeros(())

    total = []
    for a in range(B):
        far = [distance(a, p) - (alpha - margin) for p in positives(a) if distance(a, p) > alpha - margin]
        near = [alpha - distance(a, n) for n in negatives(a) if distance(a, n) < alpha]
        total.append((1 - imbalance) * weighted(far, warm) + imbalance * weighted(near, hot))
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


def decoupled(temperature):
    others = lambda a: torch.logsumexp(torch.stack([cosine(a, n) / temperature for n in negatives(a)]), 0)
    return mean([others(a) - cosine(a, p) / temperature for a, p in positive_pairs()])


def selectively_contrastive(temperature, weight, ceiling):
    total = []
    for a in range(B):
        if positives(a):
            p, n = (max((cosine(a, i) for i in of(a)), key=float) for of in (positives, negatives))
            easy = -torch.log_softmax(torch.stack([p, n]) / temperature, 0)[0]
            total.append(weight * n if n > p or n > ceiling else easy)
    return mean(total)


def recall_surrogate(ks, rank_temperature, temperature):
    total = []
    for a in range(B):
        if positives(a):
            ranks = [1 + sum(torch.sigmoid((cosine(a, z) - cosine(a, p)) / rank_temperature) for z in range(B) if z not in (a, p)) for p in positives(a)]
            recalls = [sum(torch.sigmoid((k - r) / temperature) for r in ranks).clamp(max=k) / min(k, len(ranks)) for k in ks]
            total.append(1 - mean(recalls))
    return mean(total)


def dynamic_soft_margin(bins):
    """The first batch, hardest negatives: the histogram is its own."""
    nearest = lambda i: min((distance(i, n) for n in negatives(i)), key=float)
    x = [distance(a, p) - min(nearest(a), nearest(p), key=float) for a, p in positive_pairs()]
    node = [(v.item() + 2) / 4 * (bins - 1) for v in x]
    histogram = [0.0] * (bins + 1)
    for at in node:
        histogram[int(at)] += 1 - (at - int(at))
        histogram[int(at) + 1] += at - int(at)
    return mean([v * sum(histogram[: int(at) + 1]) / len(x) for v, at in zip(x, node)])


def p2s_grad():
    s = cosines_to(class_weights)
    return mean([sum((s[a, m] - (1 if m == labels[a] else 0)) ** 2 for m in range(M)) / 2 for a in range(B)])


def margin_pairs(margin, nu):
    beta = lambda a: boundaries[labels[a]]
    pull = [(distance(a, p) - beta(a) + margin).relu() for a, p in positive_pairs()]
    push = [(beta(a) - distance(a, n) + margin).relu() for a, n in negative_pairs()]
    return above_zero(pull + push) + nu * mean([beta(a) for a in range(B)])


def facility_location(structure):
    """Greedy search and refinement with scikit-learn's NMI; the found medoids are constants."""
    with torch.no_grad():
        d = [[distance(i, j).item() if i != j else 0.0 for j in range(B)] for i in range(B)]
    assign = lambda medoids: [min(range(len(medoids)), key=lambda c: d[i][medoids[c]]) for i in range(B)]
    disagreement = lambda medoids: 1 - normalized_mutual_info_score(labels.tolist(), assign(medoids), average_method="geometric")
    # Rounded: either image of a cluster of two is as good a medoid, and the first is taken.
    score = lambda medoids: round(structure * disagreement(medoids) - sum(min(d[i][m] for m in medoids) for i in range(B)) / B, 11)

    medoids = []
    for _ in range(M):
        medoids.append(max((j for j in range(B) if j not in medoids), key=lambda j: score(medoids + [j])))
    for _ in range(5):
        before = score(medoids)
        for c in range(M):
            for j in [i for i, cluster in enumerate(assign(medoids)) if cluster == c]:
                trial = medoids[:c] + [j] + medoids[c + 1 :]
                if j not in medoids and score(trial) > score(medoids):
                    medoids = trial
        if score(medoids) <= before:
            break
    members = lambda m: [i for i in range(B) if labels[i] == m]
    held = {m: min(members(m), key=lambda j: sum(d[i][j] for i in members(m))) for m in range(M)}
    to = lambda i, j: distance(i, j) if i != j else torch.zeros((), dtype=torch.float64)
    own = mean([to(i, held[int(labels[i])]) for i in range(B)])
    wrong = mean([to(i, medoids[c]) for i, c in enumerate(assign(medoids))])
    return (own - wrong + structure * disagreement(medoids)).relu()


def spectral_clustering(ridge):
    f = unit(features)
    spanned = f @ torch.linalg.inv(f.t() @ f + ridge * B / D * torch.eye(D, dtype=torch.float64)) @ f.t()
    classes = torch.stack([torch.stack([(labels[i] == labels[j]).double() / (labels == labels[i]).sum() for j in range(B)]) for i in range(B)])
    return (spanned - classes).pow(2).sum() / M


def vicreg(invariance, variance, covariance):
    apart = mean([(features[a] - features[p]).pow(2).mean() for a, p in positive_pairs()])
    cov = torch.cov(features.t())
    narrow = mean([(1 - (cov[d, d] + 1e-4).sqrt()).relu() for d in range(D)])
    entangled = sum(cov[d, e] ** 2 for d in range(D) for e in range(D) if d != e) / D
    return invariance * apart + variance * narrow + covariance * entangled


def cosines_to(weights):
    return unit(features) @ unit(weights).t()


def proxy_nca_2017(scale):
    s = cosines_to(class_weights)
    others = lambda a: torch.log(sum(torch.exp(-scale * (2 - 2 * s[a, m])) for m in range(M) if m != labels[a]))
    return mean([scale * (2 - 2 * s[a, labels[a]]) + others(a) for a in range(B)])


def soft_triple(scale, gamma, margin, tau):
    s = cosines_to(centre_weights).reshape(B, M, K)
    similarity = lambda a, m: sum(torch.softmax(s[a, m] / gamma, 0)[k] * s[a, m, k] for k in range(K))
    total = []
    for a in range(B):
        z = torch.stack([scale * (similarity(a, m) - (margin if m == labels[a] else 0)) for m in range(M)])
        total.append(torch.logsumexp(z, 0) - z[labels[a]])
    w = unit(centre_weights).reshape(M, K, D)
    spread = sum((w[m, k] - w[m, l]).pow(2).sum().sqrt() for m in range(M) for k in range(K) for l in range(k + 1, K))
    return mean(total) + tau * spread / (M * K * (K - 1))


def annealed(margin, mix, lengths):
    """sphereface and l-softmax with the plain cosine mixed in at mix : 1."""
    s, norm, weight_norm = cosines_to(class_weights), features.norm(dim=1), class_weights.norm(dim=1)
    total = []
    for a in range(B):
        own = labels[a]
        k = math.floor(margin * math.acos(s[a, own].item()) / math.pi)
        psi = (-1) ** k * torch.cos(margin * torch.acos(s[a, own])) - 2 * k
        target = (mix * s[a, own] + psi) / (1 + mix)
        z = torch.stack([norm[a] * (weight_norm[m] if lengths else 1) * (target if m == own else s[a, m]) for m in range(M)])
        total.append(torch.logsumexp(z, 0) - z[own])
    return mean(total)
