"""Writes golden.safetensors: what PyTorch itself answers, for the tests to compare with.

    /usr/bin/python3 make_golden.py        (made with torch 1.13.1, one thread)
"""
import json
import struct

import torch
import torch.nn.functional as F
from torch import nn, optim

torch.set_num_threads(1)
golden = {}


def keep(name, value):
    golden[name] = value.detach().clone().contiguous()


def write(path):
    types = {torch.float32: "F32", torch.float64: "F64", torch.int64: "I64", torch.bool: "BOOL", torch.uint8: "U8"}
    header, data = {}, b""
    for name, value in sorted(golden.items(), key=lambda item: (-item[1].element_size(), item[0])):
        raw = value.numpy().tobytes()
        header[name] = {"dtype": types[value.dtype], "shape": list(value.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


# ---- operators ----
torch.manual_seed(1)
a, b = torch.randn(3, 4), torch.randn(3, 4)
p = torch.rand(3, 4) + 0.5
m, batch = torch.randn(4, 5), torch.randn(3, 4, 2)
image = torch.rand(1, 2, 6, 8)
index = torch.tensor([2, 0, 1])
classes = torch.tensor([1, 0, 3])
mask = a > 0
for name, value in dict(a=a, b=b, p=p, m=m, batch=batch, image=image, index=index, classes=classes, mask=mask).items():
    keep("in." + name, value)

ops = dict(
    add=a + b, sub=a - b, mul=a * b, div=a / p, mod=p % 0.3, neg=-a, add_scalar=a + 2.5, rsub=1 - a, rdiv=2 / p, mul_int=a * 3,
    matmul=a.matmul(m), mm=a.mm(m), t=a.t(), bmm=batch.transpose(1, 2).bmm(batch), einsum=torch.einsum("ij,kj->ik", a, b),
    cdist=torch.cdist(a, b), cdist1=torch.cdist(a, b, p=1.0),
    exp=a.exp(), log=p.log(), log1p=p.log1p(), sqrt=p.sqrt(), rsqrt=p.rsqrt(), abs=a.abs(), sigmoid=a.sigmoid(), tanh=a.tanh(),
    relu=a.relu(), pow=p.pow(1.5), pow_tensor=p.pow(b), clamp=a.clamp(-0.5, 0.5), clamp_min=a.clamp_min(0.1),
    masked_fill=a.masked_fill(mask, -9.0), where=torch.where(mask, a, b), eq=a == b, lt=a < b, ge=a >= 0,
    logical=(a > 0).logical_and(b > 0).logical_or(~(p > 1)), xor=(a > 0) ^ (b > 0),
    sum=a.sum(), sum_dim=a.sum(1, keepdim=True), mean=a.mean(), mean_dim=a.mean([0]), max=a.max(), max_dim=a.max(1)[0],
    max_index=a.max(1)[1], min_dim=a.min(0)[0], amax=a.amax([1]), argmax=a.argmax(1), norm=a.norm(), norm1=a.norm(p=1),
    norm_dim=a.norm(dim=1), std=a.std(1), var=a.var(0, unbiased=False), logsumexp=a.logsumexp(1), softmax=a.softmax(1),
    log_softmax=a.log_softmax(0), topk=a.topk(2)[0], topk_index=a.topk(2)[1], sort=a.sort(1, descending=True)[0],
    argsort=a.argsort(1), gather=a.gather(1, index.view(3, 1)), index_select=a.index_select(0, index),
    scatter=torch.zeros(3, 4).scatter(1, index.view(3, 1), a), scatter_add=torch.zeros(3, 4).scatter_add(0, index.view(3, 1).expand(3, 4), a),
    index_add=torch.zeros(3, 4).index_add_(0, index, a, alpha=2), unique=torch.tensor([3, 1, 3, 2, 1]).unique(),
    unique_counts=torch.tensor([3, 1, 3, 2, 1]).unique(return_counts=True)[1], nonzero=mask.nonzero(),
    row=a[1], element=a[1, 2], slice=a[:, 1:3], masked=a[mask], chosen=a[index], stride=a[::2],
    cat=torch.cat([a, b], 1), stack=torch.stack([a, b]), split=a.split(3, 1)[1], chunk=a.chunk(2, 1)[1], permute=batch.permute(2, 0, 1),
    flatten=batch.flatten(1), expand=a[:, :1].expand(3, 4), squeeze=a.unsqueeze(1).squeeze(1), arange=torch.arange(2, 9, 3),
    eye=torch.eye(3, 4), cumsum=a.cumsum(1), triu=a.triu(), to_int=(a * 3).to(torch.int64), repeat=a.repeat(2, 1),
    normalize=F.normalize(a, dim=1), cross_entropy=F.cross_entropy(a, classes), smoothed=F.cross_entropy(a, classes, label_smoothing=0.1),
    cross_entropy_none=F.cross_entropy(a, classes, reduction="none"), one_hot=F.one_hot(classes, 5), linear=F.linear(a, m.t()),
    cosine=F.cosine_similarity(a, b), softplus=F.softplus(a), interpolate=F.interpolate(image, size=(3, 4), mode="bilinear", antialias=True),
    bilinear=F.interpolate(image, size=(9, 5), mode="bilinear"), nearest=F.interpolate(image, scale_factor=2.0),
    area=F.interpolate(image, size=(3, 4), mode="area"), avg_pool=F.avg_pool2d(image, 2), pad=F.pad(image, (1, 2, 0, 1), mode="reflect"),
)
for name, value in ops.items():
    keep("op." + name, value)

torch.manual_seed(42)
keep("random.randn", torch.randn(5))
keep("random.rand", torch.rand(2, 3))
keep("random.randint", torch.randint(0, 100, [6]))
keep("random.randperm", torch.randperm(10))
keep("random.kaiming", nn.init.kaiming_normal_(torch.empty(4, 3), mode="fan_out", nonlinearity="relu"))
keep("random.xavier", nn.init.xavier_uniform_(torch.empty(4, 3)))


# ---- a network and its training ----
def network():
    # No bias before a batch norm: its gradient is nothing but rounding, which Adam would blow up to full steps.
    torch.manual_seed(7)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(4, 6, 3, stride=2, padding=1), nn.ReLU(), nn.BatchNorm2d(6), nn.AdaptiveAvgPool2d(1),
        nn.Flatten(), nn.Linear(6, 5))


def loss_of(net):
    embedding = F.normalize(net(pictures))
    return embedding, F.cross_entropy(embedding @ prototypes * 10, labels, label_smoothing=0.1)


torch.manual_seed(3)
pictures, prototypes, labels = torch.rand(8, 1, 12, 12), torch.randn(5, 3), torch.randint(0, 3, [8])
keep("net.pictures", pictures)
keep("net.prototypes", prototypes)
keep("net.labels", labels)
net = network()
for name, value in net.state_dict().items():
    keep("net.start." + name, value)
embedding, loss = loss_of(net)
loss.backward()
keep("net.embedding", embedding)
keep("net.loss", loss)
for name, parameter in net.named_parameters():
    keep("net.grad." + name, parameter.grad)

optimisers = dict(
    adamw=lambda ps: optim.AdamW(ps, lr=1e-2, weight_decay=0.05),
    adam=lambda ps: optim.Adam(ps, lr=1e-2, weight_decay=0.01, amsgrad=True),
    sgd=lambda ps: optim.SGD(ps, lr=0.05, momentum=0.9, weight_decay=1e-3),
    nesterov=lambda ps: optim.SGD(ps, lr=0.05, momentum=0.9, weight_decay=1e-3, nesterov=True),
    plain=lambda ps: optim.SGD(ps, lr=0.05),
    damped=lambda ps: optim.Adam(ps, lr=1e-2, weight_decay=0.01, eps=0.01),
    rmsprop=lambda ps: optim.RMSprop(ps, lr=1e-3, weight_decay=0.01, momentum=0.9),
    still=lambda ps: optim.RMSprop(ps, lr=1e-3, eps=1e-4))
for key, make in optimisers.items():
    net = network()
    optimiser = make(net.parameters())
    losses = []
    for _ in range(5):
        optimiser.zero_grad()
        _, loss = loss_of(net)
        loss.backward()
        optimiser.step()
        losses.append(loss.detach())
    keep(f"{key}.losses", torch.stack(losses))
    for name, value in net.state_dict().items():
        keep(f"{key}.end.{name}", value)
    net.eval()
    keep(f"{key}.eval", net(pictures))

net = network()
loss_of(net)[1].backward()
keep("clip.norm", nn.utils.clip_grad_norm_(net.parameters(), 0.1))
keep("clip.grad", net[0].weight.grad)

# ---- schedules ----
schedules = dict(
    step=lambda o: optim.lr_scheduler.StepLR(o, 3, 0.5),
    multistep=lambda o: optim.lr_scheduler.MultiStepLR(o, [2, 5], 0.1),
    exponential=lambda o: optim.lr_scheduler.ExponentialLR(o, 0.9),
    lambda_=lambda o: optim.lr_scheduler.LambdaLR(o, lambda e: 1 / (1 + e)),
    linear=lambda o: optim.lr_scheduler.LinearLR(o, 0.25, 1.0, 4),
    cosine=lambda o: optim.lr_scheduler.CosineAnnealingLR(o, 10, 0.01),
    onecycle=lambda o: optim.lr_scheduler.OneCycleLR(o, 0.3, total_steps=11),
    sequential=lambda o: optim.lr_scheduler.SequentialLR(
        o, [optim.lr_scheduler.LinearLR(o, 0.25, 1.0, 3), optim.lr_scheduler.CosineAnnealingLR(o, 8)], [3]))
for key, make in schedules.items():
    optimiser = optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.2, momentum=0.9)
    schedule = make(optimiser)
    rates = [optimiser.param_groups[0]["lr"]]
    for _ in range(9):
        optimiser.step()
        schedule.step()
        rates.append(optimiser.param_groups[0]["lr"])
    keep("schedule." + key, torch.tensor(rates, dtype=torch.float64))

write("golden.safetensors")
