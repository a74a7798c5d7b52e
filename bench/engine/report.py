"""Times a problem's solution."""
import json
import resource
import sys
import time

import numpy as np

BUDGET = 3.0  # seconds to iterate for, after one iteration to warm up; 3 at least


def report(program, iterate, gradient_path):
    """Times iterate(), which returns dJ/dx, and prints the line that ours.go prints."""
    seconds, gradient, began = [], None, time.monotonic()
    while len(seconds) < 4 or time.monotonic() - began < BUDGET:
        start = time.perf_counter()
        gradient = iterate()
        seconds.append(time.perf_counter() - start)
    np.ascontiguousarray(gradient, '<f4').tofile(gradient_path)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({'program': program, 'seconds': seconds[1:], 'peak_memory_bytes': peak}))
    sys.stdout.flush()
