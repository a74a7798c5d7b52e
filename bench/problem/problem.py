"""Reads a problem's folder (problem.go says what is in it)."""
import json
import pathlib

import numpy as np


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
