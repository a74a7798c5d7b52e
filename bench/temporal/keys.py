#!/usr/bin/env python3
"""How well paintings of single frames are carried along a film (--key): a table, and
strips of frames to look at.

    bench/temporal/keys.py ./nstfilter OUT --style STYLE --photos A B C

The key of a made sequence (sequences.py) is its frame 0 as the program paints it, with
shapes in flat colours drawn over, as no style gives them. Twenty frames on, the exact
flow says where each belongs. Measured is, with that one key
  edge    how far the shapes' edges are from there, in pixels: the point of a normal
          where the colour is half that of the shape; 5 where there is none. In
          brackets: of the key, warped by the exact flow, which is the floor
  colour  mean difference to the key, warped by the exact flow, of what frame 0 showed
          and is not within 2 pixels of an edge, in 1/255
  new     VGG-16's style (../judge.py) to the key, of what frame 0 did not show: over
          that of the frame painted by itself in the key's style, and over that of the
          key, warped by the exact flow with its border going on
and with a second key of frame 20, painted with another seed, that has the same shapes
  width   of the edges, from 10 to 90 % of the rise, in frame 10 over frame 2
  contrast  variance of the Laplacian of frame 10 over the mean of frames 0 and 20,
          where all three show the same, without edges
"""
import argparse
import sys
import tempfile
from pathlib import Path

import torch
import torch.nn.functional as F

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]
import sequences
from judge import Judge
from run import paint, sharpness, strip

FRAMES, LAST, MIDDLE, EARLY = 24, 20, 10, 2
REACH = 5  # pixels along a normal
BARS = {"edge": 1, "colour": 3, "width": 1.3, "contrast": 0.85, "over cold": 1.1, "over warp": 0.5}


def shapes(w, h):
    """Colours, and functions that give how far points (2, H, W) are inside of a shape."""
    def disc(x, y, r):
        return lambda q: r - ((q[0] - x) ** 2 + (q[1] - y) ** 2).sqrt()

    def box(x0, y0, x1, y1):
        return lambda q: torch.minimum(torch.minimum(q[0] - x0, x1 - q[0]), torch.minimum(q[1] - y0, y1 - q[1]))

    stripe = h / 16
    return [((0.1, 0.95, 0.2), disc(0.2 * w, 0.6 * h, h / 10)),
            ((1.0, 1.0, 1.0), disc(0.38 * w, 0.25 * h, h / 12)),
            ((0.95, 0.1, 0.9), box(0.55 * w, 0.14 * h, 0.72 * w, 0.38 * h)),
            *(((0.05, 0.95, 0.95), box(0.6 * w + 2 * i * stripe, 0.52 * h, 0.6 * w + (2 * i + 1) * stripe, 0.85 * h)) for i in range(4))]


def grown(mask, radius):
    return F.max_pool2d(mask.float()[None, None], 2 * radius + 1, 1, radius)[0, 0] > 0


def slope(field):
    """(2, H, W): by x and y."""
    wide = F.pad(field[None, None], (1, 1, 1, 1), "replicate")[0, 0]
    return torch.stack([wide[1:-1, 2:] - wide[1:-1, :-2], wide[2:, 1:-1] - wide[:-2, 1:-1]]) / 2


class View:
    """Where a sequence's frame n shows the shapes of its frame 0."""

    def __init__(self, sequence, n, drawn):
        h, w = sequence.frames[0].shape[1:]
        self.flow = sequence.between(n, 0) if n else torch.zeros(2, h, w, dtype=torch.float64)
        self.seen = ~sequence.new[n] if n else torch.ones(h, w, dtype=torch.bool)
        # Where things move apart a pixel shows two of them.
        torn = sum(slope(f).pow(2).sum(0) for f in self.flow) > 0.1
        self.away = self.seen & ~grown(~self.seen | torn, 3)  # from what is hidden
        self.away[:REACH], self.away[-REACH:], self.away[:, :REACH], self.away[:, -REACH:] = False, False, False, False
        self.inside = []  # how far, in pixels of frame n
        for _, distance in drawn:
            s = distance(sequences.grid(h, w) + self.flow)
            self.inside.append(s / slope(s).pow(2).sum(0).sqrt().clamp_min(0.1))
        self.drawn = drawn

    def over(self, picture):
        """picture with the shapes drawn over it, where frame 0 showed them."""
        for (colour, _), s in zip(self.drawn, self.inside):
            a = (s + 0.5).clamp(0, 1).float() * self.seen
            picture = picture * (1 - a) + torch.tensor(colour)[:, None, None] * a
        return picture

    def edges(self):
        """Whether a pixel is within 2 of one."""
        return torch.stack([s.abs() < 2.5 for s in self.inside]).any(0)

    def normals(self):
        """For each shape its colour, and points (2, N, S) on the normals of its edge, from
        REACH outside to REACH inside, which are at steps (S)."""
        steps = torch.arange(-REACH, REACH + 0.01, 0.1, dtype=torch.float64)
        h, w = self.seen.shape
        for (colour, _), s in zip(self.drawn, self.inside):
            g = slope(s)
            unit = g / g.pow(2).sum(0).sqrt().clamp_min(1e-6)
            here = (s.abs() < 0.5) & self.away
            at = (sequences.grid(h, w) - s * unit)[:, here]
            yield torch.tensor(colour)[:, None, None], at[:, :, None] + unit[:, here][:, :, None] * steps, steps


