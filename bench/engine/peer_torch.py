"""PyTorch on a problem: peer_torch.py FOLDER fp32|bf16 nchw|nhwc GRADIENT"""
import sys

import torch
import torch.nn.functional as functional

from problem import Problem
from report import report

folder, precision, layout, gradient_path = sys.argv[1:]
problem = Problem(folder)
torch.set_num_threads(problem.threads)
dtype = {'fp32': torch.float32, 'bf16': torch.bfloat16}[precision]
memory = {'nchw': torch.contiguous_format, 'nhwc': torch.channels_last}[layout]
mean, std = torch.from_numpy(problem.mean), torch.from_numpy(problem.std)
weights = [torch.from_numpy(layer['weight']).to(dtype).to(memory_format=memory) for layer in problem.layers]
biases = [torch.from_numpy(layer['bias']).to(dtype) for layer in problem.layers]


def activations(x):
    """Yields each layer with its activation."""
    x = functional.pad((x - mean) / std, (1, 1, 1, 1), mode='replicate').to(dtype)
    for number, layer in enumerate(problem.layers):
        if layer['pooled']:
            x = functional.avg_pool2d(x, 2)
        x = functional.conv2d(x, weights[number], biases[number], padding=min(number, 1))
        x = functional.relu(x, inplace=True)
        yield layer, x


def gram(a):
    channels = a.shape[1]
    if layout == 'nhwc':
        f = a.permute(0, 2, 3, 1).reshape(-1, channels)
        return (f.t() @ f).float() / f.shape[0]
    f = a.reshape(channels, -1)
    return (f @ f.t()).float() / f.shape[1]


def picture(name):
    return torch.from_numpy(problem.picture(name)).contiguous(memory_format=memory)


with torch.no_grad():
    grams = [gram(a) for layer, a in activations(picture('style')) if layer['style']]
    target = [a.float() for layer, a in activations(picture('content')) if layer['content']][0]
x = picture('x').requires_grad_(True)


def iterate():
    x.grad = None
    j, left = 0, iter(grams)
    for layer, a in activations(x):
        if layer['style']:
            wanted = next(left)
            j = j + (gram(a) - wanted).square().sum() / wanted.square().sum()
        if layer['content']:
            j = j + (a.float() - target).square().sum() / target.square().sum()
    j.backward()
    return x.grad.numpy()


report(f'PyTorch {torch.__version__}', iterate, gradient_path)
