#!/usr/bin/env python3
"""Distils VGG-16 to relu5_1 into a narrow network whose losses stand for its own.

    distil.py init   --vgg16 vgg16.ckpt --photos DIR --out init.pt
    distil.py train  --vgg16 vgg16.ckpt --photos DIR --init init.pt --minutes 70 --out slim.pt
    distil.py export --vgg16 vgg16.ckpt --photos DIR --net slim.pt --out slim.f16.safetensors

With the teacher's activations F and the student's f, a matrix Q with F ≈ Q f is
learned for each layer. Then Gram_F ≈ Q Gram_f Qᵀ, and with M = QᵀQ

    ‖ΔGram_F‖² ≈ tr(M ΔGram_f M ΔGram_f)        ‖ΔF‖² ≈ Δfᵀ M Δf

so that the narrow network, with its M, has losses in VGG's units and balance.
"""
import argparse
import json
import math
import os
import random
import time

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as functional
from safetensors.torch import save_file

from network import LAYERS, MEAN, STD, STYLE_LAYERS, Network, gram, metric_norm, read_teacher
from pictures import PaintingPool, forward_bf16, load_photos, samples

WIDTHS = '32,32,64,64,96,96,96,192,192,192,256'
LAYER_WEIGHT = {
    'conv1_1': 1, 'conv2_1': 1, 'conv3_1': 1, 'conv4_1': 1, 'conv5_1': 1, 'conv4_2': 1,
    'conv3_3': 0.5, 'conv2_2': 0.5, 'conv1_2': 0.3, 'conv4_3': 0.3, 'conv3_2': 0.2,
}
GRAM_WEIGHT = 0.3


def positions(activation):
    """(N, C, H, W) to (N·H·W, C)."""
    return activation.permute(0, 2, 3, 1).reshape(-1, activation.shape[1])


def solve_projection(student_moment, cross_moment):
    """The Q that minimises Σ‖F − Q f‖², from Σ f fᵀ and Σ F fᵀ; slightly ridged."""
    ridge = 1e-6 * student_moment.diagonal().mean() * torch.eye(len(student_moment), dtype=student_moment.dtype)
    return torch.linalg.solve(student_moment + ridge, cross_moment.t()).t()


# init: a start in closed form

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


def second_moments(teacher, photos, batches, batch):
    moments = [torch.zeros(len(bias), len(bias), dtype=torch.float64) for bias in teacher.biases]
    for _ in range(batches):
        for moment, activation in zip(moments, teacher(samples(photos, batch))):
            rows = positions(activation)
            moment += (rows.t() @ rows).double() / len(rows)
    return moments


def init(options):
    """Keeps the best channels of each layer and folds the others into the next by least squares."""
    seed(options.seed)
    layers = read_teacher(options.vgg16)
    teacher = Network(layers).requires_grad_(False)
    moments = second_moments(teacher, load_photos(options.photos), options.batches or 24, options.batch)
    narrow, projections = [], []
    before = torch.eye(3, dtype=torch.float64)  # the previous layer's Q
    for name, (weight, bias), moment, width in zip(LAYERS, layers, moments, parse_widths(options.widths, layers)):
        kept, unexplained = choose_channels(moment, width)
        folded = torch.einsum('oiyx,ij->ojyx', weight[kept].double(), before)
        narrow.append((folded.float(), bias[kept]))
        before = solve_projection(moment[kept][:, kept], moment[:, kept])
        projections.append(before.float())
        print(f'{name}: {width} of {len(bias)} channels leave {unexplained:.4f} of the energy unexplained', flush=True)
    save_checkpoint(options.out, narrow, projections)


def parse_widths(text, layers):
    widths = [int(width) for width in text.split(',')]
    if len(widths) != len(layers) or any(not 0 < w <= len(bias) for w, (_, bias) in zip(widths, layers)):
        raise SystemExit(f'--widths {text}: give {len(layers)} numbers, none above the teacher\'s')
    return widths


# train

def layer_errors(teacher_activations, student_activations, projections):
    """Yields each layer's activation F, its prediction Q f, and ‖F − Q f‖² and ‖F‖² by picture."""
    for wide, narrow, projection in zip(teacher_activations, student_activations, projections):
        predicted = functional.conv2d(narrow.float(), projection[:, :, None, None])
        yield wide, predicted, ((predicted - wide) ** 2).flatten(1).sum(1), (wide ** 2).flatten(1).sum(1)


def training_loss(teacher_activations, student_activations, projections):
    """Returns the loss and each layer's relative error ‖F − Q f‖² / ‖F‖²."""
    loss, relative = 0, []
    errors = layer_errors(teacher_activations, student_activations, projections)
    for layer, (wide, predicted, error, energy) in enumerate(errors):
        relative.append(float(error.detach().sum() / energy.sum()))
        loss = loss + LAYER_WEIGHT[LAYERS[layer]] * (error / (energy + 0.25 * energy.mean())).mean()
        if layer in STYLE_LAYERS:
            target = gram(wide)
            wrong = ((gram(predicted) - target) ** 2).sum((1, 2)) / ((target ** 2).sum((1, 2)) + 1e-6)
            loss = loss + GRAM_WEIGHT * wrong.clamp(max=4).mean()
    return loss, relative


