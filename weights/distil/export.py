"""export: the student with its metrics and factors, as a file for nstfilter."""
import json

import numpy as np
import torch
from safetensors.torch import save_file

from checkpoint import load_checkpoint
from network import LAYERS, MEAN, STD, Network, feature_norm, gram, gram_norm
from paintings import Pool
from photos import Photos
from projection import positions, solve_projection
from teacher import read_teacher

HALF = 4  # of a batch


def export(options):
    """Writes weights (F16), metrics (F32) and, in the metadata, the factors of both losses."""
    layers, projections, pooling = load_checkpoint(options.net, options.pooling)
    layers = [(weight.half(), bias.half()) for weight, bias in layers]
    teacher = Network(read_teacher(options.vgg16), pooling).requires_grad_(False).to(options.device)
    student = Network([(weight.float(), bias.float()) for weight, bias in layers], pooling)
    student = student.requires_grad_(False).to(options.device)
    photos = Photos(options.photos, options.device)
    pool = Pool(photos, options.pool)
    projections = [q.to(options.device) for q in projections]
    fitted, errors = refit(teacher, student, projections, photos, pool, options.batches)
    metrics = [symmetric((q.t() @ q).float()) for q in fitted]
    ratios = calibrate(teacher, student, metrics, pool, max(1, options.batches // 2))
    tensors, taps = {}, {}
    for name, (weight, bias), q, metric, error, ratio in zip(LAYERS, layers, fitted, metrics, errors, ratios):
        tap = name.replace('conv', 'relu')
        tensors |= {name + '.weight': weight.contiguous(), name + '.bias': bias, tap + '.metric': metric.cpu()}
        style, content = np.percentile(ratio, [25, 50, 75], axis=1).T
        taps[tap] = {'channels': len(q), 'style': round(float(style[1]), 4), 'content': round(float(content[1]), 4)}
        print(f'{tap}: {len(bias)} of {len(q)} channels, error {error:.3f}, '
              f's {style[1]:.2f} ({style[0]:.2f}–{style[2]:.2f}), '
              f'c {content[1]:.2f} ({content[0]:.2f}–{content[2]:.2f})', flush=True)
    save_file(tensors, options.out, metadata={
        'format': 'nstfilter', 'network': options.name, 'teacher': 'vgg16', 'pooling': pooling, 'input': 'rgb01',
        'mean': ','.join(map(str, MEAN)), 'std': ','.join(map(str, STD)), 'taps': json.dumps(taps),
        'licence': 'derived from VGG-16 (Oxford VGG, CC BY 4.0) by distillation',
    })


def symmetric(matrix):
    return ((matrix + matrix.t()) / 2).contiguous()


def refit(teacher, student, projections, photos, pool, batches):
    """Q by least squares over fresh pictures; returns it with each layer's relative error."""
    metrics = [q.t() @ q for q in projections]
    student_moments, cross_moments = [0] * len(LAYERS), [0] * len(LAYERS)
    for _ in range(batches):
        pictures = torch.cat([photos.samples(HALF), pool.visit(student, metrics, HALF)])
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


def calibrate(teacher, student, metrics, pool, visits):
    """How much larger the teacher's losses are, along paintings: ([style], [content]) by layer.

    Least squares explains only part of a difference, so both losses come out too
    small by a factor that is measured here.
    """
    ratios = [([], []) for _ in LAYERS]
    for _ in range(visits):
        pool.visit(student, metrics, HALF)
        begun = (pool.picture != pool.content).flatten(1).any(1).nonzero().squeeze(1).cpu()
        rows = begun[torch.randperm(len(begun))[:HALF]]
        pictures = torch.cat([pool.picture[rows], pool.style[rows], pool.content[rows]])
        for metric, wide, narrow, (style, content) in zip(metrics, teacher(pictures), student(pictures), ratios):
            (wide_gram, wide_features), (narrow_gram, narrow_features) = changes(wide), changes(narrow)
            style += ((wide_gram ** 2).sum((1, 2)) / gram_norm(metric, narrow_gram)).tolist()
            content += ((wide_features ** 2).sum((1, 2)) / feature_norm(metric, narrow_features)).tolist()
    return ratios


def changes(activation):
    """ΔGram from the styles and Δ from the contents, of activations of pictures, styles and contents."""
    picture, style, content = activation.chunk(3)
    return gram(picture) - gram(style), (picture - content).flatten(2)
