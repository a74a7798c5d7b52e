"""PyTorch on problems, for as long as stdin has jobs: a line of JSON each, answered by
one (job and answer in job.go; {"card": true} asks for what card.go has). On the CPU
where there is no GPU, to try the program out.
"""
import gc
import json
import os
import statistics
import sys
import time
import traceback
import warnings

import torch
import torch.nn.functional as functional

from problem import Problem

WARM = 3  # iterations before anything is timed
BATCH = 0.05  # seconds that a batch takes at least; the host waits after each
BATCHES = 5  # at least
SIDE = 8192  # of the matrices that show the card's peak; 512 on the CPU
COPY = 1 << 29  # bytes that are copied to show its bandwidth

gpu = torch.cuda.is_available()
device = torch.device('cuda' if gpu else 'cpu')
torch.backends.cudnn.benchmark = True
warnings.filterwarnings('ignore', message='.*TF32.*')


def wait():
    if gpu:
        torch.cuda.synchronize()


def timed(run, n):
    """Seconds of one of n runs, by the card's clock."""
    if not gpu:
        start = time.perf_counter()
        for _ in range(n):
            run()
        return (time.perf_counter() - start) / n
    start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    start.record()
    for _ in range(n):
        run()
    end.record()
    end.synchronize()
    return start.elapsed_time(end) / 1000 / n


def batches(run, seconds):
    """Seconds of a run in each batch, for as long as seconds."""
    for _ in range(WARM):
        run()
    wait()
    n = max(1, round(BATCH / timed(run, 1)))
    all_of_them, began = [], time.monotonic()
    while len(all_of_them) < BATCHES or time.monotonic() - began < seconds:
        all_of_them.append(timed(run, n))
    return all_of_them


def allow_tf32(allowed):
    torch.backends.cuda.matmul.allow_tf32 = allowed
    torch.backends.cudnn.allow_tf32 = allowed


class Objective:
    """J of a problem, of which every tensor is on the device."""

    def __init__(self, problem, precision, layout):
        allow_tf32(precision == 'tf32')
        self.dtype = torch.bfloat16 if precision == 'bf16' else torch.float32
        self.memory = {'nchw': torch.contiguous_format, 'nhwc': torch.channels_last}[layout]
        self.problem = problem
        self.mean, self.std = (torch.from_numpy(v).to(device) for v in (problem.mean, problem.std))
        self.weights = [torch.from_numpy(l['weight']).to(device, self.dtype, memory_format=self.memory) for l in problem.layers]
        self.biases = [torch.from_numpy(l['bias']).to(device, self.dtype) for l in problem.layers]
        with torch.no_grad():
            grams = [self.gram(a) for l, a in self.activations(self.picture('style')) if l['style']]
            self.grams = [(g, 1 / g.square().sum().item()) for g in grams]
            for l, a in self.activations(self.picture('content')):
                if l['content']:
                    self.content = a.float()
                    self.content_scale = 1 / self.content.square().sum().item()

    def picture(self, name):
        return torch.from_numpy(self.problem.picture(name)).to(device, memory_format=self.memory)

    def activations(self, x):
        """Yields each layer with its activation."""
        x = functional.pad((x - self.mean) / self.std, (1, 1, 1, 1), mode='replicate')
        x = x.to(self.dtype, memory_format=self.memory)
        for number, layer in enumerate(self.problem.layers):
            if layer['pooled']:
                x = functional.avg_pool2d(x, 2)
            x = functional.conv2d(x, self.weights[number], self.biases[number], padding=min(number, 1))
            x = functional.relu(x, inplace=True)
            yield layer, x

    def gram(self, a):
        """(C, C) in float32, multiplied in the activation's own type."""
        channels = a.shape[1]
        if self.memory == torch.channels_last:
            f = a.permute(0, 2, 3, 1).reshape(-1, channels)
            return (f.t() @ f).float() / f.shape[0]
        f = a.reshape(channels, -1)
        return (f @ f.t()).float() / f.shape[1]

    def __call__(self, x):
        j, left = 0, iter(self.grams)
        for layer, a in self.activations(x):
            if layer['style']:
                wanted, scale = next(left)
                j = j + (self.gram(a) - wanted).square().sum() * scale
            if layer['content']:
                j = j + (a.float() - self.content).square().sum() * self.content_scale
        return j


def captured(iterate):
    """iterate as a CUDA graph: what runs it again, and what it always writes to."""
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(WARM):
            iterate()
    torch.cuda.current_stream().wait_stream(side)
    wait()
    torch.cuda.reset_peak_memory_stats()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        gradient = iterate()
    return graph, gradient


def solve(job):
    """Times J and dJ/dx at x, and writes dJ/dx. Memory is the peak once cuDNN has chosen."""
    j = Objective(Problem(job['folder']), job['precision'], job['layout'])
    x = j.picture('x').requires_grad_(True)
    if job['mode'] == 'compiled':
        j = torch.compile(j.__call__)

    def iterate():
        return torch.autograd.grad(j(x), x)[0]

    if job['mode'] == 'eager':
        for _ in range(WARM):
            iterate()
        wait()
        if gpu:
            torch.cuda.reset_peak_memory_stats()
        gradient, run = iterate(), iterate
    else:
        graph, gradient = captured(iterate)
        run = graph.replay
    seconds = batches(run, job['seconds'])
    memory = torch.cuda.max_memory_allocated() if gpu else 0
    gradient.detach().float().contiguous().cpu().numpy().astype('<f4').tofile(job['gradient'])
    return {'program': f'PyTorch {torch.__version__}', 'seconds': seconds, 'memory': memory}


def card():
    """What the device does at most: a large matrix product of each type, and a copy."""
    side, size = (SIDE, COPY) if gpu else (512, 1 << 24)
    told = {'name': torch.cuda.get_device_name() if gpu else 'CPU', 'gpu': gpu}
    for precision in ('fp32', 'tf32', 'bf16'):
        allow_tf32(precision == 'tf32')
        a, b = (torch.randn(side, side, device=device).to(torch.bfloat16 if precision == 'bf16' else torch.float32) for _ in range(2))
        c = torch.empty_like(a)
        told[precision] = 2 * side**3 / statistics.median(batches(lambda: torch.mm(a, b, out=c), 0))
    source = torch.randn(size // 4, device=device)
    target = torch.empty_like(source)
    told['copy'] = 2 * size / statistics.median(batches(lambda: target.copy_(source), 0))
    return told


def main():
    answers = os.fdopen(os.dup(1), 'w')
    os.dup2(2, 1)  # what libraries print is no answer
    for line in sys.stdin:
        job = json.loads(line)
        try:
            answer = card() if job.get('card') else solve(job)
        except Exception as failure:  # out of memory, no such kernel: the next job may do
            traceback.print_exc()
            answer = {'error': f'{type(failure).__name__}: {str(failure).splitlines()[0] if str(failure) else ""}'}
        print(json.dumps(answer), file=answers, flush=True)
        gc.collect()
        if gpu:
            torch.cuda.empty_cache()


if __name__ == '__main__':
    main()
