"""Sequences of pictures whose motion is known: made of layers, or a folder's."""
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F


@dataclass
class Sequence:
    """Frames are (3, H, W) of RGB in [0,1]. back[n] and forth[n] are the flow, (2, H, W)
    in pixels, from frame n+1 to n and from n to n+1; seen[n] is where frame n+1 shows
    what n showed, (H, W). new[n] is what frame 0 did not show of frame n; again is
    (i, j, flow from j to i, where) of what was out of sight between the two; between(n, m)
    is the flow from frame n to m; methods are those that it is for, None: all."""
    name: str
    frames: list
    back: list
    forth: list
    seen: list
    new: list = None
    again: tuple = None
    between: callable = None
    common: tuple = None  # what the last frame and the first both show, in each of them
    methods: tuple = None


def read(path, width=None):
    """A picture as (3, H, W) in [0,1], by ffmpeg, scaled to a width."""
    size = subprocess.run(["ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries", "stream=width,height", "-of", "csv=p=0", str(path)],
                          check=True, capture_output=True, text=True).stdout.split("\n")[0].split(",")
    w, h = int(size[0]), int(size[1])
    scale = []
    if width:
        w, h = width, round(h * width / w)
        scale = ["-vf", f"scale={w}:{h}:flags=area"]
    raw = subprocess.run(["ffmpeg", "-v", "error", "-i", str(path), *scale, "-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"],
                         check=True, capture_output=True).stdout
    return torch.from_numpy(np.frombuffer(raw, np.uint8).reshape(h, w, 3).copy()).permute(2, 0, 1).float() / 255


def write(path, picture):
    h, w = picture.shape[1:]
    subprocess.run(["ffmpeg", "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{w}x{h}", "-i", "-", str(path)],
                   input=(picture.permute(1, 2, 0) * 255).round().byte().numpy().tobytes(), check=True)


def grid(h, w):
    y, x = torch.meshgrid(torch.arange(h, dtype=torch.float64), torch.arange(w, dtype=torch.float64), indexing="ij")
    return torch.stack([x, y])


def sample(picture, at, mode="bicubic"):
    """picture (C, H, W) at the points at (2, h, w), in pixels; its border goes on outside."""
    h, w = picture.shape[-2:]
    norm = torch.stack([(at[0] + 0.5) * 2 / w - 1, (at[1] + 0.5) * 2 / h - 1], -1)[None].float()
    return F.grid_sample(picture[None].float(), norm, mode=mode, padding_mode="border", align_corners=False)[0]


def warp(picture, flow):
    return sample(picture, grid(*picture.shape[-2:]) + flow)


@dataclass
class Layer:
    """A photo, of which shape(q) in [0,1] is opaque, moved by place(n): a matrix (2, 3)
    from the layer's pixels to those of frame n."""
    photo: torch.Tensor
    place: callable
    shape: callable = None

    def points(self, n, p):
        """The layer's points under the points p of frame n."""
        m = self.place(n)
        a = torch.tensor(m[:, :2])
        b = torch.tensor(m[:, 2])[:, None, None]
        return torch.einsum("ij,jhw->ihw", torch.linalg.inv(a), p - b)

    def frame(self, n, q):
        """Where the layer's points q are in frame n."""
        m = self.place(n)
        return torch.einsum("ij,jhw->ihw", torch.tensor(m[:, :2]), q) + torch.tensor(m[:, 2])[:, None, None]

    def opaque(self, q):
        return torch.ones(q.shape[1:]) if self.shape is None else self.shape(q).float()


def ellipse(cx, cy, rx, ry):
    return lambda q: ((1 - ((q[0] - cx) / rx) ** 2 - ((q[1] - cy) / ry) ** 2) * min(rx, ry) / 2 + 0.5).clamp(0, 1)


def box(x0, y0, x1, y1):
    return lambda q: (torch.minimum(torch.minimum(q[0] - x0, x1 - q[0]), torch.minimum(q[1] - y0, y1 - q[1])) + 0.5).clamp(0, 1)


def top(layers, n, p):
    """Which layer is seen at the points p of frame n."""
    owner = torch.zeros(p.shape[1:], dtype=torch.long)
    for i, layer in enumerate(layers):
        owner[layer.opaque(layer.points(n, p)) > 0.5] = i
    return owner


def moved(layers, n, m, h, w):
    """The flow from frame n to m, and where m shows the same."""
    p = grid(h, w)
    owner = top(layers, n, p)
    flow, seen = torch.zeros(2, h, w, dtype=torch.float64), torch.zeros(h, w, dtype=torch.bool)
    for i, layer in enumerate(layers):
        mine = owner == i
        to = layer.frame(m, layer.points(n, p))
        flow[:, mine] = (to - p)[:, mine]
        inside = (to[0] >= 0) & (to[0] <= w - 1) & (to[1] >= 0) & (to[1] <= h - 1)
        seen |= mine & inside & (top(layers, m, to) == i)
    return flow, erode(seen)