def rise(picture, ground, colour):
    """(N, S): 0 where picture is as ground, 1 where it has the colour; all are (3, N, S) or wider."""
    span = colour - ground
    return ((picture - ground) * span).sum(0) / span.pow(2).sum(0)


def edge_errors(view, picture, ground):
    """In pixels, of each normal. ground is the picture without the shapes."""
    errors = []
    for colour, at, steps in view.normals():
        below = sequences.sample(ground, at)
        u = rise(sequences.sample(picture, at), below, colour) - 0.5
        u = u[(colour - below).pow(2).sum(0).min(1).values > 0.1]  # where the shape differs from what is around it
        crossing = u[:, :-1] * u[:, 1:] <= 0
        place = steps[:-1] + 0.1 * (u[:, :-1] / (u[:, :-1] - u[:, 1:]).where(crossing, torch.ones(())))
        errors.append(place.abs().where(crossing, torch.full((), float(REACH), dtype=torch.float64)).min(1).values)
    return torch.cat(errors)


def edge_width(view, picture):
    """Pixels in which the mean profile of all edges rises from 10 to 90 %."""
    profiles = []
    for colour, at, steps in view.normals():
        p = sequences.sample(picture, at)
        outside = p[:, :, steps < -2.5].mean(2, keepdim=True)
        u = rise(p, outside, colour)
        profiles.append(u[(colour - outside).pow(2).sum(0)[:, 0] > 0.1])
    mean = torch.cat(profiles).mean(0)
    low, high = mean[steps < -2.5].mean(), mean[steps > 2.5].mean()
    mean = (mean - low) / (high - low)
    first = lambda level: float(steps[(mean > level).nonzero()[0, 0]])
    return first(0.9) - first(0.1)


def measure(a, name, sequence, judge):
    """A row of the table, in the order of BARS, and the floor of the edges."""
    h, w = sequence.frames[0].shape[1:]
    drawn = shapes(w, h)
    views = {n: View(sequence, n, drawn) for n in (0, EARLY, MIDDLE, LAST)}
    last = views[LAST]
    with tempfile.TemporaryDirectory() as scratch:
        run = lambda frames, *flags, style=None: paint(a.program, style, frames, [*flags, *a.flags], scratch)[0]
        folder = Path(scratch) / "keys"
        folder.mkdir()
        key = lambda n: str(folder / f"{n + 1:05d}.png")
        keyed = ["--key", str(folder / "%05d.png")]
        ground = run(sequence.frames[:1], style=a.style)[0]
        painting = views[0].over(ground)
        sequences.write(key(0), painting)
        one = run(sequence.frames, *keyed)
        cold = run([sequence.frames[LAST]], style=key(0))[0]
        sequences.write(key(LAST), last.over(run([sequence.frames[LAST]], "--seed", "1", style=a.style)[0]))
        two = run(sequence.frames, *keyed)
    exactly = lambda picture, n: sequences.warp(picture, sequence.between(n, 0)).clamp(0, 1) if n else picture  # cubic curves overshoot
    warped = exactly(painting, LAST)
    below = exactly(ground, LAST)
    flat = last.away & ~last.edges()
    style = judge.grams(painting)
    new = [judge.losses(p, sequence.frames[LAST], style, sequence.new[LAST])[0] for p in (one[LAST], cold, warped)]
    same = {n: ~v.edges() & v.away for n, v in views.items()}
    ends = [sharpness(two[n], same[n]) for n in (0, LAST)]
    exact = [exactly(painting, n) for n in range(len(one))]
    strip(a.out / f"{name}.png", [sequence.frames, exact, one, two])
    return {
        "edge": float(edge_errors(last, one[LAST], below).mean()),
        "colour": 255 * float((one[LAST] - warped).abs().mean(0)[flat].mean()),
        "width": edge_width(views[MIDDLE], two[MIDDLE]) / edge_width(views[EARLY], two[EARLY]),
        "contrast": sharpness(two[MIDDLE], same[MIDDLE]) / (sum(ends) / 2),
        "over cold": new[0] / new[1],
        "over warp": new[0] / new[2],
    }, float(edge_errors(last, warped, below).mean())


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("program")
    p.add_argument("out", type=Path)
    p.add_argument("--style", required=True)
    p.add_argument("--vgg16", required=True, help="weights of the judge, a file of nstfilter's")
    p.add_argument("--photos", nargs=3, required=True, metavar="PHOTO")
    p.add_argument("--size", nargs="+", default=["320x180", "480x288"])
    p.add_argument("--only", nargs="+", default=["pan", "turn", "behind", "still"], help="names of sequences")
    p.add_argument("--flags", default="", type=str.split, help="of the program, in one word")
    a = p.parse_args()
    torch.set_num_threads(2)
    a.out.mkdir(parents=True, exist_ok=True)
    judge = Judge(a.vgg16)
    print("| | edge | colour | width | contrast | new: over cold | over warp |\n|---|---|---|---|---|---|---|")
    print("| bars | " + " | ".join(("≥ " if k == "contrast" else "≤ ") + str(v) for k, v in BARS.items()) + " |", flush=True)
    for size in a.size:
        w, h = map(int, size.split("x"))
        for name, make in sequences.made(a.photos, FRAMES, w, h):
            if name in a.only:
                row, floor = measure(a, f"{name}-{size}", make(), judge)
                texts = [f"{v:.2f}" for v in row.values()]
                texts[0] += f" ({floor:.2f})"
                print(f"| {name}, {size} | {' | '.join(texts)} |", flush=True)


if __name__ == "__main__":
    main()
