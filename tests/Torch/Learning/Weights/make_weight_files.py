"""Writes the small files of PyTorch that the tests read, and what they hold as expected.json.

    /usr/bin/python3 make_weight_files.py        (made with torch 1.13.1)
"""
import json
import os
from collections import OrderedDict

import torch
from torch import nn

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "Files")
os.makedirs(FOLDER, exist_ok=True)
torch.manual_seed(5)
expected = {}


def keep(name, tensors):
    names = {torch.float64: "Float64", torch.float32: "Float32", torch.float16: "Float16", torch.bfloat16: "BFloat16", torch.int64: "Int64",
             torch.int32: "Int32", torch.int16: "Int16", torch.int8: "Int8", torch.uint8: "Byte", torch.bool: "Bool"}
    expected[name] = {key: {"type": names[value.dtype], "shape": list(value.shape), "values": value.detach().double().flatten().tolist()}
                      for key, value in tensors.items()}


def save(name, saved, tensors, **options):
    torch.save(saved, os.path.join(FOLDER, name), **options)
    keep(name, tensors)


class Tiny(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(2)
        self.fc = nn.Linear(2, 3)


net = Tiny()
net.bn1.running_mean += 0.25
state = net.state_dict()
save("state.pth", state, state)
save("state-legacy.pth", state, state, _use_new_zipfile_serialization=False)

types = {str(type).split(".")[1]: (torch.arange(6) - 2).to(type) for type in
         (torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16, torch.int8)}
types["uint8"] = torch.tensor([0, 1, 255], dtype=torch.uint8)
types["bool"] = torch.tensor([True, False, True])
types["scalar"] = torch.tensor(1.5)
types["empty"] = torch.zeros(0, 4)
save("types.pth", types, types)
save("types-legacy.pth", types, types, _use_new_zipfile_serialization=False)

base = torch.arange(24, dtype=torch.float32)
views = OrderedDict(all=base, tail=base[20:], table=base.view(4, 6), turned=base.view(4, 6).t(), every_third=base[1::3],
                    window=base.view(2, 3, 4)[:, 1:, 2:], repeated=base[3:5].view(2, 1).expand(2, 5))
save("views.pth", views, views)
save("views-legacy.pth", views, views, _use_new_zipfile_serialization=False)

optimiser = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
net.fc(torch.ones(1, 2)).sum().backward()
optimiser.step()
state = {"module." + key: value for key, value in net.state_dict().items()}
save("checkpoint.pth", {"epoch": 3, "best": 0.5, "name": "tiny", "done": False, "lr": [0.1, 0.01], "at": (1, None), "big": 2 ** 40,
                        "state_dict": state, "optimizer": optimiser.state_dict()}, state)
save("checkpoint-legacy.pth", {"model": state, "optimizer": optimiser.state_dict()}, state, _use_new_zipfile_serialization=False)
parameters = OrderedDict(net.named_parameters())
save("parameters.pth", parameters, parameters)
save("protocol-4.pth", net.state_dict(), net.state_dict(), pickle_protocol=4)

json.dump(expected, open(os.path.join(FOLDER, "expected.json"), "w"), separators=(",", ":"))


class Command:
    def __reduce__(self):
        return os.system, ("echo run > ran-by-a-pickle",)


class Evaluation:
    def __reduce__(self):
        return eval, ("open('ran-by-a-pickle', 'w')",)


for name, thing in dict(system=Command(), eval=Evaluation()).items():
    for options in ({}, {"_use_new_zipfile_serialization": False}):
        ending = "-legacy.pth" if options else ".pth"
        torch.save({"conv1.weight": torch.ones(2), "hidden": thing}, os.path.join(FOLDER, f"hostile-{name}{ending}"), **options)
torch.save(nn.Linear(2, 3), os.path.join(FOLDER, "hostile-module.pth"))
