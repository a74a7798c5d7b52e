#!/usr/bin/env python3
"""Runs init, train and export on a tiny made-up teacher and checks what comes out.

    smoke_test.py [--keep FILE]      FILE: where to leave the exported network

Says so and succeeds if torch is missing (requirements.txt has all that it needs).
"""
import argparse
import json
import pathlib
import pickle
import shutil
import sys
import tempfile

try:
    import torch
except ImportError:
    print('smoke_test.py: skipped, torch is missing (pip install -r requirements.txt)')
    sys.exit(0)
import numpy as np
from PIL import Image
from safetensors import safe_open

import distil
import pictures as training_pictures
from network import LAYERS, Network, read_teacher
from pictures import PaintingPool, load_photos, samples

TEACHER_WIDTHS = [8, 8, 12, 12, 16, 16, 16, 20, 20, 20, 24]
STUDENT_WIDTHS = [4, 4, 6, 6, 8, 8, 8, 10, 10, 10, 12]
TRAINING_STEPS = 20
training_pictures.SIZE = 64  # relu5_1 is 4 pixels wide


def make_teacher(path):
    """A random network in the layout of vgg16.ckpt, scaled so that activations keep their size."""
    generator = np.random.RandomState(1)
    tree, channels = {}, 3
    for number, width in enumerate(TEACHER_WIDTHS):
        scale = np.sqrt(2 / (9 * channels))
        tree[f'Conv_{number}'] = {
            'kernel': (scale * generator.randn(3, 3, channels, width)).astype(np.float32),
            'bias': (0.1 * generator.randn(width)).astype(np.float32),
        }
        channels = width
    path.write_bytes(pickle.dumps({'VGG16_0': tree}, protocol=3))


def make_photos(folder):
    """Five pictures of coloured waves and noise."""
    generator = np.random.RandomState(2)
    folder.mkdir()
    y, x = np.mgrid[0:160, 0:200]
    for number in range(5):
        waves = [np.sin(x * a + y * b + c) for a, b, c in generator.uniform(-0.4, 0.4, (3, 3))]
        picture = 0.5 + 0.4 * np.stack(waves, axis=2) + 0.05 * generator.randn(160, 200, 3)
        Image.fromarray((255 * picture.clip(0, 1)).astype(np.uint8)).save(folder / f'{number}.png')


def loss_of(checkpoint, teacher_path, photos_path):
    """The training loss over fixed pictures."""
    teacher = Network(read_teacher(teacher_path)).requires_grad_(False)
    layers, projections = distil.load_checkpoint(checkpoint)
    student = Network(layers).requires_grad_(False)
    distil.seed(3)
    pictures = samples(load_photos(photos_path), 12)
    loss, _ = distil.training_loss(teacher(pictures), student(pictures), projections)
    return float(loss)


def check_pool(photos_path, checkpoint):
    """Paintings move, stay in [0, 1], and age."""
    layers, projections = distil.load_checkpoint(checkpoint)
    pool = PaintingPool(load_photos(photos_path), 2)
    before = [painting.picture for painting in pool.paintings]
    after = pool.visit(Network(layers).requires_grad_(False), projections, 2)
    assert after.min() >= 0 and after.max() <= 1, (after.min(), after.max())
    assert [painting.visits for painting in pool.paintings] == [1, 1]
    assert all(not torch.equal(old, painting.picture) for old, painting in zip(before, pool.paintings))


def check_export(path, trained):
    """Names, types and shapes; M symmetric; every factor above zero; weights as trained."""
    layers, _ = distil.load_checkpoint(trained)
    with safe_open(path, 'pt') as file:
        metadata = file.metadata()
        tensors = {name: file.get_tensor(name) for name in file.keys()}
    taps, channels = json.loads(metadata['taps']), 3
    assert metadata['pooling'] == 'avg' and metadata['network'] == 'smoke', metadata
    for number, name in enumerate(LAYERS):
        width, tap = STUDENT_WIDTHS[number], name.replace('conv', 'relu')
        weight, bias, metric = (tensors.pop(key) for key in (name + '.weight', name + '.bias', tap + '.metric'))
        assert weight.dtype == bias.dtype == torch.float16 and metric.dtype == torch.float32
        assert weight.shape == (width, channels, 3, 3) and bias.shape == (width,) and metric.shape == (width, width)
        assert torch.equal(weight, layers[number][0].half()), name
        assert torch.equal(metric, metric.t()) and torch.linalg.eigvalsh(metric.double())[0] > -1e-4 * metric.max(), tap
        scale = taps.pop(tap)
        assert scale['channels'] == TEACHER_WIDTHS[number] and 0 < scale['style'] < 100 and 0 < scale['content'] < 100, scale
        channels = width
    assert not tensors and not taps, (tensors.keys(), taps)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--keep', metavar='FILE')
    keep = parser.parse_args().keep
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        teacher, photos = folder / 'teacher.ckpt', folder / 'photos'
        started, trained, exported = folder / 'init.pt', folder / 'net.pt', folder / 'net.safetensors'
        make_teacher(teacher)
        make_photos(photos)
        common = ['--vgg16', str(teacher), '--photos', str(photos)]
        distil.main(['init', *common, '--out', str(started), '--batches', '4', '--widths', ','.join(map(str, STUDENT_WIDTHS))])
        check_pool(photos, started)
        distil.main(['train', *common, '--init', str(started), '--out', str(trained),
                     '--steps', str(TRAINING_STEPS), '--rate', '0.01', '--batch', '4', '--pool', '8'])
        before, after = (loss_of(checkpoint, teacher, photos) for checkpoint in (started, trained))
        assert after < 0.9 * before, f'training took the loss from {before:.4f} to {after:.4f} only'
        distil.main(['export', *common, '--net', str(trained), '--out', str(exported), '--batches', '4', '--pool', '8', '--name', 'smoke'])
        check_export(exported, trained)
        if keep:
            shutil.copyfile(exported, keep)
    print(f'smoke_test.py: passed, training took the loss from {before:.4f} to {after:.4f}')


if __name__ == '__main__':
    main()