def erode(mask):
    """Without the pixels at its edges, where a pixel shows two things."""
    return ~(F.max_pool2d((~mask).float()[None, None], 3, 1, 1)[0, 0] > 0)


def compose(name, layers, frames, h, w, hidden=None):
    """hidden: (i, j, k) for a layer k that is seen at i and j and not between."""
    p, pictures = grid(h, w), []
    for n in range(frames):
        picture = torch.zeros(3, h, w)
        for layer in layers:
            q = layer.points(n, p)
            a = layer.opaque(q)
            picture = picture * (1 - a) + sample(layer.photo, q) * a
        pictures.append(picture.clamp(0, 1))
    back = [moved(layers, n + 1, n, h, w) for n in range(frames - 1)]
    new = [~moved(layers, n, 0, h, w)[1] for n in range(frames)]
    again = None
    if hidden:
        i, j, k = hidden
        flow, seen = moved(layers, j, i, h, w)
        again = (i, j, flow, seen & (top(layers, j, p) == k))
    return Sequence(name, pictures, [f for f, _ in back], [moved(layers, n, n + 1, h, w)[0] for n in range(frames - 1)],
                    [s for _, s in back], new, again, lambda n, m: moved(layers, n, m, h, w)[0],
                    (~new[-1], moved(layers, 0, frames - 1, h, w)[1]))


def place(x, y, scale=1.0, turn=0.0, cx=0.0, cy=0.0):
    """Scaled and turned about (cx, cy), then moved by (x, y)."""
    c, s = scale * np.cos(turn), scale * np.sin(turn)
    return np.array([[c, -s, cx - c * cx + s * cy + x], [s, c, cy - s * cx - c * cy + y]])


def made(photos, frames, w, h):
    """Names of sequences of three photos, and what makes them: a pan with zoom that a
    disc crosses; a standing camera, before which a post hides a thing for a while; one
    before which a thing passes behind a post; a turn with zoom, into which a thing comes
    from the edge; and two long ones."""
    big = [read(p, 2 * w) for p in photos]
    k = w / 320  # motion goes with the size
    ground = lambda photo: ((photo.shape[2] - w) / 2, max(0, (photo.shape[1] - h) / 2))
    r = h / 5
    disc = lambda photo: ellipse(photo.shape[2] / 2, photo.shape[1] / 2, r, r)

    def centred(photo, x, y, **turned):  # the middle of the photo at (x, y)
        cx, cy = photo.shape[2] / 2, photo.shape[1] / 2
        return place(x - cx, y - cy, cx=cx, cy=cy, **turned)

    def hidden(touched, free):
        i, j = int(touched), int(np.ceil(free))
        return (i, j, 1) if i >= 0 and j < frames else None

    gx, gy = ground(big[0])
    pan = [Layer(big[0], lambda n: place(-gx + 12 * k - 2.3 * k * n, -gy - 0.4 * k * n, 1 + 0.003 * n, cx=gx, cy=gy)),
           Layer(big[1], lambda n: centred(big[1], w * 0.2 + 5.3 * k * n, h * 0.6 - 0.7 * k * n), disc(big[1]))]
    gx1, gy1 = ground(big[1])
    standing = Layer(big[1], lambda n: place(-gx1, -gy1))
    # A post as wide as it moves in five frames crosses the picture and hides a thing.
    speed, thing = 12 * k, 0.42 * w
    still = [standing, Layer(big[2], lambda n: centred(big[2], thing, h * 0.5), disc(big[2])),
             Layer(big[0], lambda n: place(-gx + 0.15 * w - 5 * speed + speed * n, -gy), box(gx, gy, gx + 5 * speed, gy + h))]
    touched, free = (thing - r - 0.15 * w) / speed, (thing + r - 0.15 * w) / speed + 5
    # A thing goes behind a post, is wholly hidden for five frames, and comes out on the other side.
    post, middle = h / 7, (frames - 1) / 2  # half its width; when the thing is hidden
    small = 0.55 * post

    def passing(n):
        t = n - middle
        t = np.sign(t) * max(0, abs(t) - 2.5)
        return centred(big[2], w / 2 + np.sign(t) * (post - small) + t * 6.0 * k, h * 0.5)

    behind = [standing, Layer(big[2], passing, ellipse(big[2].shape[2] / 2, big[2].shape[1] / 2, small, small)),
              Layer(big[0], lambda n: place(-gx, -gy), box(gx + w / 2 - post, gy, gx + w / 2 + post, gy + h))]
    away = 2.5 + 2 * small / (6.0 * k)
    gx2, gy2 = ground(big[2])
    turn = [Layer(big[2], lambda n: place(-gx2, -gy2, 1 + 0.006 * n, 0.008 * n, gx2 + w / 2, gy2 + h / 2)),
            Layer(big[0], lambda n: centred(big[0], -r + 6.5 * k * n, h * 0.7 - 1.5 * k * n, turn=-0.02 * n), disc(big[0]))]
    yield "pan", lambda: compose("pan", pan, frames, h, w)
    yield "still", lambda: compose("still", still, frames, h, w, hidden(touched, free))
    yield "behind", lambda: compose("behind", behind, frames, h, w, hidden(middle - away - 1, middle + away + 1))
    yield "turn", lambda: compose("turn", turn, frames, h, w)
    yield "slow", lambda: slow(big[0], w, h)
    yield "noise", lambda: noise(big[1], w, h)


