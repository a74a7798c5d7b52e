#!/usr/bin/env python3
"""Distils VGG-16 to relu5_1 into a narrow network whose losses stand for its own.

    distil.py pack   --photos DIR --styles DIR --out photos.zip
    distil.py init   --vgg16 vgg16.ckpt --photos photos.zip --out init.pt
    distil.py train  --vgg16 vgg16.ckpt --photos photos.zip --init init.pt --minutes 70 --out net.pt
    distil.py export --vgg16 vgg16.ckpt --photos photos.zip --net net.pt --out net.f16.safetensors

With the teacher's activations F and the student's f, a matrix Q with F ≈ Q f is
learned for each layer. Then Gram_F ≈ Q Gram_f Qᵀ, and with M = QᵀQ

    ‖ΔGram_F‖² ≈ tr(M ΔGram_f M ΔGram_f)        ‖ΔF‖² ≈ Δfᵀ M Δf

so that the narrow network, with its M, has losses in VGG's units and balance.
"""
import argparse
import random

import torch

from export import export
from network import POOLINGS
from photos import STYLE_COPIES, pack
from start import init
from train import train

WIDTHS = '32,32,64,64,96,96,96,192,192,192,256'
BATCH = {'cpu': 8, 'cuda': 96}
POOL = {'cpu': 64, 'cuda': 768}


def seed(number):
    random.seed(number)
    torch.manual_seed(number)


def add_command(commands, function):
    command = commands.add_parser(function.__name__, help=function.__doc__.splitlines()[0])
    command.set_defaults(run=function)
    command.add_argument('--photos', required=True, metavar='DIR|ZIP', help='a folder of pictures, or what pack wrote')
    command.add_argument('--out', required=True, metavar='FILE')
    return command


def add_network_command(commands, function, pooling):
    command = add_command(commands, function)
    command.add_argument('--vgg16', required=True, metavar='FILE', help='the teacher: vgg16.ckpt or .safetensors')
    command.add_argument('--pooling', choices=POOLINGS, default=pooling, help='(%(default)s)' if pooling else "(the checkpoint's)")
    command.add_argument('--device', choices=('auto', *BATCH), default='auto', help='(auto: a GPU if there is one)')
    command.add_argument('--seed', type=int, default=1)
    return command


def parse(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest='command', required=True)

    command = add_command(commands, pack)
    command.add_argument('--styles', metavar='DIR', help=f'more pictures, each counting {STYLE_COPIES} times')

    command = add_network_command(commands, init, 'max')
    command.add_argument('--widths', default=WIDTHS, help='channels of the 11 layers (%(default)s)')
    command.add_argument('--batches', type=int, default=24, help='to measure on (%(default)s)')
    command.add_argument('--batch', type=int, help=f'pictures in a batch ({BATCH["cpu"]}, on a GPU {BATCH["cuda"]})')

    command = add_network_command(commands, train, None)
    command.add_argument('--init', required=True, metavar='FILE', help='what init or train wrote')
    command.add_argument('--minutes', type=float, default=70)
    command.add_argument('--steps', type=int, help='instead of --minutes')
    command.add_argument('--rate', type=float, default=2e-3, help="Adam's (%(default)s)")
    command.add_argument('--batch', type=int, help=f'pictures in a batch ({BATCH["cpu"]}, on a GPU {BATCH["cuda"]})')
    command.add_argument('--pool', type=int, help=f'paintings in the making ({POOL["cpu"]}, on a GPU {POOL["cuda"]})')

    command = add_network_command(commands, export, None)
    command.add_argument('--net', required=True, metavar='FILE', help='what train wrote')
    command.add_argument('--batches', type=int, default=60, help='to measure on (%(default)s)')
    command.add_argument('--pool', type=int, default=POOL['cpu'], help='paintings in the making (%(default)s)')
    command.add_argument('--name', default='slim', help='in the metadata (%(default)s)')
    return parser.parse_args(arguments)


def complete(options):
    """Chooses the device and fills in what depends on it."""
    if options.device == 'auto':
        options.device = 'cuda' if torch.cuda.is_available() else 'cpu'
    options.device = torch.device(options.device)
    for name, default in (('batch', BATCH), ('pool', POOL)):
        if getattr(options, name, 0) is None:
            setattr(options, name, default[options.device.type])
    if options.run is train and options.pool < options.batch // 2:
        raise SystemExit(f'--pool {options.pool}: give at least half of --batch {options.batch}')


def main(arguments=None):
    options = parse(arguments)
    if options.run is not pack:
        complete(options)
        seed(options.seed)
    options.run(options)


if __name__ == '__main__':
    main()
