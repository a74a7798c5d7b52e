#!/usr/bin/env python3
"""How long ours and neural-style's recipe take to come equally near content and style.

    bench/look/equal.py ./nstfilter OUT --pair CONTENT STYLE … [--pairs FILE]

The other is neural-style's recipe (Johnson 2015) in PyTorch on the same cores: VGG-16 with
max pooling, relu1_1 … relu5_1 and relu4_2 in its proportions, L-BFGS (torch.optim's, strong
Wolfe, history 100) from noise, at one size. J is what it minimises, in the judge's terms
(../judge.py): style + R × content, both relative; R is --content-weight. Ours minimises
another loss; both are judged by this one, as written to a PNG. Ours is a point for each of
--set, whole processes with their start. Theirs is a curve, without start, imports, targets
and the judge. It ends where it is nearer than all of ours.
"""
import sys
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parent)]
from judge import CONTENT, STYLE, gram, style_distance
from pictures import figures, paint, parse, parser, read, within, write

TV = 0.01  # next to nothing, as neural-style's 1e-3
SETS = ["draft=--preset draft", "standard=", "fine=--preset fine"]


class Recipe:
    """neural-style's optimisation of one picture."""

    def __init__(self, net, content, style, content_weight):
        self.net, self.content_weight, self.evaluations = net, content_weight, 0
        with torch.no_grad():
            self.content = net.activations(content)[CONTENT]
            self.style = net.grams(style)
        torch.manual_seed(1)
        noise = torch.randn_like(content) * 0.001 / 255  # about the mean colour, of Caffe's [0, 255]
        self.picture = (noise + net.mean[0]).requires_grad_(True)
        self.optimizer = torch.optim.LBFGS([self.picture], max_iter=1, history_size=100, line_search_fn="strong_wolfe",
                                           tolerance_grad=0, tolerance_change=0)

    def loss(self):
        self.evaluations += 1
        self.optimizer.zero_grad()
        got = self.net.activations(self.picture)
        style = style_distance({n: gram(got[n]) for n in STYLE}, self.style)
        content = (got[CONTENT] - self.content).square().sum() / self.content.square().sum()
        x = self.picture
        tv = (x[:, 1:] - x[:, :-1]).square().mean() + (x[:, :, 1:] - x[:, :, :-1]).square().mean()
        j = style + self.content_weight * content + TV * tv
        j.backward()
        self.picture.grad = self.picture.grad.contiguous()
        return j


def nearness(a, path, content, style):
    style, _, _, content, _ = figures(a.judge, path, content, style)
    return style + a.content_weight * content, style, content


def theirs(a, content, style, out, until):
    """Yields (seconds, evaluations, J, style, content) until J falls below until."""
    size = within(content, a.size)
    recipe = Recipe(a.judge, read(content, size), read(style, within(style, a.size)), a.content_weight)
    spent, done = 0.0, 0
    while done < a.iterations:
        begin = time.time()
        for _ in range(max(1, min(done // 8, 20))):
            recipe.optimizer.step(recipe.loss)
            done += 1
        spent += time.time() - begin
        write(out / "theirs.png", recipe.picture.detach().clamp(0, 1))
        near = nearness(a, out / "theirs.png", content, style)
        yield spent, recipe.evaluations, *near
        if near[0] < until:
            break


def ours(a, content, style, out):
    """Yields (seconds, name, J, style, content)."""
    for text in a.set or SETS:
        name, _, flags = text.partition("=")
        path = out / f"{name}.png"
        begin = time.time()
        paint(a, flags, content, style, path)
        yield time.time() - begin, name, *nearness(a, path, content, style)


def plot(path, title, curve, points):
    """J over seconds, both on logarithmic axes."""
    w, h, edge = 720, 440, 60
    every = [(s, j) for s, _, j in curve + points]
    (left, right), (low, high) = [(min(v) * 0.9, max(v) * 1.1) for v in zip(*every)]
    at = lambda s, j: (edge + (w - 2 * edge) * np.log(s / left) / np.log(right / left),
                       h - edge - (h - 2 * edge) * np.log(j / low) / np.log(high / low))
    image = Image.new("RGB", (w, h), "white")
    draw = ImageDraw.Draw(image)
    draw.rectangle((edge, edge, w - edge, h - edge), outline="gray")
    draw.text((edge, 20), f"{title}: J (judged by VGG-16) over seconds; line: neural-style's recipe in PyTorch, dots: nstfilter", "black")
    for s in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000):
        if left < s < right:
            x, _ = at(s, low)
            draw.line((x, h - edge, x, h - edge + 5), "gray")
            draw.text((x - 6, h - edge + 8), str(s), "gray")
    for j in (0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5):
        if low < j < high:
            _, y = at(left, j)
            draw.line((edge - 5, y, edge, y), "gray")
            draw.text((12, y - 6), str(j), "gray")
    draw.line([at(s, j) for s, _, j in curve], "firebrick", 2)
    for s, name, j in points:
        x, y = at(s, j)
        draw.ellipse((x - 4, y - 4, x + 4, y + 4), fill="navy")
        draw.text((x + 7, y - 6), name, "navy")
    image.save(path)


def main():
    p = parser(__doc__)
    p.add_argument("--iterations", type=int, default=500, help="at most, of the recipe (default 500)")
    p.add_argument("--content-weight", type=float, default=0.1, help="R (default 0.1: about what published pictures trade)")
    p.add_argument("--set", action="append", metavar="NAME=FLAGS", help="flags of nstfilter's to paint with (default: the presets)")
    a, ratios = parse(p), {}
    print("| pair | ours | seconds | J | style | content | theirs as near after | evaluations | ours / theirs |\n|---|---|---|---|---|---|---|---|---|")
    for content, style, _ in a.pairs:
        title = f"{Path(content).stem} × {Path(style).stem}"
        out = a.out / title.replace(" × ", "_")
        out.mkdir(parents=True, exist_ok=True)
        points = list(ours(a, content, style, out))
        curve = list(theirs(a, content, style, out, min(p[2] for p in points)))
        for seconds, name, near, *rest in points:
            spent, evaluations, *_ = next((c for c in curve if c[2] <= near), curve[-1])
            reached = curve[-1][2] <= near or any(c[2] <= near for c in curve)
            ratios.setdefault(name, []).append(seconds / spent)
            print(f"| {title} | {name} | {seconds:.1f} | {near:.4f} | {rest[0]:.4f} | {rest[1]:.3f} | {'' if reached else 'not in '}{spent:.0f} s | {evaluations} "
                  f"| {'' if reached else 'below '}{seconds / spent:.3f} |", flush=True)
        plot(out / "equal.png", title, [c[:3] for c in curve], [p[:3] for p in points])
    for name, values in ratios.items():
        print(f"| **median** | {name} | | | | | | | {np.median(values):.3f} |")


main()