def slow(photo, w, h, frames=100):
    """A camera that pans by a third of a pixel a frame, and a little down."""
    x, y = (photo.shape[2] - w) / 2, max(0, (photo.shape[1] - h) / 2)
    pan = compose("slow", [Layer(photo, lambda n: place(15 - x - 0.31 * n, -y - 0.07 * n))], frames, h, w)
    pan.methods = ("result",)
    return pan


def noise(photo, w, h, frames=60, sigma=0.015):
    """A camera that stands, before what stands, whose sensor is noisy."""
    x, y = (photo.shape[2] - w) // 2, max(0, (photo.shape[1] - h) // 2)
    still, draw = photo[:, y:y + h, x:x + w], torch.Generator().manual_seed(1)
    pictures = [(still + sigma * torch.randn(still.shape, generator=draw)).clamp(0, 1) for _ in range(frames)]
    flow, all_of_it = torch.zeros(2, h, w, dtype=torch.float64), torch.ones(h, w, dtype=torch.bool)
    n = frames - 1
    return Sequence("noise", pictures, [flow] * n, [flow] * n, [all_of_it] * n, methods=("result", "warm"))


def read_flo(path):
    data = np.fromfile(path, "<i4", 3)
    w, h = int(data[1]), int(data[2])
    uv = np.fromfile(path, "<f4", offset=12).reshape(h, w, 2)
    return torch.from_numpy(uv.astype(np.float64)).permute(2, 0, 1)


def write_flo(path, flow):
    h, w = flow.shape[1:]
    with open(path, "wb") as f:
        f.write(b"PIEH" + np.array([w, h], "<i4").tobytes())
        f.write(flow.permute(1, 2, 0).numpy().astype("<f4").tobytes())


def of_folder(program, folder, scratch, count, width):
    """The pictures of a folder in the order of their names, no wider than width."""
    names = sorted(p for p in Path(folder).iterdir() if p.suffix in (".png", ".ppm", ".jpg"))
    names = [p for p in names if any(c.isdigit() for c in p.stem.rpartition("_")[2])][:count]
    frames = [read(p) for p in names]
    return of_pictures(program, Path(folder).name, [f if f.shape[2] <= width else read(p, width) for f, p in zip(frames, names)], scratch)


def of_film(program, film, scratch, count, width):
    """The first frames of a film, of that width."""
    folder = Path(scratch) / "film"
    folder.mkdir()
    subprocess.run(["ffmpeg", "-v", "error", "-i", str(film), "-frames:v", str(count), "-vf", f"scale={width}:-2:flags=area", str(folder / "%05d.png")], check=True)
    return of_pictures(program, Path(film).stem, [read(p) for p in sorted(folder.iterdir())], scratch)


def of_pictures(program, name, frames, scratch):
    """A sequence whose flow is the program's. New is what was not seen in all frames from 0 on."""
    back, forth, seen, files = [], [], [], []
    for n, picture in enumerate(frames):
        files.append(Path(scratch) / f"{n}.png")
        write(files[-1], picture)
    for n, (a, b) in enumerate(zip(files, files[1:])):
        for one, two, to in ((b, a, back), (a, b, forth)):
            out = Path(scratch) / f"{n}_{len(to)}.flo"
            subprocess.run([program, "flow", "-y", str(one), str(two), str(out)], check=True)
            to.append(read_flo(out))
        there = warp(forth[n], back[n]).double()
        off = (back[n] + there).pow(2).sum(0)
        h, w = off.shape
        at = grid(h, w) + back[n]
        inside = (at[0] >= 0) & (at[0] <= w - 1) & (at[1] >= 0) & (at[1] <= h - 1)
        # Sundaram, Brox, Keutzer, ECCV 2010
        seen.append(erode(inside & (off < 0.01 * (back[n].pow(2).sum(0) + there.pow(2).sum(0)) + 0.5)))
    old = [torch.ones(frames[0].shape[1:])]
    for flow, there in zip(back, seen):
        old.append(warp(old[-1][None], flow)[0] * there)
    return Sequence(name, frames, back, forth, seen, [o < 0.5 for o in old])
