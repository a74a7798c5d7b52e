"""What VGG-16 with max pooling sees of a picture, whatever painted it.

Style is Σ k_l J_l / Σ k_l J_l(0) over relu1_1 … relu5_1, with J_l = ‖ΔGram‖² / (4 n_c²),
J_l(0) that of a picture whose Gram matrices are 0, and k = 64 : 16 : 4 : 1 : 1 as neural-style
has them (∝ 1/n_c²). Content is ‖Δa‖² / ‖a‖² at relu4_2. Colour is the Wasserstein-2 distance
of the RGB colours, taken as Gaussian. Smaller is nearer, of each. No figure replaces a look:
a picture of fine hatching has the lowest style, and the photo itself the lowest content.
"""
import json
import struct

import numpy as np
import torch
import torch.nn.functional as F

STYLE = {"relu1_1": 64, "relu2_1": 16, "relu3_1": 4, "relu4_1": 1, "relu5_1": 1}
CONTENT = "relu4_2"


class Judge:
    """VGG-16 from a file of nstfilter's. Pictures are (3, H, W) in [0,1]."""

    def __init__(self, path):
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

    def activations(self, picture):
        """Of every ReLU to relu5_1, (C, H', W')."""
        x = (picture[None] - self.mean) / self.std
        out = {}
        for name, weight, bias in self.convs:
            block, index = name[-3:].split("_")
            if index == "1" and block != "1":
                x = F.max_pool2d(x, 2)
            mode = "replicate" if name.endswith("1_1") else "constant"
            x = F.relu(F.conv2d(F.pad(x, (1, 1, 1, 1), mode), weight, bias))
            out[f"relu{block}_{index}"] = x[0]
            if name.endswith("5_1"):
                return out

    @torch.no_grad()
    def grams(self, picture):
        """What a style asks for."""
        return {n: gram(a) for n, a in self.activations(picture).items() if n in STYLE}

    @torch.no_grad()
    def losses(self, picture, content, style, area=None):
        """(style, content) of a picture, or of an area of it (H, W); style is what grams gave.
        None where the area is too small to judge."""
        return self.of_areas(picture, content, style, [area])[0]

    @torch.no_grad()
    def of_areas(self, picture, content, style, areas):
        """losses of each area; None is the whole picture."""
        got, want = self.activations(picture), self.activations(content)
        return [self.compare(got, want, style, area) for area in areas]

    def compare(self, got, want, style, area):
        """losses of activations."""
        masks = {n: fit(area, got[n]) for n in (*STYLE, CONTENT)}
        seen = [n for n, mask in masks.items() if mask is None or mask.sum() >= 4]
        grams = {n: gram(got[n], masks[n]) for n in STYLE if n in seen}
        mask = masks[CONTENT]
        if not grams or CONTENT not in seen:
            return None
        d, c = got[CONTENT] - want[CONTENT], want[CONTENT]
        if mask is not None:
            d, c = d[:, mask], c[:, mask]
        return float(style_distance(grams, style)), float(d.pow(2).sum() / c.pow(2).sum())


def style_distance(grams, style):
    """Style of the Gram matrices of some layers, all of them but where an area is small."""
    weight = {n: STYLE[n] / (4 * len(g) ** 2) for n, g in grams.items()}
    return sum(w * (grams[n] - style[n]).square().sum() for n, w in weight.items()) / sum(w * style[n].square().sum() for n, w in weight.items())


def gram(a, mask=None):
    a = a.flatten(1) if mask is None else a[:, mask]
    return a @ a.T / a.shape[1]


def fit(area, activation):
    """The positions more than half of which lie in the area."""
    if area is None:
        return None
    return F.adaptive_avg_pool2d(area.float()[None, None], activation.shape[-2:])[0, 0] > 0.5


def colour_distance(picture, style):
    """Wasserstein-2 of the colours of two pictures, in units of a sample's range."""
    p, q = picture.flatten(1).double(), style.flatten(1).double()
    a, b = torch.cov(p), torch.cov(q)

    def root(m):
        values, vectors = torch.linalg.eigh(m)
        return (vectors * values.clamp_min(0).sqrt()) @ vectors.T

    r = root(a)
    squared = (p.mean(1) - q.mean(1)).pow(2).sum() + torch.trace(a + b - 2 * root(r @ b @ r))
    return max(float(squared), 0) ** 0.5
