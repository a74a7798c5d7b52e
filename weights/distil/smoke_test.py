#!/usr/bin/env python3
"""Runs pack, init, train and export on a tiny made-up teacher and checks what comes out.

    smoke_test.py [--keep FILE]      FILE: where to leave the exported network with average pooling

Says so and succeeds if torch is missing (requirements.txt has all that it needs).
"""
import argparse
import contextlib
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
from safetensors.torch import save_file

import distil
import photos as training_photos
from checkpoint import load_checkpoint, save_checkpoint
from network import LAYERS, POOLINGS, Network
from paintings import Pool
from photos import SIDE, STYLE_COPIES, Photos, read_squares
from teacher import read_teacher
from train import training_loss

TEACHER_WIDTHS = [8, 8, 12, 12, 16, 16, 16, 20, 20, 20, 24]
STUDENT_WIDTHS = [4, 4, 6, 6, 8, 8, 8, 10, 10, 10, 12]
TRAINING_STEPS = 20
training_photos.SIZE = 64  # relu5_1 is 4 pixels wide


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


def make_photos(folder, count):
    """Pictures of coloured waves and noise."""
    generator = np.random.RandomState(2)
    folder.mkdir()
    y, x = np.mgrid[0:160, 0:200]
    for number in range(count):
        waves = [np.sin(x * a + y * b + c) for a, b, c in generator.uniform(-0.4, 0.4, (3, 3))]
        picture = 0.5 + 0.4 * np.stack(waves, axis=2) + 0.05 * generator.randn(160, 200, 3)
        Image.fromarray((255 * picture.clip(0, 1)).astype(np.uint8)).save(folder / f'{number}.png')


@contextlib.contextmanager
def refused(*words):
    """The commands inside end with an error that says these words."""
    try:
        yield
    except SystemExit as error:
        assert all(word in str(error) for word in words), error
    else:
        raise AssertionError(f'no error that says {words}')


def check_teacher(path):
    """nstfilter's file holds the same teacher as the pickle."""
    layers = read_teacher(str(path))
    converted = path.with_suffix('.safetensors')
    save_file({f'{name}.{part}': tensor for name, layer in zip(LAYERS, layers)
               for part, tensor in zip(('weight', 'bias'), layer)}, converted)
    for layer, again in zip(layers, read_teacher(str(converted)), strict=True):
        assert all(map(torch.equal, layer, again))
    return converted


def check_pack(photos, styles, packed):
    """The photos once, the styles several times, all of them nearly as the folder has them."""
    distil.main(['pack', '--photos', str(photos), '--styles', str(styles), '--out', str(packed)])
    squares = read_squares(packed)
    wanted = torch.cat([read_squares(photos)] + STYLE_COPIES * [read_squares(styles)])
    assert squares.shape == wanted.shape == (5 + STYLE_COPIES, 3, SIDE, SIDE), squares.shape
    # JPEG costs a few levels
    assert (squares.float() - wanted.float()).abs().mean() < 8
    with refused('empty', 'no picture'):
        read_squares(packed.with_name('empty'))


def check_crops(folder):
    """Of a ramp in x and y: as steep in both, mirrored in x only, within the sizes allowed."""
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    folder.mkdir()
    Image.fromarray(np.stack([x, y, y], axis=2).astype(np.uint8)).save(folder / 'ramp.png')
    crops = 255 * Photos(folder, torch.device('cpu')).crops(32)
    right, down = crops[:, 0].diff(dim=2).mean((1, 2)), crops[:, 1].diff(dim=1).mean((1, 2))
    assert (right.abs() - down).abs().max() < 0.05 and 0 < (right < 0).sum() < 32
    size = training_photos.SIZE
    assert training_photos.LEAST_CROP / size - 0.1 < down.min() and down.max() < SIDE / size + 0.1, down


def check_pool(photos, checkpoint):
    """Paintings move, stay in [0, 1], age, and make room for new ones."""
    layers, projections, pooling = load_checkpoint(checkpoint)
    pool = Pool(Photos(photos, torch.device('cpu')), 3)
    pool.visits[:] = torch.tensor([2, 2, 1])
    before = pool.picture.clone()
    metrics = [q.t() @ q for q in projections]
    after = pool.visit(Network(layers, pooling).requires_grad_(False), metrics, 3)
    assert after.min() >= 0 and after.max() <= 1, (after.min(), after.max())
    assert pool.visits[:2].tolist() == [1, 1] and pool.visits[2] >= 2, pool.visits
    assert (before != pool.picture).flatten(1).any(1).all()