class RunningMean:
    """The average of the weights over about the last 500 steps, of all while there are few."""

    def __init__(self, parameters):
        self.parameters = list(parameters)
        self.values = [p.detach().clone() for p in self.parameters]
        self.steps = 0

    def update(self):
        self.steps += 1
        decay = min(0.998, self.steps / (self.steps + 10))
        for value, parameter in zip(self.values, self.parameters):
            value.mul_(decay).add_(parameter.detach(), alpha=1 - decay)


def train(options):
    """Adam with a short warm-up and cosine decay; half of each batch is the student's own paintings."""
    seed(options.seed)
    teacher = Network(read_teacher(options.vgg16)).requires_grad_(False).to(torch.bfloat16)
    layers, start = load_checkpoint(options.init)
    student, projections = Network(layers), nn.ParameterList(nn.Parameter(q.clone()) for q in start)
    photos = load_photos(options.photos)
    pool = PaintingPool(photos, options.pool)
    optimiser = torch.optim.Adam([*student.parameters(), *projections], lr=options.rate, betas=(0.9, 0.99))
    mean = RunningMean([*student.weights, *student.biases, *projections])
    own = options.batch // 2
    begun = said = time.monotonic()
    smooth, step = None, 0
    while (progress := train_progress(options, step, begun)) < 1:
        warm_up, cosine = min(1, (step + 1) / 50), 0.49 * (1 + math.cos(math.pi * progress)) + 0.02
        optimiser.param_groups[0]['lr'] = options.rate * warm_up * cosine
        pictures = torch.cat([samples(photos, options.batch - own), pool.visit(student, projections, own)])
        with torch.no_grad():
            wanted = [activation.float() for activation in teacher(pictures)]
        loss, relative = training_loss(wanted, forward_bf16(student, pictures), projections)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(student.parameters(), 1.0)
        optimiser.step()
        mean.update()
        step += 1
        smooth = np.array(relative) if smooth is None else 0.98 * smooth + 0.02 * np.array(relative)
        if time.monotonic() - said > 60:
            said = time.monotonic()
            report(progress, step, smooth)
            save_mean(options.out, mean)
    report(1, step, smooth)
    save_mean(options.out, mean)


def train_progress(options, step, begun):
    """From 0 to 1, by --steps if given and by --minutes otherwise."""
    if options.steps:
        return step / options.steps
    return (time.monotonic() - begun) / 60 / options.minutes


def report(progress, step, errors):
    print(f'{100 * progress:3.0f} %, step {step}, errors', ' '.join(f'{error:.3f}' for error in errors), flush=True)


def save_mean(path, mean):
    count = len(LAYERS)
    weights, biases, projections = (mean.values[i * count:(i + 1) * count] for i in range(3))
    save_checkpoint(path, list(zip(weights, biases)), projections)


# export

def refit(teacher, student, projections, photos, pool, batches):
    """Q by least squares over fresh pictures; returns it with each layer's relative error."""
    student_moments = [torch.zeros(q.shape[1], q.shape[1], dtype=torch.float64) for q in projections]
    cross_moments = [torch.zeros(q.shape, dtype=torch.float64) for q in projections]
    for _ in range(batches):
        pictures = torch.cat([samples(photos, 4), pool.visit(student, projections, 4)])
        for layer, (wide, narrow) in enumerate(zip(teacher(pictures), student(pictures))):
            wide, narrow = positions(wide), positions(narrow)
            share = 1 / float((wide ** 2).sum())  # each batch counts alike
            student_moments[layer] += (narrow.t() @ narrow).double() * share
            cross_moments[layer] += (wide.t() @ narrow).double() * share
    fitted, errors = [], []
    for own, cross in zip(student_moments, cross_moments):
        q = solve_projection(own, cross)
        explained = 2 * float((cross * q).sum()) - float(((q @ own) * q).sum())
        fitted.append(q)
        errors.append(1 - explained / batches)
    return fitted, errors


def calibrate(teacher, student, projections, metrics, pool, visits):
    """How much larger the teacher's losses are, along paintings: ([style], [content]) by layer.

    Least squares explains only part of a difference, so both losses come out too
    small by a factor that is measured here.
    """
    ratios = [([], []) for _ in LAYERS]
    for _ in range(visits):
        pool.visit(student, projections, 4)
        for painting in random.sample(pool.paintings, 4):
            pictures = torch.cat([painting.picture, painting.style, painting.content])
            for layer, (wide, narrow) in enumerate(zip(teacher(pictures), student(pictures))):
                metric, (style, content) = metrics[layer], ratios[layer]
                wide_gram, narrow_gram = gram(wide[:2]), gram(narrow[:2])
                wide_change = wide_gram[0] - wide_gram[1]
                narrow_change = narrow_gram[:1] - narrow_gram[1:]
                style.append(float((wide_change ** 2).sum() / metric_norm(metric, narrow_change)))
                wide_change, narrow_change = (wide[0] - wide[2]).flatten(1), (narrow[0] - narrow[2]).flatten(1)
                if wide_change.any():  # a painting that has begun, or begun from noise
                    seen = (narrow_change * (metric @ narrow_change)).sum()
                    content.append(float((wide_change ** 2).sum() / seen))
    return ratios


