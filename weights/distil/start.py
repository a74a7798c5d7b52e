"""init: the student's start, in closed form."""
import torch

from checkpoint import save_checkpoint
from network import LAYERS, Network
from photos import Photos
from projection import positions, solve_projection
from teacher import read_teacher


def init(options):
    """Keeps the best channels of each layer and folds the others into the next by least squares."""
    layers = read_teacher(options.vgg16)
    widths = parse_widths(options.widths, layers)
    teacher = Network(layers, options.pooling).requires_grad_(False).to(options.device)
    moments = second_moments(teacher, Photos(options.photos, options.device), options.batches, options.batch)
    narrow, projections = [], []
    before = torch.eye(3, dtype=torch.float64)  # the previous layer's Q
    for name, (weight, bias), moment, width in zip(LAYERS, layers, moments, widths):
        kept, unexplained = choose_channels(moment, width)
        folded = torch.einsum('oiyx,ij->ojyx', weight[kept].double(), before)
        narrow.append((folded.float(), bias[kept]))
        before = solve_projection(moment[kept][:, kept], moment[:, kept])
        projections.append(before.float())
        print(f'{name}: {width} of {len(bias)} channels leave {unexplained:.4f} of the energy unexplained', flush=True)
    save_checkpoint(options.out, narrow, projections, options.pooling)


def parse_widths(text, layers):
    widths = [int(width) for width in text.split(',')]
    if len(widths) != len(layers) or any(not 0 < w <= len(bias) for w, (_, bias) in zip(widths, layers)):
        raise SystemExit(f'--widths {text}: give {len(layers)} numbers, none above the teacher\'s')
    return widths


def second_moments(teacher, photos, batches, batch):
    """Σ F Fᵀ of each layer."""
    moments = [torch.zeros(len(bias), len(bias), dtype=torch.float64) for bias in teacher.biases]
    for _ in range(batches):
        for moment, activation in zip(moments, teacher(photos.samples(batch))):
            rows = positions(activation)
            moment += (rows.t() @ rows).double().cpu() / len(rows)
    return moments


def choose_channels(moment, count):
    """Greedily keeps the channels that explain the most of the others.

    A pivoted Cholesky factorisation of Σ F Fᵀ; returns the channels and the
    share of energy that they leave unexplained.
    """
    residual, kept = moment.clone(), []
    negligible = 1e-9 * moment.diagonal().max()
    for _ in range(count):
        gain = (residual * residual).sum(0) / residual.diagonal().clamp_min(1e-9)
        gain[residual.diagonal() < negligible] = -1
        gain[kept] = -2  # below a channel that is merely silent
        best = int(gain.argmax())
        kept.append(best)
        column = residual[:, best].clone()
        residual = residual - torch.outer(column, column) / column[best].clamp_min(1e-12)
    return kept, float(residual.diagonal().sum() / moment.diagonal().sum())
