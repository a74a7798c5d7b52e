"""Pictures, and what the judge says of them at three sizes."""
import shlex
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from judge import colour_distance

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


def pairs_of(path):
    """A file of lines CONTENT STYLE [PUBLISHED], relative to its folder."""
    here = Path(path).parent
    for text in Path(path).read_text().splitlines():
        if words := shlex.split(text, comments=True):
            yield [str(here / w) for w in words]
