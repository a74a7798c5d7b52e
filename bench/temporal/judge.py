"""What VGG-16 sees: style and content loss of a picture or of an area of it."""
import json
import struct

import numpy as np
import torch
import torch.nn.functional as F

STYLE = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
CONTENT = "relu4_2"


class Judge:
    """VGG-16 with average pooling (Gatys 2015), from a file of nstfilter's."""

    def __init__(self, path, style):
        with open(path, "rb") as f:
            header = json.loads(f.read(struct.unpack("<Q", f.read(8))[0]))
            data = f.read()
        meta = header.pop("__metadata__")
        number = lambda text: torch.tensor([float(v) for v in text.split(",")]).reshape(1, 3, 1, 1)
        self.mean, self.std = number(meta["mean"]), number(meta["std"])
        kinds = {"F32": np.float32, "F16": np.float16}

        def tensor(name):
            t = header[name]
            a, b = t["data_offsets"]
            return torch.from_numpy(np.frombuffer(data[a:b], kinds[t["dtype"]]).reshape(t["shape"]).astype(np.float32))

        names = sorted(n[: -len(".weight")] for n in header if n.endswith(".weight"))
        self.convs = [(n, tensor(n + ".weight"), tensor(n + ".bias")) for n in names]
        self.style = {n: gram(a) for n, a in self.activations(style).items() if n in STYLE}

    @torch.no_grad()
    def activations(self, picture):
        x = (picture[None] - self.mean) / self.std
        out = {}
        for name, weight, bias in self.convs:
            block, index = name[-3:].split("_")
            if index == "1" and block != "1":
                x = F.avg_pool2d(x, 2)
            mode = "replicate" if name.endswith("1_1") else "constant"
            x = F.relu(F.conv2d(F.pad(x, (1, 1, 1, 1), mode), weight, bias))
            out[f"relu{block}_{index}"] = x[0]
            if name.endswith("5_1"):
                return out

    def losses(self, picture, content, area=None):
        """Style: mean over the layers of ‖Gram − style's‖² / ‖style's‖². Content:
        ‖a − a(content)‖² / ‖a(content)‖². None where the area is too small to judge."""
        got, want = self.activations(picture), self.activations(content)
        style = []
        for name in STYLE:
            mask = fit(area, got[name])
            if mask is not None and mask.sum() < 4:
                continue
            g, s = gram(got[name], mask), self.style[name]
            style.append(float((g - s).pow(2).sum() / s.pow(2).sum()))
        mask = fit(area, got[CONTENT])
        if not style or mask is not None and mask.sum() < 4:
            return None
        d, c = got[CONTENT] - want[CONTENT], want[CONTENT]
        if mask is not None:
            d, c = d[:, mask], c[:, mask]
        return float(np.mean(style)), float(d.pow(2).sum() / c.pow(2).sum())


def gram(a, mask=None):
    a = a.flatten(1) if mask is None else a[:, mask]
    return a @ a.T / a.shape[1]


def fit(area, activation):
    """The positions more than half of which lie in the area."""
    if area is None:
        return None
    return F.adaptive_avg_pool2d(area.float()[None, None], activation.shape[-2:])[0, 0] > 0.5
