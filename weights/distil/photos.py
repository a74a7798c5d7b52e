"""Photos, from a folder or packed into one file, and the training pictures made of them."""
import concurrent.futures
import io
import pathlib
import random
import zipfile

import numpy as np
import torch
import torch.nn.functional as functional
from PIL import Image, ImageOps

SIZE = 128  # side of a training picture
SIDE = 256  # of the squares that photos are cut to
LEAST_CROP = 96
STYLE_COPIES = 6
SUFFIXES = {'.jpg', '.jpeg', '.png', '.webp', '.tif', '.tiff', '.bmp'}


def find_pictures(place):
    """The pictures of a folder, subfolders included, or those of a zip that pack wrote."""
    found = zipfile.Path(place).iterdir() if zipfile.is_zipfile(place) else pathlib.Path(place).rglob('*')
    pictures = sorted((path for path in found if path.suffix.lower() in SUFFIXES), key=str)
    if not pictures:
        raise SystemExit(f'{place}: no picture in it; give a folder of JPEG or PNG files, or what pack wrote')
    return pictures


def square(path):
    """The middle of a picture as an RGB image of SIDE × SIDE."""
    try:
        with Image.open(io.BytesIO(path.read_bytes())) as image:
            return ImageOps.fit(image.convert('RGB'), (SIDE, SIDE), Image.Resampling.LANCZOS)
    except OSError as error:
        raise SystemExit(f'{path}: {error}; take this file away') from error


def jpeg(path):
    file = io.BytesIO()
    square(path).save(file, 'JPEG', quality=90)
    return file.getvalue()


def pack(options):
    """Puts the middles of all pictures, as JPEG, into one zip that travels easily."""
    pictures = find_pictures(options.photos)
    if options.styles:
        pictures += STYLE_COPIES * find_pictures(options.styles)
    with concurrent.futures.ThreadPoolExecutor() as pool, zipfile.ZipFile(options.out, 'w') as archive:
        for number, data in enumerate(pool.map(jpeg, pictures)):
            archive.writestr(f'{number:06}.jpg', data)
    print(f'{options.out}: {len(pictures)} pictures, {pathlib.Path(options.out).stat().st_size / 1e6:.1f} MB')


def read_squares(place):
    """uint8 (N, 3, SIDE, SIDE)."""
    with concurrent.futures.ThreadPoolExecutor() as pool:
        squares = np.stack([np.asarray(image) for image in pool.map(square, find_pictures(place))])
    return torch.from_numpy(squares).permute(0, 3, 1, 2).contiguous()


def uniform(low, high, x):
    """A number for each picture of x."""
    return low + (high - low) * torch.rand(len(x), 1, 1, 1, device=x.device)


class Photos:
    """Makes training pictures, (n, 3, SIZE, SIZE), on the device that holds the photos."""

    def __init__(self, place, device):
        self.squares, self.device = read_squares(place).to(device), device

    def crops(self, n):
        """Squares of random photos, of random size and place, half of them mirrored."""
        chosen = self.squares[torch.randint(len(self.squares), (n,))].float() / 255
        side = torch.empty(n).uniform_(LEAST_CROP / SIDE, 1)
        left, top = (1 - side) * torch.rand(n), (1 - side) * torch.rand(n)
        theta = torch.zeros(n, 2, 3)  # from the crop's [-1, 1] to the photo's
        theta[:, 0, 0], theta[:, 0, 2] = torch.where(torch.rand(n) < 0.5, -side, side), 2 * left + side - 1
        theta[:, 1, 1], theta[:, 1, 2] = side, 2 * top + side - 1
        # twice as fine and then averaged, so that nothing aliases
        grid = functional.affine_grid(theta.to(self.device), (n, 3, 2 * SIZE, 2 * SIZE), align_corners=False)
        return functional.avg_pool2d(functional.grid_sample(chosen, grid, padding_mode='border', align_corners=False), 2)

    def noise(self, n):
        """Uniform or normal noise of random grain."""
        pictures = []
        for _ in range(n):
            side = SIZE // random.choice([1, 1, 2, 4, 8])
            if random.random() < 0.5:
                picture = torch.rand(1, 3, side, side, device=self.device)
            else:
                picture = 0.5 + 0.2 * torch.randn(1, 3, side, side, device=self.device)
            pictures.append(functional.interpolate(picture, (SIZE, SIZE), mode=random.choice(['nearest', 'bilinear'])))
        return torch.cat(pictures).clamp(-0.1, 1.1)

    def samples(self, n):
        """60 % plain crops; the rest recoloured, mixed, noisy, or noise alone."""
        x, kind = self.crops(n), torch.rand(n)
        changes = ((0.6, 0.65, self._recoloured), (0.65, 0.75, self._mixed), (0.75, 0.9, self._noisy), (0.9, 1, self._replaced))
        for low, high, change in changes:
            rows = ((kind >= low) & (kind < high)).nonzero().squeeze(1)
            if len(rows):
                x[rows] = change(x[rows])
        return x.clamp(-0.1, 1.1)

    def _recoloured(self, x):
        order = torch.rand(len(x), 3).argsort(1)
        x = x[torch.arange(len(x))[:, None], order]
        return (x - 0.5) * uniform(0.5, 1.6, x) + 0.5 + uniform(-0.2, 0.2, x)

    def _mixed(self, x):
        share = uniform(0.3, 0.7, x)
        return share * x + (1 - share) * self.crops(len(x))

    def _noisy(self, x):
        return x + uniform(0, 0.25, x) * torch.randn_like(x)

    def _replaced(self, x):
        return self.noise(len(x))
