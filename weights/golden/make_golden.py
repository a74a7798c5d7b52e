#!/usr/bin/env python3
"""Writes the picture and VGG-16's activations that engines are compared with.

    make_golden.py --vgg16 vgg16.ckpt

Needs torch, numpy, pillow, safetensors (see ../distil/requirements.txt). README.md
says what the files hold and where vgg16.ckpt comes from.
"""
import argparse
import json
import math
import pathlib
import sys

import numpy as np
import torch
import torch.nn.functional as functional
from PIL import Image
from safetensors.numpy import save_file

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / 'distil'))
from teacher import NumpyUnpickler

WIDTH, HEIGHT = 32, 24
MAX_VALUES = 4096  # kept of each tap
CONVOLUTIONS_BY_BLOCK = (2, 2, 3, 3, 3)
MEAN = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)
STD = torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)


def read_layers(path):
    """Yields (block, index, weight OIHW, bias) of conv1_1 … conv5_3."""
    with open(path, 'rb') as file:
        tree = NumpyUnpickler(file).load()['VGG16_0']
    number = 0
    for block, count in enumerate(CONVOLUTIONS_BY_BLOCK, start=1):
        for index in range(1, count + 1):
            layer = tree[f'Conv_{number}']
            weight = np.ascontiguousarray(layer['kernel'].transpose(3, 2, 0, 1))
            yield block, index, torch.from_numpy(weight), torch.from_numpy(layer['bias'].copy())
            number += 1


def make_picture():
    """Colour waves, a disc, a hard edge and noise: (HEIGHT, WIDTH, 3) uint8, seeded."""
    noise = np.random.RandomState(1).uniform(-0.1, 0.1, (HEIGHT, WIDTH, 3))
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    waves = [0.5 + 0.45 * np.sin(x / 4 + y / 7), 0.5 + 0.45 * np.cos(y / 3), 0.5 + 0.45 * np.sin((x - y) / 5)]
    picture = np.stack(waves, axis=2) + noise
    picture[(x - 9) ** 2 + (y - 8) ** 2 < 25] = (0.95, 0.75, 0.05)
    picture[:, 26:] = 1 - picture[:, 26:]
    return np.rint(picture.clip(0, 1) * 255).astype(np.uint8)


def activations(picture, layers):
    """Yields (tap, activation (C, H, W)), computed in float32.

    conv1_1 sees the normalised picture's border replicated, later layers see
    zeros; average pooling rounds sizes down.
    """
    x = torch.from_numpy(picture.astype(np.float32) / 255).permute(2, 0, 1)[None]
    x = (x - MEAN) / STD
    for block, index, weight, bias in layers:
        if block == 1 and index == 1:
            x = functional.conv2d(functional.pad(x, (1, 1, 1, 1), mode='replicate'), weight, bias)
        else:
            if index == 1:
                x = functional.avg_pool2d(x, 2)
            x = functional.conv2d(x, weight, bias, padding=1)
        x = functional.relu(x)
        yield f'relu{block}_{index}', x[0].numpy()


def even_stride(size):
    """The least stride that keeps MAX_VALUES at most and meets every row and column."""
    stride = -(-size // MAX_VALUES)
    while math.gcd(stride, size) > 1:
        stride += 1
    return stride


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--vgg16', required=True, metavar='FILE', help='vgg16.ckpt')
    options = parser.parse_args()
    torch.set_num_threads(1)

    picture = make_picture()
    Image.fromarray(picture).save(HERE / 'picture.png')
    values, taps = {}, {}
    with torch.no_grad():
        for tap, activation in activations(picture, read_layers(options.vgg16)):
            flat = activation.ravel()
            stride = even_stride(flat.size)
            values[tap] = flat[::stride].copy()
            norm = float(np.sqrt((flat.astype(np.float64) ** 2).sum()))
            taps[tap] = {'shape': activation.shape, 'stride': stride, 'norm': norm}
            print(f'{tap}: {activation.shape}, stride {stride}, norm {norm:.6g}')
    path = HERE / 'vgg16_activations.safetensors'
    save_file(values, path, metadata={'taps': json.dumps(taps)})
    path.chmod(0o644)


if __name__ == '__main__':
    main()
