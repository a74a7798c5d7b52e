"""The student between the steps of its making: weights, the Q of each layer, the pooling."""
import os

import torch


def save_checkpoint(path, layers, projections, pooling):
    """Replaces the file only by a whole one: whoever stops a training has what it saved last."""
    partial = f'{path}.partial'
    torch.save({
        'layers': [(weight.cpu(), bias.cpu()) for weight, bias in layers],
        'projections': [projection.cpu() for projection in projections],
        'pooling': pooling,
    }, partial)
    os.replace(partial, path)


def load_checkpoint(path, wanted=None):
    """Returns [(weight, bias)], [Q (teacher's channels, student's)] and the pooling, which must be the wanted one."""
    checkpoint = torch.load(path, map_location='cpu', weights_only=True)
    pooling = checkpoint.get('pooling', 'avg')  # checkpoints used not to say it
    if wanted not in (None, pooling):
        raise SystemExit(f'{path} has {pooling} pooling: leave --pooling {wanted} out, or begin again with init --pooling {wanted}')
    return checkpoint['layers'], checkpoint['projections'], pooling
