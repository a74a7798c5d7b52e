#!/usr/bin/env python3
"""Paints pairs of content and style with several settings and prints a table.

    bench/looks.py ./nstfilter OUT --pair CONTENT STYLE … --set '' --set '--tv-weight 2' …

For each setting and pair: seconds, and the losses of the result as VGG-16 with
average pooling sees them, whatever network painted it: style is the mean over
the five layers of J_style^l / J_style^l(Gram = 0), content is J_content with
weight 1, tv the mean squared difference of neighbours. They come from a run of
one step, too small to move anything, that starts from the result. The pictures
are in OUT, to be looked at: no figure replaces that.
"""
import argparse
import json
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

JUDGE = "--network vgg16 --iterations 1 --min-size 0 --learning-rate 1e-6 --average 0 --content-weight 1 --tv-weight 1"


def run(program, style, source, target, flags):
    """Paints and returns the line of --stats, with the whole process's seconds."""
    with tempfile.NamedTemporaryFile(suffix=".json") as stats:
        begin = time.time()
        subprocess.run([program, "--progress", "none", "-y", "--style", style, "--stats", stats.name, *flags, source, target],
                       check=True, stderr=subprocess.DEVNULL)
        line = json.loads(Path(stats.name).read_text().splitlines()[0])
        return line | {"wall": time.time() - begin}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("program")
    p.add_argument("out", type=Path)
    p.add_argument("--pair", nargs=2, action="append", required=True, metavar=("CONTENT", "STYLE"))
    p.add_argument("--set", action="append", required=True, metavar="FLAGS", help="flags of one setting, in one word")
    p.add_argument("--size", default="384")
    a = p.parse_args()
    a.out.mkdir(parents=True, exist_ok=True)
    print("| setting | seconds | style | content | tv |\n|---|---|---|---|---|")
    for number, setting in enumerate(a.set):
        rows = []
        for content, style in a.pair:
            target = str(a.out / f"{number}_{Path(content).stem}_{Path(style).stem}.png")
            size = ["--size", a.size, "--output-size", "work"]
            painted = run(a.program, style, content, target, [*size, *shlex.split(setting)])
            with tempfile.TemporaryDirectory() as scratch:
                seen = run(a.program, style, content, scratch + "/judged.png",
                           [*size, *shlex.split(JUDGE), "--init", "image:" + target])["losses"]
            rows.append((painted["wall"], seen["style"] / 5, seen["content"], seen["tv"]))
            print(target, *("%.4g" % v for v in rows[-1]), file=sys.stderr)
        seconds, style, content, tv = (statistics.mean(column) for column in zip(*rows))
        print(f"| `{setting or 'defaults'}` | {seconds:.1f} | {style:.4f} | {content:.3f} | {tv:.4f} |", flush=True)


if __name__ == "__main__":
    main()
