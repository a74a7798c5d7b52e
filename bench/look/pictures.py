"""What the scripts here share: their arguments, painting, and what the judge says of pictures."""
import argparse
import shlex
import subprocess
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from judge import Judge, colour_distance

NAMES = "style", "half size", "quarter", "content", "colour"


def read(path, size=None):
    image = Image.open(path).convert("RGB")
    if size and size != image.size:
        image = image.resize(size, Image.LANCZOS)
    return torch.from_numpy(np.asarray(image).astype(np.float32) / 255).permute(2, 0, 1)


def write(path, picture):
    Image.fromarray((picture.permute(1, 2, 0).numpy() * 255 + 0.5).astype(np.uint8)).save(path)


def within(path, longest):
    """The size of a picture whose longest side becomes that."""
    w, h = Image.open(path).size
    return max(1, round(w * longest / max(w, h))), max(1, round(h * longest / max(w, h)))


def figures(judge, picture, content, style):
    """NAMES of a picture, all pictures brought to its size."""
    w, h = Image.open(picture).size
    styles = []
    for by in 1, 2, 4:
        size = w // by, h // by
        at = read(style, within(style, max(size)))
        got = judge.losses(read(picture, size), read(content, size), judge.grams(at))
        styles.append(got[0])
        if by == 1:
            inside, colour = got[1], colour_distance(read(picture, size), at)
    return *styles, inside, colour


def parser(doc, size=512):
    """With the arguments that every script takes."""
    p = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("program")
    p.add_argument("out", type=Path)
    p.add_argument("--vgg16", required=True, help="weights of the judge, a file of nstfilter's")
    p.add_argument("--pair", nargs="+", action="append", default=[], metavar="FILE", help="CONTENT STYLE [PUBLISHED]")
    p.add_argument("--pairs", action="append", default=[], metavar="FILE", help="a file of such lines, relative to its folder; # begins a comment")
    p.add_argument("--size", type=int, default=size, help=f"longest side painted at (default {size})")
    return p


def parse(p):
    """The arguments, with judge, and with pairs as (content, style, published or None)."""
    a = p.parse_args()
    pairs = [*a.pair, *(pair for path in a.pairs for pair in pairs_of(path))]
    if not pairs or any(len(pair) not in (2, 3) for pair in pairs):
        p.error("a pair is CONTENT STYLE [PUBLISHED]")
    a.pairs = [(*pair, None)[:3] for pair in pairs]
    a.judge = Judge(a.vgg16)
    return a


def paint(a, flags, content, style, out):
    subprocess.run([a.program, "-y", "--progress", "none", "--size", str(a.size), "--output-size", "work",
                    "--style", style, *shlex.split(flags), content, out], check=True, stderr=subprocess.DEVNULL)


def pairs_of(path):
    """A file of lines CONTENT STYLE [PUBLISHED], relative to its folder."""
    here = Path(path).parent
    for text in Path(path).read_text().splitlines():
        if words := shlex.split(text, comments=True):
            yield [str(here / w) for w in words]
