"""What the student is trained on: crops, mixtures, noise, and its own paintings."""
import pathlib
import random

import numpy as np
import torch
import torch.nn.functional as functional
from PIL import Image

from network import CONTENT_LAYER, STYLE_LAYERS, gram, metric_norm

SIZE = 128  # side of a training picture
SHORT_SIDE = 256  # to which photos are resized
LEAST_CROP = 96


def load_photos(folder):
    """Returns the folder's pictures, subfolders included, as uint8 (3, H, W)."""
    photos = []
    for path in sorted(pathlib.Path(folder).rglob('*')):
        if path.suffix.lower() not in {'.jpg', '.jpeg', '.png', '.webp', '.tif', '.tiff', '.bmp'}:
            continue
        with Image.open(path) as image:
            scale = SHORT_SIDE / min(image.size)
            width, height = (max(SHORT_SIDE, round(side * scale)) for side in image.size)
            image = image.convert('RGB').resize((width, height), Image.Resampling.LANCZOS)
            photos.append(torch.from_numpy(np.asarray(image).copy()).permute(2, 0, 1))
    if not photos:
        raise SystemExit(f'{folder}: no picture in it; give a folder of JPEG or PNG files with --photos')
    return photos


def crop(photos):
    """A square of a random photo, of random size, half of them mirrored: (1, 3, SIZE, SIZE)."""
    photo = random.choice(photos)
    _, height, width = photo.shape
    side = random.randint(LEAST_CROP, min(height, width))
    top, left = random.randint(0, height - side), random.randint(0, width - side)
    square = photo[:, top:top + side, left:left + side].float()[None] / 255
    square = functional.interpolate(square, (SIZE, SIZE), mode='bilinear', antialias=True, align_corners=False)
    return square.flip(3) if random.random() < 0.5 else square


def noise():
    """Uniform or normal noise of random grain."""
    side = SIZE // random.choice([1, 1, 2, 4, 8])
    if random.random() < 0.5:
        picture = torch.rand(1, 3, side, side)
    else:
        picture = 0.5 + 0.2 * torch.randn(1, 3, side, side)
    mode = random.choice(['nearest', 'bilinear'])
    return functional.interpolate(picture, (SIZE, SIZE), mode=mode).clamp(-0.2, 1.2)


def sample(photos):
    """60 % plain crops; the rest noisy, mixed, recoloured, or noise alone."""
    kind, picture = random.random(), crop(photos)
    if kind > 0.9:
        return noise()
    if kind > 0.75:
        picture = picture + random.uniform(0, 0.25) * torch.randn_like(picture)
    elif kind > 0.65:
        share = random.uniform(0.3, 0.7)
        picture = share * picture + (1 - share) * crop(photos)
    elif kind > 0.6:
        contrast, brightness = random.uniform(0.5, 1.6), random.uniform(-0.2, 0.2)
        picture = ((picture - 0.5) * contrast + 0.5 + brightness)[:, torch.randperm(3)]
    return picture.clamp(-0.1, 1.1)


def samples(photos, count):
    return torch.cat([sample(photos) for _ in range(count)])


class Painting:
    """A picture on its way from noise or a photo towards a style and a content."""

    def __init__(self, photos):
        self.content = crop(photos)
        self.style = crop(photos)
        self.picture = self.content.clone() if random.random() < 0.6 else noise()
        self.content_weight = random.choice([0, 0.3, 1.0, 1.0])
        self.visits, self.last_visit = 0, random.randint(2, 40)


class PaintingPool:
    """Paintings that the student itself is making.

    An optimiser finds whatever the student gets wrong; trained only on photos,
    it painted spikes and harsh contrast. So it is trained on its paintings too.
    """

    STEPS, RATE = 2, 0.02  # per visit

    def __init__(self, photos, size):
        self.photos = photos
        self.paintings = [Painting(photos) for _ in range(size)]

    def visit(self, student, projections, count):
        """Takes some steps on random paintings; returns their pictures (count, 3, SIZE, SIZE)."""
        numbers = random.sample(range(len(self.paintings)), count)
        for number in numbers:
            if self.paintings[number].visits >= self.paintings[number].last_visit:
                self.paintings[number] = Painting(self.photos)
        chosen = [self.paintings[number] for number in numbers]
        pictures = self._paint(chosen, student, [(q.t() @ q).detach() for q in projections])
        for number, painting in enumerate(chosen):
            painting.picture = pictures[number:number + 1]
            painting.visits += 1
        return pictures

    def _paint(self, chosen, student, metrics):
        with torch.no_grad():
            styles = forward_bf16(student, torch.cat([p.style for p in chosen]))
            contents = forward_bf16(student, torch.cat([p.content for p in chosen]))
        style_targets = [gram(styles[layer].float()) for layer in STYLE_LAYERS]
        content_target = contents[CONTENT_LAYER].float().flatten(2)
        content_weight = torch.tensor([p.content_weight for p in chosen])
        pictures = torch.cat([p.picture for p in chosen])
        for _ in range(self.STEPS):
            pictures = pictures.detach().requires_grad_(True)
            activations = forward_bf16(student, pictures)
            loss = relative_style_loss(activations, style_targets, metrics)
            loss = loss + content_weight * relative_content_loss(activations, content_target, metrics)
            gradient, = torch.autograd.grad(loss.sum(), pictures)
            size = gradient.pow(2).mean((1, 2, 3), keepdim=True).sqrt() + 1e-12
            pictures = (pictures - self.RATE * (gradient / size).clamp(-3, 3)).clamp(0, 1).detach()
        return pictures


def forward_bf16(network, pictures):
    with torch.autocast('cpu', torch.bfloat16):
        return network(pictures)


def relative_style_loss(activations, targets, metrics):
    """Σ over the style layers of ‖ΔGram‖² / ‖Gram‖², both in the metric; (N)."""
    loss = 0
    for layer, target in zip(STYLE_LAYERS, targets):
        metric = metrics[layer]
        difference = gram(activations[layer].float()) - target
        loss = loss + metric_norm(metric, difference) / metric_norm(metric, target)
    return loss


def relative_content_loss(activations, target, metrics):
    """‖Δa‖² / ‖a‖² of the content layer, both in the metric; (N)."""
    metric = metrics[CONTENT_LAYER]
    difference = activations[CONTENT_LAYER].float().flatten(2) - target
    size = (target * (metric @ target)).sum((1, 2)).clamp_min(1e-6)
    return (difference * (metric @ difference)).sum((1, 2)) / size
