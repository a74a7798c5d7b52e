#!/usr/bin/env python3
"""Prints the markers of a timeline as nstfilter's styles and their times:

    nstfilter $(python3 examples/markers.py cut.otio) in.mkv out.mkv

A marker is named like the picture to paint with from there on: night.jpg. One with another
name is left out, and named on stderr. Times count from the start of the timeline, as
nstfilter counts them from the start of the film.

It needs OpenTimelineIO, whose .otio editors export:

    python3 -m pip install opentimelineio
"""

import os
import sys

import opentimelineio as otio

PICTURES = {".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp", ".heic", ".avif", ".jxl"}


def markers(timeline):
    """Yields each marker of a timeline with its time since the timeline's start."""
    tracks = timeline.tracks
    for item in [tracks, *tracks.find_children(descended_from_type=otio.core.Item)]:
        for marker in item.markers:
            time = item.transformed_time(marker.marked_range.start_time, tracks)
            yield time - tracks.trimmed_range().start_time, marker.name


def main():
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__.strip())
    if sys.argv[1].lower().endswith(".edl"):
        sys.exit(f"markers.py: {sys.argv[1]}: an EDL does not say its frames per second; export OTIO")
    try:
        timeline = otio.adapters.read_from_file(sys.argv[1])
    except (OSError, ValueError, otio.exceptions.OTIOError) as err:
        sys.exit(f"markers.py: {sys.argv[1]}: {err}")
    for time, name in sorted(markers(timeline), key=lambda m: m[0].to_seconds()):
        if os.path.splitext(name)[1].lower() in PICTURES:
            print(f"--style {name}@{time.to_seconds():.3f}")
        else:
            print(f"markers.py: the marker {name!r} at {time.to_seconds():.3f} s names no picture", file=sys.stderr)


if __name__ == "__main__":
    main()
