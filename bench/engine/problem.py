"""Reads a problem's folder (problem.go says what is in it) and times its solution."""
import json
import pathlib
import resource
import sys
import time

import numpy as np

BUDGET = 3.0  # seconds to iterate for, after one iteration to warm up; 3 at least


class Problem:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        told = json.loads((self.folder / 'problem.json').read_text())
        self.width, self.height, self.threads = told['width'], told['height'], told['threads']
        self.mean = np.float32(told['mean']).reshape(1, 3, 1, 1)
        self.std = np.float32(told['std']).reshape(1, 3, 1, 1)
        self.layers, at = told['layers'], 0
        numbers = np.fromfile(self.folder / 'weights.f32', '<f4')
        for layer in self.layers:
            outs, ins = layer['out'], layer['in']
            layer['weight'] = numbers[at:at + 9 * ins * outs].reshape(outs, ins, 3, 3)
            at += 9 * ins * outs
            layer['bias'] = numbers[at:at + outs]
            at += outs
            layer['pooled'] = layer['block'] > 1 and layer['index'] == 1

    def picture(self, name):
        """(1, 3, height, width) of RGB in [0,1]."""
        return np.fromfile(self.folder / f'{name}.f32', '<f4').reshape(1, 3, self.height, self.width)


def report(program, iterate, gradient_path):
    """Times iterate(), which returns dJ/dx, and prints the line that ours.go prints."""
    seconds, gradient, began = [], None, time.monotonic()
    while len(seconds) < 4 or time.monotonic() - began < BUDGET:
        start = time.perf_counter()
        gradient = iterate()
        seconds.append(time.perf_counter() - start)
    np.ascontiguousarray(gradient, '<f4').tofile(gradient_path)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({'program': program, 'seconds': seconds[1:], 'peak_memory_bytes': peak}))
    sys.stdout.flush()
