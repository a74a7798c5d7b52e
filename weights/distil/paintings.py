"""The student's own paintings, which it is trained on as well."""
import torch

from network import CONTENT_LAYER, STYLE_LAYERS, feature_norm, forward_fast, gram, gram_norm

# nstfilter weighs the layers' style losses, ‖ΔGram‖² / (4 n_c²), by 1 / n_c²,
# VGG-16's n_c channels being 64, 128, 256, 512, 512: relu2_1 and relu3_1 lead.
SHARES = [1 / channels ** 4 for channels in (64, 128, 256, 512, 512)]


class Pool:
    """Pictures on their way from a photo or noise towards a style and a content.

    An optimiser finds whatever the student gets wrong; trained only on photos,
    it painted spikes and harsh contrast. So it is trained on its paintings too.
    """

    STEPS, RATE = 2, 0.02  # of each visit
    VISITS = (2, 60)  # in a painting's life
    FROM_NOISE = 0.3

    def __init__(self, photos, size):
        self.photos, self.size = photos, size
        self.style, self.content, self.picture, self.content_weight, self.visits = self._begin(size)

    def visit(self, student, metrics, count):
        """Takes some steps on random paintings; returns their pictures (count, 3, SIZE, SIZE)."""
        rows = torch.randperm(self.size)[:count]
        pictures = self._paint(rows, student, metrics)
        self.picture[rows] = pictures
        self.visits[rows] -= 1
        self._renew(rows[self.visits[rows] == 0])
        return pictures

    def _begin(self, n):
        """Style, content, picture, weight of the content and number of visits, for n new paintings."""
        style, content = self.photos.crops(n), self.photos.crops(n)
        picture = content.clone()
        bare = (torch.rand(n) < self.FROM_NOISE).nonzero().squeeze(1)
        if len(bare):
            picture[bare] = self.photos.noise(len(bare))
        content_weight = torch.tensor([0, 0.3, 1, 1])[torch.randint(4, (n,))].to(picture.device)
        return style, content, picture, content_weight, torch.randint(self.VISITS[0], self.VISITS[1] + 1, (n,))

    def _renew(self, rows):
        if len(rows):
            old = self.style, self.content, self.picture, self.content_weight, self.visits
            for values, new in zip(old, self._begin(len(rows))):
                values[rows] = new

    def _paint(self, rows, student, metrics):
        with torch.no_grad():
            styles, contents = forward_fast(student, self.style[rows]), forward_fast(student, self.content[rows])
        style_targets = [gram(styles[layer].float()) for layer in STYLE_LAYERS]
        content_target = contents[CONTENT_LAYER].float().flatten(2)
        pictures = self.picture[rows]
        for _ in range(self.STEPS):
            pictures = pictures.detach().requires_grad_(True)
            activations = forward_fast(student, pictures)
            loss = relative_style_loss(activations, style_targets, metrics)
            loss = loss + self.content_weight[rows] * relative_content_loss(activations, content_target, metrics)
            gradient, = torch.autograd.grad(loss.sum(), pictures)
            size = gradient.pow(2).mean((1, 2, 3), keepdim=True).sqrt() + 1e-12
            pictures = (pictures - self.RATE * (gradient / size).clamp(-3, 3)).clamp(0, 1).detach()
        return pictures


def relative_style_loss(activations, targets, metrics):
    """5 Σ share ‖ΔGram‖² / Σ share ‖Gram‖² over the five style layers, in their metrics; (N)."""
    loss = energy = 0
    for share, layer, target in zip(SHARES, STYLE_LAYERS, targets):
        loss = loss + share * gram_norm(metrics[layer], gram(activations[layer].float()) - target)
        energy = energy + share * gram_norm(metrics[layer], target)
    return len(STYLE_LAYERS) * loss / energy


def relative_content_loss(activations, target, metrics):
    """‖Δa‖² / ‖a‖² of the content layer, both in its metric; (N)."""
    metric = metrics[CONTENT_LAYER]
    difference = activations[CONTENT_LAYER].float().flatten(2) - target
    return feature_norm(metric, difference) / feature_norm(metric, target).clamp_min(1e-6)