def export(options):
    """Writes weights (F16), metrics (F32) and, in the metadata, the factors of both losses."""
    seed(options.seed)
    teacher = Network(read_teacher(options.vgg16)).requires_grad_(False)
    layers, projections = load_checkpoint(options.net)
    layers = [(weight.half().float(), bias.half().float()) for weight, bias in layers]
    student = Network(layers).requires_grad_(False)
    photos = load_photos(options.photos)
    pool = PaintingPool(photos, options.pool)
    batches = options.batches or 60
    fitted, errors = refit(teacher, student, projections, photos, pool, batches)
    metrics = [symmetric((q.t() @ q).float()) for q in fitted]
    ratios = calibrate(teacher, student, projections, metrics, pool, max(1, batches // 2))
    tensors, taps = {}, {}
    for layer, name in enumerate(LAYERS):
        tap = name.replace('conv', 'relu')
        weight, bias = layers[layer]
        tensors[name + '.weight'] = weight.half().contiguous()
        tensors[name + '.bias'] = bias.half()
        tensors[tap + '.metric'] = metrics[layer]
        style, content = (np.percentile(ratio, [25, 50, 75]) for ratio in ratios[layer])
        taps[tap] = {'channels': len(fitted[layer]), 'style': round(float(style[1]), 4), 'content': round(float(content[1]), 4)}
        print(f'{tap}: {len(bias)} of {len(fitted[layer])} channels, error {errors[layer]:.3f}, '
              f's {style[1]:.2f} ({style[0]:.2f}–{style[2]:.2f}), '
              f'c {content[1]:.2f} ({content[0]:.2f}–{content[2]:.2f})', flush=True)
    save_file(tensors, options.out, metadata={
        'format': 'nstfilter', 'network': options.name, 'teacher': 'vgg16', 'pooling': 'avg', 'input': 'rgb01',
        'mean': ','.join(map(str, MEAN)), 'std': ','.join(map(str, STD)), 'taps': json.dumps(taps),
        'licence': 'derived from VGG-16 (Oxford VGG, CC BY 4.0) by distillation',
    })


def symmetric(matrix):
    return ((matrix + matrix.t()) / 2).contiguous()


# checkpoints and command line

def save_checkpoint(path, layers, projections):
    torch.save({'layers': layers, 'projections': list(projections)}, path)


def load_checkpoint(path):
    """Returns [(weight, bias)] and [Q (teacher's channels, student's)]."""
    checkpoint = torch.load(path, weights_only=True)
    return checkpoint['layers'], checkpoint['projections']


def seed(number):
    random.seed(number)
    torch.manual_seed(number)


def parse(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest='command', required=True)
    for function in (init, train, export):
        command = commands.add_parser(function.__name__, help=function.__doc__.splitlines()[0])
        command.set_defaults(run=function)
        command.add_argument('--vgg16', required=True, metavar='FILE', help='the teacher: vgg16.ckpt')
        command.add_argument('--photos', required=True, metavar='DIR', help='training pictures')
        command.add_argument('--out', required=True, metavar='FILE')
        command.add_argument('--seed', type=int, default=1)
        if function is init:
            command.add_argument('--widths', default=WIDTHS, help='channels of the 11 layers (%(default)s)')
        if function is train:
            command.add_argument('--init', required=True, metavar='FILE', help='what init or train wrote')
            command.add_argument('--minutes', type=float, default=70)
            command.add_argument('--steps', type=int, help='instead of --minutes')
            command.add_argument('--rate', type=float, default=2e-3, help="Adam's (%(default)s)")
        else:
            command.add_argument('--batches', type=int, help='of pictures to measure on (init 24, export 60)')
        if function is export:
            command.add_argument('--net', required=True, metavar='FILE', help='what train wrote')
            command.add_argument('--name', default='slim', help='in the metadata (%(default)s)')
        else:
            command.add_argument('--batch', type=int, default=8, help='pictures in a batch (%(default)s)')
        if function is not init:
            command.add_argument('--pool', type=int, default=192 if function is train else 64,
                                 help='paintings in the making (%(default)s)')
    return parser.parse_args(arguments)


def main(arguments=None):
    options = parse(arguments)
    torch.set_num_threads(os.cpu_count())
    options.run(options)


if __name__ == '__main__':
    main()
