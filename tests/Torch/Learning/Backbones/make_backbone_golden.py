"""Writes backbone-golden.json: what the same networks answer in plain PyTorch, for the tests to compare with.

    /usr/bin/python3 make_backbone_golden.py        (made with torch 1.13.1)

Each network is written here once more, from its paper and with the names that torchvision (timm for the transformer, the Caffe conversion for
BN-Inception) gives to its tensors. Weights are a function of a tensor's name and each element's index, which the tests compute too: no file of
weights is needed, and a wrong name gives wrong numbers.
"""
import json
import math
import os

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

torch.set_num_threads(2)


def numbers(name, count):
    """From -1 to 1, by FNV-1a of the name and MurmurHash3's finaliser of the index."""
    seed = 2166136261
    for byte in name.encode():
        seed = (seed ^ byte) * 16777619 & 0xFFFFFFFF
    with np.errstate(over="ignore"):
        x = np.arange(count, dtype=np.uint32) * np.uint32(2654435761) + np.uint32(seed)
        x ^= x >> np.uint32(16)
        x *= np.uint32(0x85EBCA6B)
        x ^= x >> np.uint32(13)
        x *= np.uint32(0xC2B2AE35)
        x ^= x >> np.uint32(16)
    return x.astype(np.float64) / 2**31 - 1


