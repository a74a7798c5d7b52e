#!/usr/bin/env python3
"""J of the written picture after so many steps of L-BFGS, ours and torch.optim's.

    bench/look/descent.py ./nstfilter OUT --pair CONTENT STYLE … [--pairs FILE]

Both begin with the photo, at one size, with VGG-16, the same style, weights and terms:
J = Σ λ_l J_l + α/2 mean ‖Δ relu4_2‖² + TV, λ ∝ 64 : 16 : 4 : 1 : 1 and Σ λ_l J_l(0) = 5;
ours with the term that keeps colours within what can be shown, and torch's with and
without. J is evaluated by torch, of the PNG that each writes.
"""
import subprocess
import sys
from pathlib import Path

import torch

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parent)]
from judge import CONTENT, STYLE, gram, style_distance
from pictures import parse, parser, read, within, write

ALPHA, TV, GAMUT = 0.15, 10, 100
FLAGS = ["--network", "vgg16", "--min-size", "0", "--init", "content", "--margin", "0", "--style-loss", "gram", "--style-sizes", "1",
         "--layer-reach", "100", "--style-layers", ",".join(f"{n}:{k}" for n, k in STYLE.items()), "--no-style-colors",
         "--content-weight", str(ALPHA), "--tv-weight", str(TV), "--gamut-weight", str(GAMUT), "--precision", "fp32"]


class Objective:
    def __init__(self, net, content, style):
        self.net = net
        with torch.no_grad():
            self.content, self.style = net.activations(content)[CONTENT], net.grams(style)

    def __call__(self, x, gamut=0):
        got = self.net.activations(x)
        j = 5 * style_distance({n: gram(got[n]) for n in STYLE}, self.style)
        j = j + ALPHA / 2 * (got[CONTENT] - self.content).square().mean()
        pixels = x[0].numel()
        j = j + TV / 2 * ((x[:, 1:] - x[:, :-1]).square().sum() + (x[:, :, 1:] - x[:, :, :-1]).square().sum()) / (3 * pixels)
        return j + gamut / 2 * (x - x.clamp(0, 1)).square().mean()


def torch_paints(objective, start, steps, gamut):
    x = start.clone().requires_grad_(True)
    optimizer = torch.optim.LBFGS([x], max_iter=steps, max_eval=10 * steps, history_size=10, line_search_fn="strong_wolfe",
                                  tolerance_grad=0, tolerance_change=0)
    evaluations = 0

    def loss():
        nonlocal evaluations
        evaluations += 1
        optimizer.zero_grad()
        j = objective(x, gamut)
        j.backward()
        x.grad = x.grad.contiguous()
        return j

    optimizer.step(loss)
    return x.detach(), evaluations


def main():
    p = parser(__doc__, size=384)
    p.add_argument("--steps", type=int, nargs="+", default=[10, 25, 50])
    a = parse(p)
    a.out.mkdir(parents=True, exist_ok=True)
    print("| pair | steps | ours | torch, kept within | torch, clipped in the end (its evaluations) |\n|---|---|---|---|---|")
    for content, style, _ in a.pairs:
        size = within(content, a.size)
        pictures = {name: a.out / f"{name}.png" for name in ("content", "style", "ours", "torch")}
        for name, path in ("content", content), ("style", style):  # so that nobody has to resize them
            write(pictures[name], read(path, size))
        start = read(pictures["content"])
        objective = Objective(a.judge, start, read(pictures["style"]))

        def written(picture):
            write(pictures["torch"], picture.clamp(0, 1))
            return of(pictures["torch"])

        def of(path):
            with torch.no_grad():
                return float(objective(read(path)))

        for steps in a.steps:
            subprocess.run([a.program, "-y", "--progress", "none", "--style", pictures["style"], *FLAGS, "--iterations", str(steps),
                            pictures["content"], pictures["ours"]], check=True, stderr=subprocess.DEVNULL)
            within_it, _ = torch_paints(objective, start, steps, GAMUT)
            clipped, evaluations = torch_paints(objective, start, steps, 0)
            print(f"| {Path(content).stem} × {Path(style).stem} | {steps} | {of(pictures['ours']):.4f} | {written(within_it):.4f} "
                  f"| {written(clipped):.4f} ({evaluations}) |", flush=True)


main()
