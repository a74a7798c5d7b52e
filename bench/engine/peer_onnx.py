"""ONNX Runtime on a problem: peer_onnx.py FOLDER GRADIENT

ONNX Runtime infers: the gradient is written out here as operators, a convolution's
as a convolution with the weights rotated and transposed.
"""
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from problem import Problem
from report import report

OPSET = 17


class Graph:
    """Nodes and constants in the making."""

    def __init__(self):
        self.nodes, self.constants = [], []

    def constant(self, value, dtype=np.float32):
        name = f'c{len(self.constants)}'
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value, dtype), name))
        return name

    def integers(self, *values):
        return self.constant(values, np.int64)

    def node(self, kind, *inputs, **attributes):
        name = f'n{len(self.nodes)}'
        self.nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name


def activations(g, problem, x):
    """Each layer's activation, and its (height, width)."""
    x = g.node('Div', g.node('Sub', x, g.constant(problem.mean)), g.constant(problem.std))
    x = g.node('Pad', x, g.integers(0, 0, 1, 1, 0, 0, 1, 1), mode='edge')
    out, (height, width) = [], (problem.height, problem.width)
    for number, layer in enumerate(problem.layers):
        if layer['pooled']:
            x = g.node('AveragePool', x, kernel_shape=[2, 2], strides=[2, 2])
            height, width = height // 2, width // 2
        x = g.node('Conv', x, g.constant(layer['weight']), g.constant(layer['bias']), pads=[min(number, 1)] * 4)
        x = g.node('Relu', x)
        out.append((x, height, width))
    return out


def flat(g, a, channels):
    return g.node('Reshape', a, g.integers(channels, -1))


def gram(g, f, positions):
    product = g.node('MatMul', f, g.node('Transpose', f, perm=[1, 0]))
    return g.node('Mul', product, g.constant(1 / positions))


def gradient(g, problem, x, grams, target):
    """dJ/dx from the targets."""
    every, d = activations(g, problem, x), None
    for number in reversed(range(len(problem.layers))):
        layer, (a, height, width) = problem.layers[number], every[number]
        channels, positions = layer['out'], height * width
        parts = [] if d is None else [d]
        if layer['style']:
            wanted, f = grams[number], flat(g, a, channels)
            error = g.node('Sub', gram(g, f, positions), g.constant(wanted))
            by_gram = g.node('Mul', error, g.constant(4 / np.square(wanted).sum() / positions))
            part = g.node('MatMul', by_gram, f)
            parts.append(g.node('Reshape', part, g.integers(1, channels, height, width)))
        if layer['content']:
            scale = 2 / np.square(target).sum()
            parts.append(g.node('Mul', g.node('Sub', a, g.constant(target)), g.constant(scale)))
        d = parts[0]
        for part in parts[1:]:
            d = g.node('Add', d, part)
        d = g.node('Where', g.node('Greater', a, g.constant(0)), d, g.constant(0))
        weight = layer['weight'].transpose(1, 0, 2, 3)[:, :, ::-1, ::-1]
        d = g.node('Conv', d, g.constant(weight), pads=[1 if number else 2] * 4)
        if layer['pooled']:
            _, above_height, above_width = every[number - 1]
            sizes = g.integers(1, layer['in'], 2 * height, 2 * width)
            d = g.node('Resize', d, '', '', sizes, mode='nearest', nearest_mode='floor',
                       coordinate_transformation_mode='asymmetric')
            d = g.node('Mul', d, g.constant(0.25))
            odd = (above_height - 2 * height, above_width - 2 * width)
            if any(odd):
                d = g.node('Pad', d, g.integers(0, 0, 0, 0, 0, 0, *odd))
    for axis in (2, 3):  # what fell on the replicated border belongs to its neighbour
        size = (problem.height, problem.width)[axis - 2]

        def part(start, end):
            return g.node('Slice', d, g.integers(start), g.integers(end), g.integers(axis))

        def pads(before, after):
            return g.integers(*[before if i == axis else after if i == axis + 4 else 0 for i in range(8)])

        middle = part(1, size + 1)
        first = g.node('Pad', part(0, 1), pads(0, size - 1))
        last = g.node('Pad', part(size + 1, size + 2), pads(size - 1, 0))
        d = g.node('Add', g.node('Add', middle, first), last)
    return g.node('Div', d, g.constant(problem.std))


def session(problem, build):
    """A program from the picture x to what build(graph, 'x') names."""
    g = Graph()
    outputs = build(g, 'x')
    x = helper.make_tensor_value_info('x', TensorProto.FLOAT, [1, 3, problem.height, problem.width])
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs]
    graph = helper.make_graph(g.nodes, 'iteration', [x], values, g.constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', OPSET)], ir_version=8)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = problem.threads
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=['CPUExecutionProvider'])


def main():
    folder, gradient_path = sys.argv[1:]
    problem = Problem(folder)
    styles = [n for n, layer in enumerate(problem.layers) if layer['style']]
    contents = [n for n, layer in enumerate(problem.layers) if layer['content']]

    def targets(g, x):
        every = activations(g, problem, x)
        grams = [gram(g, flat(g, every[n][0], problem.layers[n]['out']), every[n][1] * every[n][2]) for n in styles]
        return grams + [every[n][0] for n in contents]

    run = session(problem, targets)
    grams = dict(zip(styles, run.run(None, {'x': problem.picture('style')})))
    target = run.run(None, {'x': problem.picture('content')})[-1]
    run = session(problem, lambda g, x: [gradient(g, problem, x, grams, target)])
    x = problem.picture('x')
    report(f'ONNX Runtime {onnxruntime.__version__}', lambda: run.run(None, {'x': x})[0], gradient_path)


if __name__ == '__main__':
    main()
