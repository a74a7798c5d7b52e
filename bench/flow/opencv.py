"""OpenCV's dense inverse search, for bench/flow. Reads requests, a line each:

    load W H A B          raw 8-bit luma in two files
    run PRESET both FLO   a flow, or with both = 1 one each way; FLO gets the first, if named

and answers each with a JSON line: {"ms": wall, "cpu_ms": processor time}.
"""
import json
import sys
import time

import cv2
import numpy as np

cv2.setNumThreads(int(sys.argv[1]))
dis = {
    name: cv2.DISOpticalFlow_create(getattr(cv2, "DISOPTICAL_FLOW_PRESET_" + name.upper()))
    for name in ("ultrafast", "fast", "medium")
}


def answer(**fields):
    print(json.dumps(fields), flush=True)


answer(version=cv2.__version__)
for line in sys.stdin:
    verb, *args = line.rstrip("\n").split("\t")
    if verb == "load":
        w, h = int(args[0]), int(args[1])
        a, b = (np.fromfile(name, np.uint8).reshape(h, w) for name in args[2:])
        answer()
        continue
    preset, both, flo = dis[args[0]], args[1] == "1", args[2]
    wall, cpu = time.perf_counter(), time.process_time()
    flow = preset.calc(a, b, None)
    if both:
        preset.calc(b, a, None)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    if flo:
        with open(flo, "wb") as f:
            f.write(b"PIEH" + np.array([w, h], "<i4").tobytes() + flow.astype("<f4").tobytes())
    answer(ms=1e3 * wall, cpu_ms=1e3 * cpu)
