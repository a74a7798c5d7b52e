#!/usr/bin/env python3
"""Writes the state_dicts that weights.ImportTorch is tested with, into ../testdata: VGG-19's
layers, two to four channels wide, as PyTorch saves them since 1.6 and before, with random
numbers of a seed; and what PyTorch makes of picture.png with them, as make_golden.py does.

    make_torch.py

Needs torch, numpy, pillow, safetensors (see ../distil/requirements.txt).
"""
import pathlib
from collections import OrderedDict

import numpy as np
import torch
import torch.nn.functional as functional
from PIL import Image
from safetensors.numpy import save_file

HERE = pathlib.Path(__file__).resolve().parent
DATA = HERE.parent / 'testdata'
CONVOLUTIONS_BY_BLOCK = (2, 2, 4, 4, 4)
MEAN = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)
STD = torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)

torch.manual_seed(19)
torch.set_num_threads(1)
state, number, channels = OrderedDict(), 0, 3
x = torch.from_numpy(np.asarray(Image.open(HERE / 'picture.png'), np.float32) / 255).permute(2, 0, 1)[None]
x, taps = (x - MEAN) / STD, {}
for block, count in enumerate(CONVOLUTIONS_BY_BLOCK, start=1):
    for index in range(1, count + 1):
        wide = (2, 3, 4, 4, 4)[block - 1]
        weight, bias = torch.randn(wide, channels, 3, 3) * (2 / (9 * channels)) ** .5, torch.randn(wide) * .1
        state[f'features.{number}.weight'], state[f'features.{number}.bias'] = weight, bias
        if number == 0:  # the border is replicated, later layers see zeros
            x = functional.conv2d(functional.pad(x, (1, 1, 1, 1), mode='replicate'), weight, bias)
        else:
            x = functional.conv2d(x, weight, bias, padding=1)
        x, number, channels = functional.relu(x), number + 2, wide
        taps[f'relu{block}_{index}'] = x[0].numpy().ravel().copy()
    if block < 5:
        x, number = functional.max_pool2d(x, 2), number + 1
state['classifier.0.weight'] = torch.randn(5, 7)
state['classifier.0.bias'] = torch.randn(5)
state._metadata = OrderedDict([('', {'version': 1}), ('features', {'version': 1})])  # as nn.Module's has
torch.save(state, DATA / 'vgg19.zip.pth')
torch.save(state, DATA / 'vgg19.legacy.pth', _use_new_zipfile_serialization=False)
save_file(taps, DATA / 'vgg19_activations.safetensors')
(DATA / 'vgg19_activations.safetensors').chmod(0o644)
