"""nstfilter as a clip of VapourSynth:

    from nstfilter import paint
    painted = paint(clip, "--style", "night.jpg")
"""

import ctypes
import os
import subprocess
import threading

import vapoursynth as vs


def paint(clip, *options, program="nstfilter"):
    """Returns the clip painted: its size, format and frames' properties, other pixels.

    The clip is YUV of 8 to 16 bits. Frames come out in order, as vspipe asks for them: one
    that has been given out cannot be had again. The program starts with the first frame, and
    writes its progress and its errors to stderr.
    """
    if clip.format is None or clip.format.color_family != vs.YUV or clip.format.sample_type != vs.INTEGER:
        raise vs.Error("paint: y4m takes YUV of 8 to 16 bits: clip.resize.Bicubic(format=vs.YUV444P16, matrix_s='709') makes it of RGB")
    # One thread waits for the painted frame, and another one makes the frames to paint.
    vs.core.num_threads = max(2, vs.core.num_threads)
    stream = Stream(clip, [program, *options])
    return clip.std.ModifyFrame(clip, lambda n, f: stream.frame(n, f.copy()))


class Stream:
    """A clip on its way through a program, as y4m."""

    def __init__(self, clip, command):
        self.clip, self.command = clip, command
        self.process = None
        self.lock = threading.Lock()
        self.painted = {}  # frames that nobody has asked for yet, by their numbers
        self.count = 0  # frames read so far

    def start(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        environment = vs.get_current_environment()

        def feed():
            with environment.use():
                try:
                    self.clip.output(self.process.stdin, y4m=True)
                except (OSError, vs.Error):
                    pass  # the program has ended, and said why
                finally:
                    self.process.stdin.close()

        threading.Thread(target=feed, daemon=True).start()
        self.process.stdout.readline()  # the stream's header, which is as the clip's

    def frame(self, n, into):
        with self.lock:
            if self.process is None:
                self.start()
            while n not in self.painted:
                if n < self.count:
                    raise vs.Error(f"paint: frame {n} was given out before: ask for frames in order")
                self.painted[self.count] = self.read()
                self.count += 1
            data = self.painted.pop(n)
        at = 0
        for plane in range(into.format.num_planes):
            height, width = into[plane].shape
            row = width * into.format.bytes_per_sample
            for y in range(height):
                ctypes.memmove(into.get_write_ptr(plane).value + y * into.get_stride(plane), data[at : at + row], row)
                at += row
        return into

    def read(self):
        f = self.clip.format
        chroma = (self.clip.width >> f.subsampling_w) * (self.clip.height >> f.subsampling_h)
        size = (self.clip.width * self.clip.height + 2 * chroma) * f.bytes_per_sample
        line, data = self.process.stdout.readline(), self.process.stdout.read(size)
        if not line.startswith(b"FRAME") or len(data) < size:
            raise vs.Error(f"paint: {os.path.basename(self.command[0])} ended at frame {self.count}, with code {self.process.wait()}; stderr has its words")
        return data
