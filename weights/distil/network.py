"""VGG-16's topology in any width, and the teacher's weights."""
import pickle

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as functional

LAYERS = (
    'conv1_1', 'conv1_2',
    'conv2_1', 'conv2_2',
    'conv3_1', 'conv3_2', 'conv3_3',
    'conv4_1', 'conv4_2', 'conv4_3',
    'conv5_1',
)
POOL_BEFORE = {'conv2_1', 'conv3_1', 'conv4_1', 'conv5_1'}
STYLE_LAYERS = [LAYERS.index(name) for name in ('conv1_1', 'conv2_1', 'conv3_1', 'conv4_1', 'conv5_1')]
CONTENT_LAYER = LAYERS.index('conv4_2')

MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)


class NumpyUnpickler(pickle.Unpickler):
    """Knows NumPy's arrays and nothing else."""

    ALLOWED = {
        ('numpy.core.multiarray', '_reconstruct'),
        ('numpy._core.multiarray', '_reconstruct'),
        ('numpy', 'ndarray'),
        ('numpy', 'dtype'),
    }

    def find_class(self, module, name):
        if (module, name) not in self.ALLOWED:
            raise pickle.UnpicklingError(f'{module}.{name} is not a NumPy array')
        return super().find_class(module.replace('numpy.core', 'numpy._core'), name)


def read_teacher(path):
    """Returns [(weight (O, I, 3, 3), bias (O))], one for each of LAYERS."""
    with open(path, 'rb') as file:
        tree = NumpyUnpickler(file).load()['VGG16_0']
    layers = []
    for number in range(len(LAYERS)):
        layer = tree[f'Conv_{number}']
        weight = np.ascontiguousarray(layer['kernel'].transpose(3, 2, 0, 1))  # from (3, 3, I, O)
        layers.append((torch.from_numpy(weight), torch.from_numpy(layer['bias'].copy())))
    return layers


class Network(nn.Module):
    """The convolutions of VGG-16 to conv5_1, with average pooling.

    Takes RGB in [0, 1], (N, 3, H, W); returns the output of every ReLU. Like
    nstfilter's engines it replicates the normalised picture's border for conv1_1
    and pads with zeros after that.
    """

    def __init__(self, layers):
        super().__init__()
        self.weights = nn.ParameterList(
            nn.Parameter(weight.clone().contiguous(memory_format=torch.channels_last)) for weight, _ in layers)
        self.biases = nn.ParameterList(nn.Parameter(bias.clone()) for _, bias in layers)
        self.register_buffer('mean', torch.tensor(MEAN).view(1, 3, 1, 1))
        self.register_buffer('std', torch.tensor(STD).view(1, 3, 1, 1))

    def forward(self, pictures):
        x = ((pictures - self.mean) / self.std).to(self.weights[0].dtype)
        x = functional.pad(x, (1, 1, 1, 1), mode='replicate').contiguous(memory_format=torch.channels_last)
        activations = []
        for name, weight, bias in zip(LAYERS, self.weights, self.biases):
            if name in POOL_BEFORE:
                x = functional.avg_pool2d(x, 2)
            x = functional.relu(functional.conv2d(x, weight, bias, padding=0 if name == 'conv1_1' else 1))
            activations.append(x)
        return activations


def gram(activation):
    """(N, C, H, W) to (N, C, C): the Gram matrix divided by the number of positions."""
    rows = activation.flatten(2)
    return rows @ rows.transpose(1, 2) / rows.shape[2]


def metric_norm(metric, difference):
    """tr(M Δ M Δ) of symmetric Δ, (N, C, C) to (N)."""
    return ((metric @ difference) * (difference @ metric)).sum((1, 2))
