"""A film through a pipe, without ffmpeg: film.py make WIDTH HEIGHT FRAMES writes y4m;
film.py time reads it and prints when its frames came.
"""
import sys
import time

import numpy as np

PAN, CROSS = (4, 2), (-6, 4)  # pixels a frame, even: chroma moves along


def texture(width, height, seed, strength):
    """(height, width) of samples: waves of many lengths, the longer the higher, and a grain
    of four pixels."""
    draw = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    picture = np.zeros((height, width), np.float32)
    for length in (11, 23, 47, 97, 211, 430):
        angle, phase = draw.uniform(0, 2 * np.pi, 2)
        picture += (length / 211)**0.5 * np.sin((np.cos(angle) * x + np.sin(angle) * y) * (2 * np.pi / length) + phase)
    coarse = draw.normal(size=(height // 4 + 1, width // 4 + 1)).astype(np.float32)
    picture += 0.3 * np.repeat(np.repeat(coarse, 4, 0), 4, 1)[:height, :width]
    return (128 + strength * picture).clip(16, 235).astype(np.uint8)


def make(width, height, frames):
    """A textured ground that a camera pans over, before which a disc of another crosses."""
    out = sys.stdout.buffer
    out.write(f'YUV4MPEG2 W{width} H{height} F25:1 Ip A1:1 C420jpeg\n'.encode())
    planes = []  # of each: ground, disc, how many pixels a sample is wide
    for plane, (step, strength) in enumerate(((1, 32), (2, 8), (2, 8))):
        w, h = width // step, height // step
        far = tuple(v * frames // step for v in PAN)
        planes.append((texture(w + far[0], h + far[1], plane, strength), texture(w, h, plane + 3, strength), step))
    for n in range(frames):
        out.write(b'FRAME\n')
        for ground, disc, step in planes:
            w, h = width // step, height // step
            x, y = (v * n // step for v in PAN)
            picture = ground[y:y + h, x:x + w].copy()
            y, x = np.mgrid[:h, :w]
            cx, cy = (2 * width // 3 + CROSS[0] * n) // step, (height // 3 + CROSS[1] * n) // step
            inside = (x - cx)**2 + (y - cy)**2 < (height // 6 // step)**2
            moved = np.roll(disc, (CROSS[1] * n // step, CROSS[0] * n // step), (0, 1))
            picture[inside] = moved[inside]
            out.write(picture.tobytes())
    out.flush()


def clock():
    """Prints the seconds until the first frame, and the rate of those after it."""
    began = time.monotonic()
    stream = sys.stdin.buffer
    header = stream.readline().decode().split()
    if not header:
        sys.exit('film.py: no film came')
    told = {word[0]: word[1:] for word in header[1:]}
    width, height = int(told['W']), int(told['H'])
    size, came = width * height + 2 * ((width + 1) // 2) * ((height + 1) // 2), []
    while stream.readline():
        if len(stream.read(size)) < size:
            sys.exit(f'film.py: frame {len(came) + 1} is cut short')
        came.append(time.monotonic())
    if len(came) < 2:
        sys.exit(f'film.py: {len(came)} frames came')
    each = np.diff(came)
    print(f'{width}x{height}, {len(came)} frames: the first after {came[0] - began:.2f} s, then {1 / each.mean():.3f} frames a second '
          f'({each.mean():.3f} s a frame, median {np.median(each):.3f}, longest {each.max():.3f})')


if sys.argv[1] == 'make':
    make(*map(int, sys.argv[2:]))
else:
    clock()