def check_poolings(checkpoint, train):
    """A checkpoint knows its pooling, an old one has avg, and no command may contradict it."""
    layers, projections, pooling = load_checkpoint(checkpoint)
    other, = POOLINGS.keys() - {pooling}
    with refused(str(checkpoint), f'{pooling} pooling', f'init --pooling {other}'):
        distil.main([*train, '--pooling', other])
    old = checkpoint.with_name('old.pt')
    save_checkpoint(old, layers, projections, pooling)
    torch.save({key: value for key, value in torch.load(old).items() if key != 'pooling'}, old)
    assert load_checkpoint(old)[2] == 'avg'


def loss_of(checkpoint, teacher_path, photos_path):
    """The training loss over fixed pictures."""
    layers, projections, pooling = load_checkpoint(checkpoint)
    teacher = Network(read_teacher(str(teacher_path)), pooling).requires_grad_(False)
    student = Network(layers, pooling).requires_grad_(False)
    distil.seed(3)
    pictures = Photos(photos_path, torch.device('cpu')).samples(12)
    loss, _ = training_loss(teacher(pictures), student(pictures), projections)
    return float(loss)


def check_export(path, trained):
    """Names, types and shapes; M symmetric; every factor above zero; weights as trained."""
    layers, _, pooling = load_checkpoint(trained)
    with safe_open(path, 'pt') as file:
        metadata = file.metadata()
        tensors = {name: file.get_tensor(name) for name in file.keys()}
    taps, channels = json.loads(metadata['taps']), 3
    assert metadata['pooling'] == pooling and metadata['network'] == 'smoke', metadata
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


def check_steps(folder, teacher, photos, pooling):
    """init, train and export with one pooling; returns the exported file and the loss before and after."""
    started, trained, exported = (folder / f'{pooling}.{name}' for name in ('init.pt', 'net.pt', 'safetensors'))
    common = ['--vgg16', str(teacher), '--photos', str(photos), '--device', 'cpu']
    widths = ','.join(map(str, STUDENT_WIDTHS))
    distil.main(['init', *common, '--out', str(started), '--batches', '4', '--widths', widths, '--pooling', pooling])
    check_pool(photos, started)
    train = ['train', *common, '--init', str(started), '--out', str(trained), '--rate', '0.01', '--batch', '4', '--pool', '8', '--steps']
    check_poolings(started, [*train, '2'])
    check_seed(trained, [*train, '2'])
    distil.main([*train, str(TRAINING_STEPS)])
    before, after = (loss_of(checkpoint, teacher, photos) for checkpoint in (started, trained))
    assert after < 0.9 * before, f'training took the loss from {before:.4f} to {after:.4f} only'
    distil.main(['export', *common, '--net', str(trained), '--out', str(exported), '--batches', '4', '--pool', '8', '--name', 'smoke'])
    check_export(exported, trained)
    return exported, before, after


def check_seed(trained, train):
    """The same seed trains the same network, another seed another."""
    first, again, other = ([], [], [])
    for seed, weights in (('1', first), ('1', again), ('2', other)):
        distil.main([*train, '--seed', seed])
        weights += [weight for weight, _ in load_checkpoint(trained)[0]]
    assert all(map(torch.equal, first, again)) and not all(map(torch.equal, first, other))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--keep', metavar='FILE')
    keep = parser.parse_args().keep
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        teacher, photos, styles, packed = (folder / name for name in ('teacher.ckpt', 'photos', 'styles', 'photos.zip'))
        make_teacher(teacher)
        make_photos(photos, 5)
        make_photos(styles, 1)
        check_pack(photos, styles, packed)
        check_crops(folder / 'ramp')
        _, *losses = check_steps(folder, check_teacher(teacher), packed, 'max')
        average, *_ = check_steps(folder, teacher, photos, 'avg')
        if keep:
            shutil.copyfile(average, keep)
    print('smoke_test.py: passed, training took the loss from {:.4f} to {:.4f}'.format(*losses))


if __name__ == '__main__':
    main()
