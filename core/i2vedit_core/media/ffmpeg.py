"""Where ffmpeg is, and how it is asked: never over a network, never through a playlist, never by a pattern."""

import functools
import re
import shutil
import subprocess
from pathlib import Path

OLDEST_MAJOR = 6
"""Older ones lack `-fps_mode` and read display matrices differently."""

DEMUXERS = ",".join(("mov", "matroska", "mxf", "avi", "mpegts", "mpeg", "ivf", "asf", "flv", "ogg", "dv", "gxf", "nut", "yuv4mpegpipe"))
"""Containers that are opened. Playlists, pictures, devices and scripts are not among them."""


def _is_recent(binary: str) -> bool:
    """Whether this ffmpeg runs and is new enough; builds between releases (`N-12345`) count as new."""
    try:
        said = subprocess.run([binary, "-version"], stdin=subprocess.DEVNULL, capture_output=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    version = re.match(rb"ffmpeg version (?:n?(\d+)\.|N-)", said.stdout)
    if said.returncode != 0 or version is None:
        return False
    return version[1] is None or int(version[1]) >= OLDEST_MAJOR


@functools.cache
def find_ffmpeg() -> str:
    """Path of the system's ffmpeg if it is new enough, else of the one inside the imageio-ffmpeg wheel."""
    system = shutil.which("ffmpeg")
    if system is not None and _is_recent(system):
        return system
    import imageio_ffmpeg

    return str(imageio_ffmpeg.get_ffmpeg_exe())


def ffmpeg_version() -> str:
    """What the ffmpeg in use calls itself, such as `7.1` or `n8.0-19-g1234`."""
    said = subprocess.run([find_ffmpeg(), "-version"], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20, check=True)
    return said.stdout.split(maxsplit=3)[2]


def file_url(path: Path) -> str:
    """The name as ffmpeg must be given it: without `file:` it takes `a:b.mp4` for a protocol."""
    return f"file:{path}"


def input_options() -> dict[str, str]:
    """What every input of unknown origin is opened with."""
    return {"protocol_whitelist": "file", "format_whitelist": DEMUXERS}
