#!/usr/bin/env python3
"""How steady a painted film is, and how well it is painted: tables, and strips of
frames to look at.

    bench/temporal/run.py ./nstfilter OUT --style STYLE [--photos A B C] [--folder DIR …] [--film FILE …]

Sequences are made of three photos, with flow that is known exactly (sequences.py),
or read from folders and films, whose flow is then the program's own. Each is painted
  result   as the program does by default
  exact    with the exact flow (--flow-from), where it is known
  cold     every frame by itself, coarse to fine, as the first of a scene is
  warm     each frame from the result before as it is, held to nothing (--flow none),
           by as many steps as the result
and with --methods stride3 auto, with --stride 3 and --stride auto.
E_warp (Lai et al., ECCV 2018): mean squared difference over what both frames show,
RGB in [0,1], of the result and of the input, which is the floor. Style and content:
VGG-16's (../judge.py), of every third frame of the last half; new: of all that frame 0 did not
show. Sharp: variance of the Laplacian of the last frame over the first's, over what
both show; light: how much brighter it is. Again: mean squared difference of a thing
before and after it was out of sight. Seconds: of a frame but the first, on one
processor, without those of a run of one frame; steps of the optimiser with all sizes.
"""
import argparse
import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]
import sequences
from judge import Judge

FULL_STEPS = 5  # at most, of a later frame at full size: --iterations-per-frame
JUDGED = 3  # every so many frames of the last half
METHODS = {"result": [], "exact": [], "cold": ["--init", "recolored"], "warm": ["--flow", "none"],
           "stride3": ["--stride", "3"], "auto": ["--stride", "auto"]}
WAITS = {"--passes", "--stride", "--key"}  # flags with which frames wait for others