def fill(net):
    for name, value in net.state_dict().items():
        if name.endswith("num_batches_tracked"):
            continue
        u = torch.from_numpy(numbers(name, value.numel())).view(value.shape)
        if value.ndim in (2, 4):
            u = u * math.sqrt(6 / (value.numel() // value.shape[0]))
        elif value.ndim == 3:
            u = u * 0.1
        elif name.endswith("running_var"):
            u = 1 + 0.5 * u
        elif name.endswith("weight"):
            u = 1 + 0.2 * u
        else:
            u = 0.1 * u
        value.copy_(u)


def count(net):
    return sum(parameter.numel() for parameter in net.parameters())


# ---- He et al. 2015 ----
class Residual(nn.Module):
    def __init__(self, inputs, width, stride, bottleneck):
        super().__init__()
        outputs = width * 4 if bottleneck else width
        if bottleneck:
            kernels = [(inputs, width, 1, 1), (width, width, 3, stride), (width, outputs, 1, 1)]
        else:
            kernels = [(inputs, width, 3, stride), (width, width, 3, 1)]
        self.steps = len(kernels)
        for i, (a, b, k, s) in enumerate(kernels, 1):
            setattr(self, f"conv{i}", nn.Conv2d(a, b, k, s, k // 2, bias=False))
            setattr(self, f"bn{i}", nn.BatchNorm2d(b))
        self.downsample = None
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        way = x if self.downsample is None else self.downsample(x)
        for i in range(1, self.steps + 1):
            x = getattr(self, f"bn{i}")(getattr(self, f"conv{i}")(x))
            x = F.relu(x + way if i == self.steps else x)
        return x


def resnet(depths, bottleneck):
    net = nn.Sequential()
    net.add_module("conv1", nn.Conv2d(3, 64, 7, 2, 3, bias=False))
    net.add_module("bn1", nn.BatchNorm2d(64))
    net.add_module("relu", nn.ReLU())
    net.add_module("maxpool", nn.MaxPool2d(3, 2, 1))
    inputs = 64
    for stage, depth in enumerate(depths):
        layer = nn.Sequential()
        for i in range(depth):
            layer.add_module(str(i), Residual(inputs, 64 << stage, 2 if stage and not i else 1, bottleneck))
            inputs = (64 << stage) * (4 if bottleneck else 1)
        net.add_module(f"layer{stage + 1}", layer)
    return net


# ---- Szegedy et al. 2014 ----
class Basic(nn.Module):
    def __init__(self, inputs, outputs, kernel, stride=1):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)
        self.bn = nn.BatchNorm2d(outputs, eps=0.001)

    def forward(self, x):
        return F.relu(self.bn(self.conv(x)))


class Inception(nn.Module):
    def __init__(self, n, a, b1, b2, c1, c2, d):
        super().__init__()
        self.branch1 = Basic(n, a, 1)
        self.branch2 = nn.Sequential(Basic(n, b1, 1), Basic(b1, b2, 3))
        self.branch3 = nn.Sequential(Basic(n, c1, 1), Basic(c1, c2, 3))
        self.branch4 = nn.Sequential(nn.MaxPool2d(3, 1, 1, ceil_mode=True), Basic(n, d, 1))

    def forward(self, x):
        return torch.cat([self.branch1(x), self.branch2(x), self.branch3(x), self.branch4(x)], 1)


def googlenet():
    net = nn.Sequential()
    add = net.add_module
    add("conv1", Basic(3, 64, 7, 2))
    add("maxpool1", nn.MaxPool2d(3, 2, ceil_mode=True))
    add("conv2", Basic(64, 64, 1))
    add("conv3", Basic(64, 192, 3))
    add("maxpool2", nn.MaxPool2d(3, 2, ceil_mode=True))
    add("inception3a", Inception(192, 64, 96, 128, 16, 32, 32))
    add("inception3b", Inception(256, 128, 128, 192, 32, 96, 64))
    add("maxpool3", nn.MaxPool2d(3, 2, ceil_mode=True))
    add("inception4a", Inception(480, 192, 96, 208, 16, 48, 64))
    add("inception4b", Inception(512, 160, 112, 224, 24, 64, 64))
    add("inception4c", Inception(512, 128, 128, 256, 24, 64, 64))
    add("inception4d", Inception(512, 112, 144, 288, 32, 64, 64))
    add("inception4e", Inception(528, 256, 160, 320, 32, 128, 128))
    add("maxpool4", nn.MaxPool2d(2, 2, ceil_mode=True))
    add("inception5a", Inception(832, 256, 160, 320, 32, 128, 128))
    add("inception5b", Inception(832, 384, 192, 384, 48, 128, 128))
    return net


# ---- Ioffe and Szegedy 2015 ----
class BnInception(nn.Module):
    # name: 1x1, 3x3 (reduce, out), double 3x3 (reduce, out), pool projection; without 1x1: stride 2
    table = [("3a", 64, (64, 64), (64, 96), 32), ("3b", 64, (64, 96), (64, 96), 64), ("3c", None, (128, 160), (64, 96), None),
             ("4a", 224, (64, 96), (96, 128), 128), ("4b", 192, (96, 128), (96, 128), 128), ("4c", 160, (128, 160), (128, 160), 128),
             ("4d", 96, (128, 192), (160, 192), 128), ("4e", None, (128, 192), (192, 256), None),
             ("5a", 352, (192, 320), (160, 224), 128), ("5b", 352, (192, 320), (192, 224), 128)]

    def __init__(self):
        super().__init__()
        self.conv("conv1_7x7_s2", 3, 64, 7, 2)
        self.conv("conv2_3x3_reduce", 64, 64, 1)
        self.conv("conv2_3x3", 64, 192, 3)
        n = 192
        for name, plain, single, double, pooled in self.table:
            name, stride = f"inception_{name}", 1 if plain else 2
            if plain:
                self.conv(f"{name}_1x1", n, plain, 1)
            self.conv(f"{name}_3x3_reduce", n, single[0], 1)
            self.conv(f"{name}_3x3", single[0], single[1], 3, stride)
            self.conv(f"{name}_double_3x3_reduce", n, double[0], 1)
            self.conv(f"{name}_double_3x3_1", double[0], double[1], 3)
            self.conv(f"{name}_double_3x3_2", double[1], double[1], 3, stride)
            if pooled:
                self.conv(f"{name}_pool_proj", n, pooled, 1)
            n = (plain or 0) + single[1] + double[1] + (pooled or n)

    def conv(self, name, inputs, outputs, kernel, stride=1):
        self.add_module(name, nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2))
        self.add_module(name + "_bn", nn.BatchNorm2d(outputs))

    def run(self, name, x):
        return F.relu(getattr(self, name + "_bn")(getattr(self, name)(x)))

    def forward(self, x):
        x = F.max_pool2d(self.run("conv1_7x7_s2", x), 3, 2, ceil_mode=True)
        x = F.max_pool2d(self.run("conv2_3x3", self.run("conv2_3x3_reduce", x)), 3, 2, ceil_mode=True)
        for name, plain, _, _, pooled in self.table:
            full = f"inception_{name}"
            parts = [self.run(f"{full}_1x1", x)] if plain else []
            parts.append(self.run(f"{full}_3x3", self.run(f"{full}_3x3_reduce", x)))
            parts.append(self.run(f"{full}_double_3x3_2", self.run(f"{full}_double_3x3_1", self.run(f"{full}_double_3x3_reduce", x))))
            if not pooled:
                parts.append(F.max_pool2d(x, 3, 2, ceil_mode=True))
            else:
                pool = F.max_pool2d(x, 3, 1, 1, ceil_mode=True) if name == "5b" else F.avg_pool2d(x, 3, 1, 1, True, True)
                parts.append(self.run(f"{full}_pool_proj", pool))
            x = torch.cat(parts, 1)
        return x


# ---- Howard et al. 2019, Tan and Le 2019 ----
def step(inputs, outputs, kernel, stride, groups, act, **norm):
    layers = [nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False), nn.BatchNorm2d(outputs, **norm)]
    return nn.Sequential(*layers, *([act()] if act else []))


class Squeeze(nn.Module):
    def __init__(self, width, narrow, act, gate):
        super().__init__()
        self.fc1, self.fc2, self.act, self.gate = nn.Conv2d(width, narrow, 1), nn.Conv2d(narrow, width, 1), act(), gate()

    def forward(self, x):
        return x * self.gate(self.fc2(self.act(self.fc1(F.adaptive_avg_pool2d(x, 1)))))


class Mobile(nn.Module):
    def __init__(self, inputs, kernel, inner, outputs, narrow, act, stride, squeeze_act, gate, **norm):
        super().__init__()
        layers = [step(inputs, inner, 1, 1, 1, act, **norm)] if inner != inputs else []
        layers.append(step(inner, inner, kernel, stride, inner, act, **norm))
        if narrow:
            layers.append(Squeeze(inner, narrow, squeeze_act, gate))
        layers.append(step(inner, outputs, 1, 1, 1, None, **norm))
        self.block = nn.Sequential(*layers)
        self.around = stride == 1 and inputs == outputs

    def forward(self, x):
        return x + self.block(x) if self.around else self.block(x)


def divisible(value):
    near = max(8, int(value + 4) // 8 * 8)
    return near + 8 if near < 0.9 * value else near


def mobilenet(rows):
    norm = dict(eps=0.001, momentum=0.01)
    layers = [step(3, 16, 3, 2, 1, nn.Hardswish, **norm)]
    inputs = 16
    for kernel, inner, outputs, squeeze, act, stride in rows:
        layers.append(Mobile(inputs, kernel, inner, outputs, divisible(inner // 4) if squeeze else 0, {"RE": nn.ReLU, "HS": nn.Hardswish}[act], stride,
                             nn.ReLU, nn.Hardsigmoid, **norm))
        inputs = outputs
    layers.append(step(inputs, 6 * inputs, 1, 1, 1, nn.Hardswish, **norm))
    net = nn.Sequential()
    net.add_module("features", nn.Sequential(*layers))
    return net


LARGE = [(3, 16, 16, 0, "RE", 1), (3, 64, 24, 0, "RE", 2), (3, 72, 24, 0, "RE", 1), (5, 72, 40, 1, "RE", 2), (5, 120, 40, 1, "RE", 1), (5, 120, 40, 1, "RE", 1),
         (3, 240, 80, 0, "HS", 2), (3, 200, 80, 0, "HS", 1), (3, 184, 80, 0, "HS", 1), (3, 184, 80, 0, "HS", 1), (3, 480, 112, 1, "HS", 1),
         (3, 672, 112, 1, "HS", 1), (5, 672, 160, 1, "HS", 2), (5, 960, 160, 1, "HS", 1), (5, 960, 160, 1, "HS", 1)]
SMALL = [(3, 16, 16, 1, "RE", 2), (3, 72, 24, 0, "RE", 2), (3, 88, 24, 0, "RE", 1), (5, 96, 40, 1, "HS", 2), (5, 240, 40, 1, "HS", 1), (5, 240, 40, 1, "HS", 1),
         (5, 120, 48, 1, "HS", 1), (5, 144, 48, 1, "HS", 1), (5, 288, 96, 1, "HS", 2), (5, 576, 96, 1, "HS", 1), (5, 576, 96, 1, "HS", 1)]


def efficientnet():
    layers = [step(3, 32, 3, 2, 1, nn.SiLU)]
    for widen, kernel, stride, inputs, outputs, depth in [(1, 3, 1, 32, 16, 1), (6, 3, 2, 16, 24, 2), (6, 5, 2, 24, 40, 2), (6, 3, 2, 40, 80, 3),
                                                          (6, 5, 1, 80, 112, 3), (6, 5, 2, 112, 192, 4), (6, 3, 1, 192, 320, 1)]:
        stage = []
        for i in range(depth):
            n = outputs if i else inputs
            stage.append(Mobile(n, kernel, n * widen, outputs, max(1, n // 4), nn.SiLU, 1 if i else stride, nn.SiLU, nn.Sigmoid))
        layers.append(nn.Sequential(*stage))
    layers.append(step(320, 1280, 1, 1, 1, nn.SiLU))
    net = nn.Sequential()
    net.add_module("features", nn.Sequential(*layers))
    return net


# ---- Dosovitskiy et al. 2020 ----
class Part(nn.Module):
    def __init__(self, **parts):
        super().__init__()
        for name, part in parts.items():
            self.add_module(name, part)


class Transformer(nn.Module):
    def __init__(self, size, width=384, depth=12, heads=6):
        super().__init__()
        self.heads = heads
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + (size // 16) ** 2, width))
        self.patch_embed = Part(proj=nn.Conv2d(3, width, 16, 16))
        self.blocks = nn.ModuleList([Part(
            norm1=nn.LayerNorm(width, eps=1e-6), attn=Part(qkv=nn.Linear(width, 3 * width), proj=nn.Linear(width, width)),
            norm2=nn.LayerNorm(width, eps=1e-6), mlp=Part(fc1=nn.Linear(width, 4 * width), fc2=nn.Linear(4 * width, width))) for _ in range(depth)])
        self.norm = nn.LayerNorm(width, eps=1e-6)

    def attend(self, part, x):
        b, n, d = x.shape
        q, k, v = (t.view(b, n, self.heads, d // self.heads).transpose(1, 2) for t in part.qkv(x).split(d, dim=2))
        weights = torch.softmax(q @ k.transpose(2, 3) / math.sqrt(d // self.heads), dim=-1)
        return part.proj((weights @ v).transpose(1, 2).reshape(b, n, d))

    def forward(self, x):
        patches = self.patch_embed.proj(x)
        x = torch.cat([self.cls_token.expand(x.shape[0], -1, -1), patches.flatten(2).transpose(1, 2)], 1) + self.pos_embed
        for block in self.blocks:
            x = x + self.attend(block.attn, block.norm1(x))
            x = x + block.mlp.fc2(F.gelu(block.mlp.fc1(block.norm2(x))))
        return self.norm(x)


def linear(inputs, outputs):
    return inputs * outputs + outputs


# Parameters as published, with classifiers of 1,000 classes.
networks = {
    "resnet18": (resnet([2, 2, 2, 2], False), 11_689_512, linear(512, 1000)),
    "resnet34": (resnet([3, 4, 6, 3], False), 21_797_672, linear(512, 1000)),
    "resnet50": (resnet([3, 4, 6, 3], True), 25_557_032, linear(2048, 1000)),
    "googlenet": (googlenet(), 6_624_904, linear(1024, 1000)),
    "bn-inception": (BnInception(), 11_295_240, linear(1024, 1000)),
    "mobilenet-v3-large": (mobilenet(LARGE), 5_483_032, linear(960, 1280) + linear(1280, 1000)),
    "mobilenet-v3-small": (mobilenet(SMALL), 2_542_856, linear(576, 1024) + linear(1024, 1000)),
    "efficientnet-b0": (efficientnet(), 5_288_548, linear(1280, 1000)),
    "vit-s16": (Transformer(224), 22_050_664, linear(384, 1000)),
}
SIZE = 64
image = torch.from_numpy(numbers("image", 2 * 3 * SIZE * SIZE)).view(2, 3, SIZE, SIZE).float()
golden = {}
for name, (net, published, classifier) in networks.items():
    assert count(net) + classifier == published, f"{name}: {count(net)} + {classifier} is not {published}"
    if name == "vit-s16":
        net = Transformer(SIZE)
    with torch.no_grad():
        fill(net)
        net.eval()
        out = net(image)
        features = out.mean(dim=(2, 3)) if out.ndim == 4 else out[:, 0]
        golden[name] = {"shape": list(out.shape), "values": [round(v, 9) for v in features.double().flatten()[::37].tolist()],
                        "norm": features.double().norm().item()}
        if out.ndim == 3:
            golden[name]["patches"] = [round(v, 9) for v in out[:, 1:].mean(dim=1).double().flatten()[::37].tolist()]
    print(f"{name}: {count(net):,} parameters, output {list(out.shape)}, norm {golden[name]['norm']:.4f}")
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "backbone-golden.json"), "w") as file:
    json.dump(golden, file, separators=(",", ":"))
    file.write("\n")
