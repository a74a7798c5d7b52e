#!/usr/bin/env python3
"""Paints pairs of content and style, and says how near they came, beside pictures of the
same pairs that others published.

    bench/look/run.py ./nstfilter OUT --pair CONTENT STYLE [PUBLISHED] … [--set NAME=FLAGS …]

Each set of flags gets a table and a sheet: a row for each pair of content, style, the
published picture and ours. Figures are VGG-16's with max pooling (../judge.py): style at
full, half and quarter size, content, and how far the colours are from the style's; smaller
is nearer, of each. Saturated: the share of samples at 0 or 255, in percent. Seconds: of
the whole process. Beside a published picture each figure but these is also divided by that
picture's. Look at the sheets at full size: no figure says whether a picture is good.
"""
import sys
import time
from pathlib import Path

import numpy as np
from PIL import Image

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parent)]
from pictures import NAMES, figures, paint, parse, parser, read


def saturated(picture):
    pixels = read(picture)
    return 100 * float(((pixels == 0) | (pixels == 1)).float().mean())


def sheet(path, rows, height=384):
    """Rows of pictures of one height; None leaves room."""
    rows = [[i and Image.open(i).convert("RGB") for i in row] for row in rows]
    rows = [[i and i.resize((round(i.width * height / i.height), height), Image.LANCZOS) for i in row] for row in rows]
    widths = [max((i.width for i in column if i), default=0) for column in zip(*rows)]
    out = Image.new("RGB", (sum(widths), height * len(rows)), "white")
    for y, row in enumerate(rows):
        for x, i in enumerate(row):
            if i:
                out.paste(i, (sum(widths[:x]), y * height))
    out.save(path)


def line(name, values, seconds="", share=""):
    print(f"| {name} | " + " | ".join(values) + f" | {share} | {seconds} |", flush=True)


def measure(a, name, flags):
    print(f"\n`{flags or 'defaults'}`\n\n| {name} | " + " | ".join(NAMES) + " | saturated | seconds |\n|" + "---|" * (len(NAMES) + 3))
    rows, ours, ratios, times = [], [], [], []
    for content, style, published in a.pairs:
        title = f"{Path(content).stem} × {Path(style).stem}"
        out = a.out / name / f"{Path(content).stem}_{Path(style).stem}.png"
        out.parent.mkdir(parents=True, exist_ok=True)
        begin = time.time()
        paint(a, flags, content, style, out)
        times.append(time.time() - begin)
        ours.append(figures(a.judge, out, content, style))
        values = [f"{v:.4f}" for v in ours[-1]]
        if published:
            ratios.append([v / w for v, w in zip(ours[-1], figures(a.judge, published, content, style))])
            values = [f"{v} ({r:.2f})" for v, r in zip(values, ratios[-1])]
        line(title, values, f"{times[-1]:.1f}", f"{saturated(out):.2f}")
        rows.append([content, style, published, str(out)])
    for word, of in ("median", np.median), ("worst", np.max):
        values = [f"{v:.4f}" for v in of(ours, 0)]
        if ratios:
            values = [f"{v} ({r:.2f})" for v, r in zip(values, of(ratios, 0))]
        line(f"**{word}**", values, f"{of(times):.1f}")
    sheet(a.out / f"{name}.png", rows)


def main():
    p = parser(__doc__)
    p.add_argument("--set", action="append", metavar="NAME=FLAGS", help="flags of nstfilter's to paint with (default: standard=)")
    a = parse(p)
    for text in a.set or ["standard="]:
        name, equals, flags = text.partition("=")
        if not equals:
            p.error(f"--set {text}: NAME=FLAGS")
        measure(a, name, flags)
    print(f"\nThe sheets are in {a.out}: content, style, published, ours.")


main()