def paint(program, style, frames, flags, scratch):
    """The frames as the program paints them in a pipe, the lines of --stats, and the
    seconds that it took of all processors together."""
    h, w = frames[0].shape[1:]
    raw = b"".join((f.permute(1, 2, 0) * 255).round().byte().numpy().tobytes() for f in frames)
    stats = Path(scratch) / "stats"
    nut = subprocess.run(["ffmpeg", "-v", "error", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{w}x{h}", "-i", "-", "-pix_fmt", "gbrp", "-c:v", "rawvideo", "-f", "nut", "-"],
                         input=raw, check=True, capture_output=True).stdout
    order = [] if WAITS & set(flags) else ["--zero-latency"]  # one stage after the other: their seconds add up
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    painted = subprocess.run([program, "--progress", "none", *(["--style", style] if style else []), "--stats", str(stats), "-y", *order, *flags],
                             input=nut, check=True, stdout=subprocess.PIPE).stdout
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    raw = subprocess.run(["ffmpeg", "-v", "error", "-f", "nut", "-i", "-", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"],
                         input=painted, check=True, capture_output=True).stdout
    pixels = np.frombuffer(raw, np.uint8).reshape(-1, h, w, 3)
    return [torch.from_numpy(f.copy()).permute(2, 0, 1).float() / 255 for f in pixels], [json.loads(l) for l in stats.read_text().splitlines()], \
        after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def difference(later, before, flow, seen):
    return float((later - sequences.warp(before, flow)).pow(2).mean(0)[seen].mean())


def e_warp(sequence, pictures):
    return float(np.mean([difference(pictures[n + 1], pictures[n], flow, seen)
                          for n, (flow, seen) in enumerate(zip(sequence.back, sequence.seen))]))


def sharpness(picture, mask):
    gray = picture.mean(0)
    laplacian = gray[:-2, 1:-1] + gray[2:, 1:-1] + gray[1:-1, :-2] + gray[1:-1, 2:] - 4 * gray[1:-1, 1:-1]
    return float(laplacian[mask[1:-1, 1:-1]].var())


def brighter(picture, mask, before, mask_before):
    """In percent."""
    return 100 * float(picture[:, mask].mean() / before[:, mask_before].mean() - 1)


def mean(values):
    values = [v for v in values if v is not None]
    return np.mean(values, 0) if values else (None, None)


def judged(judge, sequence, pictures):
    whole, new = [], []
    for n in range(len(pictures) // 2, len(pictures), JUDGED):
        area = sequence.new and sequence.new[n]
        areas = [None] if area is None or area.float().mean() < 0.01 else [None, area]
        first, *rest = judge(pictures[n], sequence.frames[n], areas)
        whole.append(first)
        new += rest
    return *mean(whole), *mean(new)


def strip(path, rows):
    """Pictures side by side: a row for each method, some frames."""
    every = max(1, (len(rows[0]) - 1) // 5)
    sheet = torch.cat([torch.cat(row[::every][:6], 2) for row in rows], 1)
    sequences.write(path, sheet)


def measure(a, sequence, judge):
    print(f"\n| {sequence.name}, {len(sequence.frames)} frames | E_warp | of cold | style | content | new: style | content | sharp | light | again | seconds |\n|---|---|---|---|---|---|---|---|---|---|---|")
    rows, cold = {"input": sequence.frames}, None
    steps, firsts = FULL_STEPS, {}
    for name in a.methods:
        if name == "exact" and not sequence.between or name not in (sequence.methods or METHODS):
            continue
        with tempfile.TemporaryDirectory() as scratch:
            flags = METHODS[name] + a.flags
            if name == "exact":
                for n in range(len(sequence.frames)):
                    for m in (n - k for k in (1, 2, 4, 8) if n >= k):
                        sequences.write_flo(f"{scratch}/backward_{n}_{m}.flo", sequence.between(n, m))
                        sequences.write_flo(f"{scratch}/forward_{m}_{n}.flo", sequence.between(m, n))
                flags = [*flags, "--flow-from", scratch]
            if name == "warm":
                flags = [*flags, "--frame-tolerance", "0", "--iterations-per-frame", str(steps)]
            alone = METHODS["cold"] if name == "cold" else []  # what decides how the first frame is painted
            if str(alone) not in firsts:
                firsts[str(alone)] = paint(a.program, a.style, sequence.frames[:1], alone + a.flags, scratch)[2]
            rows[name], stats, seconds = paint(a.program, a.style, sequence.frames, flags, scratch)
            seconds = (seconds - firsts[str(alone)]) / (len(stats) - 1)
            taken = np.mean([s["iterations"] for s in stats[1:]])
            if name == "result":
                steps = round(np.mean([min(s["iterations"], FULL_STEPS) for s in stats[1:]]))
            rows[name + "'s time"] = f"{seconds:.2f} ({taken:.1f} steps)"
    if "cold" in rows:
        cold = e_warp(sequence, rows["cold"])
    pictures = {k: v for k, v in rows.items() if isinstance(v, list)}
    for name, row in pictures.items():
        error = e_warp(sequence, row)
        last, first = sequence.common or (everywhere(row[0]),) * 2
        sharp = sharpness(row[-1], last) / sharpness(row[0], first)
        light = brighter(row[-1], last, row[0], first)
        again = ""
        if sequence.again:
            i, j, flow, where = sequence.again
            again = f"{difference(row[j], row[i], flow, where):.5f}"
        losses = judged(judge, sequence, row) if name != "input" else (None,) * 4
        show = lambda v, f="%.3f": "" if v is None else f % v
        print(f"| {name} | {error:.5f} | {show(cold and error / cold, '%.3f')} | {show(losses[0], '%.4f')} | {show(losses[1])} | {show(losses[2], '%.4f')} | {show(losses[3])} | {sharp:.2f} | {light:+.2f} % | {again} | {rows.get(name + chr(39) + 's time', '')} |", flush=True)
    strip(a.out / f"{sequence.name}.png", list(pictures.values()))
    for name, row in pictures.items():
        for n, picture in enumerate(row):
            if a.frames_out:
                folder = a.out / sequence.name / name
                folder.mkdir(parents=True, exist_ok=True)
                strip(folder / f"{n:05d}.png", [[picture]])


def everywhere(picture):
    return torch.ones(picture.shape[1:], dtype=torch.bool)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("program")
    p.add_argument("out", type=Path)
    p.add_argument("--style", required=True)
    p.add_argument("--vgg16", required=True, help="weights of the judge, a file of nstfilter's")
    p.add_argument("--photos", nargs=3, default=[], metavar="PHOTO")
    p.add_argument("--folder", action="append", default=[], help="numbered pictures, scaled to no more than the width of --size")
    p.add_argument("--film", action="append", default=[], help="its first frames, scaled likewise")
    p.add_argument("--size", default="320x180")
    p.add_argument("--frames", type=int, default=20)
    p.add_argument("--only", nargs="+", help="names of sequences")
    p.add_argument("--methods", nargs="+", default=["result", "exact", "cold", "warm"], choices=METHODS)
    p.add_argument("--frames-out", action="store_true", help="write every frame too")
    p.add_argument("--flags", default="", type=str.split, help="of the program, for every method, in one word")
    a = p.parse_args()
    torch.set_num_threads(2)
    a.out.mkdir(parents=True, exist_ok=True)
    w, h = map(int, a.size.split("x"))
    style = sequences.read(a.style)
    wide = w if style.shape[2] >= style.shape[1] else round(w * style.shape[2] / style.shape[1])
    eye = Judge(a.vgg16)
    style = eye.grams(sequences.read(a.style, wide))
    look = lambda picture, content, areas: eye.of_areas(picture, content, style, areas)
    if a.photos:
        for name, make in sequences.made(a.photos, a.frames, w, h):
            if not a.only or name in a.only:
                measure(a, make(), look)
    for folder in a.folder:
        with tempfile.TemporaryDirectory() as scratch:
            measure(a, sequences.of_folder(a.program, folder, scratch, a.frames, w), look)
    for film in a.film:
        with tempfile.TemporaryDirectory() as scratch:
            measure(a, sequences.of_film(a.program, film, scratch, a.frames, w), look)


if __name__ == "__main__":
    main()
