"""VGG-16's topology in any width, and what its losses are made of."""
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
POOLINGS = {'max': functional.max_pool2d, 'avg': functional.avg_pool2d}
STYLE_LAYERS = [LAYERS.index(name) for name in ('conv1_1', 'conv2_1', 'conv3_1', 'conv4_1', 'conv5_1')]
CONTENT_LAYER = LAYERS.index('conv4_2')

MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)


class Network(nn.Module):
    """The convolutions of VGG-16 to conv5_1, with max or average pooling.

    Takes RGB in [0, 1], (N, 3, H, W); returns the output of every ReLU. Like
    nstfilter's engines it replicates the normalised picture's border for conv1_1
    and pads with zeros after that.
    """

    def __init__(self, layers, pooling):
        super().__init__()
        self.pool = POOLINGS[pooling]
        self.weights = nn.ParameterList(
            nn.Parameter(weight.clone().contiguous(memory_format=torch.channels_last)) for weight, _ in layers)
        self.biases = nn.ParameterList(nn.Parameter(bias.clone()) for _, bias in layers)
        self.register_buffer('mean', torch.tensor(MEAN).view(1, 3, 1, 1))
        self.register_buffer('std', torch.tensor(STD).view(1, 3, 1, 1))

    def forward(self, pictures):
        x = (pictures - self.mean) / self.std
        x = functional.pad(x, (1, 1, 1, 1), mode='replicate').contiguous(memory_format=torch.channels_last)
        activations = []
        for name, weight, bias in zip(LAYERS, self.weights, self.biases):
            if name in POOL_BEFORE:
                x = self.pool(x, 2)
            x = functional.relu(functional.conv2d(x, weight, bias, padding=0 if name == 'conv1_1' else 1))
            activations.append(x)
        return activations


def forward_fast(network, pictures):
    """The network's activations, in bfloat16 where the hardware multiplies in it, in float32 elsewhere."""
    device = pictures.device.type
    with torch.autocast(device, torch.bfloat16, enabled=device == 'cuda' or cpu_has_bfloat16()):
        return network(pictures)


def cpu_has_bfloat16():
    supported = getattr(torch.cpu, '_is_avx512_bf16_supported', None)  # not in every release
    return supported is not None and supported()


def gram(activation):
    """(N, C, H, W) to (N, C, C): the Gram matrix divided by the number of positions."""
    rows = activation.flatten(2)
    return rows @ rows.transpose(1, 2) / rows.shape[2]


def gram_norm(metric, difference):
    """tr(M Δ M Δ) of symmetric Δ, (N, C, C) to (N)."""
    return ((metric @ difference) * (difference @ metric)).sum((1, 2))


def feature_norm(metric, difference):
    """Σ over the positions of Δᵀ M Δ, (N, C, H·W) to (N)."""
    return (difference * (metric @ difference)).sum((1, 2))
