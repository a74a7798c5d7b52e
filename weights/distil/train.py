"""train: the student learns to stand for the teacher."""
import math
import time

import torch
import torch.nn as nn
import torch.nn.functional as functional

from checkpoint import load_checkpoint, save_checkpoint
from network import LAYERS, STYLE_LAYERS, Network, forward_fast, gram
from paintings import Pool
from photos import Photos
from teacher import read_teacher

# conv4_3 is in no loss of nstfilter's; conv5_1 has little say in its style loss.
LAYER_WEIGHT = {
    'conv1_1': 1, 'conv2_1': 1.5, 'conv3_1': 1.5, 'conv4_1': 1, 'conv5_1': 0.3, 'conv4_2': 1,
    'conv3_3': 0.5, 'conv2_2': 0.5, 'conv1_2': 0.3, 'conv4_3': 0.1, 'conv3_2': 0.3,
}
GRAM_WEIGHT = 0.5
WARM_UP = 50  # steps
SAY_EVERY = 30  # seconds


def train(options):
    """Adam with a short warm-up and cosine decay; half of each batch is the student's own paintings."""
    torch.backends.cudnn.benchmark = True
    torch.backends.cuda.matmul.allow_tf32 = True
    layers, start, pooling = load_checkpoint(options.init, options.pooling)
    teacher = Network(read_teacher(options.vgg16), pooling).requires_grad_(False).to(options.device)
    student = Network(layers, pooling).to(options.device)
    projections = nn.ParameterList(nn.Parameter(q) for q in start).to(options.device)
    photos = Photos(options.photos, options.device)
    pool = Pool(photos, options.pool)
    optimiser = torch.optim.Adam([*student.parameters(), *projections], lr=options.rate, betas=(0.9, 0.99))
    mean = RunningMean([*student.weights, *student.biases, *projections])
    own = options.batch // 2
    begun = said = time.monotonic()
    smooth, step = None, 0
    while (progress := train_progress(options, step, begun)) < 1:
        warm_up, cosine = min(1, (step + 1) / WARM_UP), 0.49 * (1 + math.cos(math.pi * progress)) + 0.02
        optimiser.param_groups[0]['lr'] = options.rate * warm_up * cosine
        metrics = [(q.t() @ q).detach() for q in projections]
        pictures = torch.cat([photos.samples(options.batch - own), pool.visit(student, metrics, own)])
        with torch.no_grad():
            wanted = forward_fast(teacher, pictures)
        loss, errors = training_loss(wanted, forward_fast(student, pictures), projections)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(student.parameters(), 1.0)
        optimiser.step()
        mean.update()
        step += 1
        smooth = errors if smooth is None else smooth.lerp(errors, 0.02)
        if time.monotonic() - said > SAY_EVERY:
            said = time.monotonic()
            report(progress, step, smooth)
            save_mean(options.out, mean, pooling)
    report(1, step, smooth)
    save_mean(options.out, mean, pooling)


def train_progress(options, step, begun):
    """From 0 to 1, by --steps if given and by --minutes otherwise."""
    if options.steps:
        return step / options.steps
    return (time.monotonic() - begun) / 60 / options.minutes


def training_loss(teacher_activations, student_activations, projections):
    """Returns the loss and each layer's relative error ‖F − Q f‖² / ‖F‖²."""
    loss, relative = 0, []
    for layer, (wide, narrow, projection) in enumerate(zip(teacher_activations, student_activations, projections)):
        wide, predicted = wide.float(), functional.conv2d(narrow.float(), projection[:, :, None, None])
        error, energy = ((predicted - wide) ** 2).flatten(1).sum(1), (wide ** 2).flatten(1).sum(1)
        relative.append(error.detach().sum() / energy.sum())
        loss = loss + LAYER_WEIGHT[LAYERS[layer]] * (error / (energy + 0.25 * energy.mean())).mean()
        if layer in STYLE_LAYERS:
            target = gram(wide)
            wrong = ((gram(predicted) - target) ** 2).sum((1, 2)) / ((target ** 2).sum((1, 2)) + 1e-6)
            loss = loss + GRAM_WEIGHT * wrong.clamp(max=4).mean()
    return loss, torch.stack(relative)


class RunningMean:
    """The average of the weights over about the last 500 steps, of all while there are few."""

    def __init__(self, parameters):
        self.parameters = parameters
        self.values = [p.detach().clone() for p in parameters]
        self.steps = 0

    def update(self):
        self.steps += 1
        decay = min(0.998, self.steps / (self.steps + 10))
        for value, parameter in zip(self.values, self.parameters):
            value.mul_(decay).add_(parameter.detach(), alpha=1 - decay)


def report(progress, step, errors):
    print(f'{100 * progress:3.0f} %, step {step}, errors', ' '.join(f'{error:.3f}' for error in errors.tolist()), flush=True)


def save_mean(path, mean, pooling):
    count = len(LAYERS)
    weights, biases, projections = (mean.values[i * count:(i + 1) * count] for i in range(3))
    save_checkpoint(path, zip(weights, biases), projections, pooling)
