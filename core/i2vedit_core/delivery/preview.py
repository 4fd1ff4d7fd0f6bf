"""`preview.mp4`: the delivered sequence as a small movie that plays everywhere."""

import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import IO

import ffmpeg
import numpy as np

from i2vedit_core.delivery.delivered import seen_frames
from i2vedit_core.files import WriteFailedError, whole_file
from i2vedit_core.media.ffmpeg import file_url, find_ffmpeg
from i2vedit_core.media.pixels import Picture
from i2vedit_core.media.probe import ClipInfo
from i2vedit_core.media.viewing import movie_tags, on_display
from i2vedit_core.shot import Shot

PREVIEW = "preview.mp4"
MAX_WIDTH = 1920
END_SECONDS = 120.0
BYTES_PER_PIXEL = 0.5
"""A generous guess at what H.264 needs, for the sentence of a full disk."""

_SCALE_MATRICES = {"bt470bg": "bt601", "smpte170m": "bt601", "bt2020nc": "bt2020"}
"""How ffmpeg's scaler calls some of the matrices."""


def make_preview(folder: Path, shot: Shot) -> Path:
    """Writes the movie into a version folder, replacing an earlier one: source rate, square pixels, the plate's colour tags.

    Raises BridgeError.
    """
    clip = shot.clip
    final = folder / PREVIEW
    bytes_needed = round(clip.width * clip.height * len(shot) * BYTES_PER_PIXEL)
    with whole_file(final, bytes_needed, replace=True) as temporary:
        shown = (seen.result for seen in seen_frames(folder, shot))
        if movie_tags(clip) is None:
            shown = (on_display(picture, clip.color_space) for picture in shown)
        _encode(shown, clip, temporary)
    return final


def display_size(clip: ClipInfo) -> tuple[int, int]:
    """Even (width, height) with square pixels, at most MAX_WIDTH wide."""
    shown_width = clip.width * float(clip.pixel_aspect)
    scale = min(1.0, MAX_WIDTH / shown_width)
    return max(2, round(shown_width * scale / 2) * 2), max(2, round(clip.height * scale / 2) * 2)


def _encode(pictures: Iterable[Picture], clip: ClipInfo, target: Path) -> None:
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(_command(clip, target), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=said) as process,
    ):
        try:
            assert process.stdin is not None
            for picture in pictures:
                codes = np.rint(np.clip(picture, 0, 1) * np.float32(65535)).astype("<u2")
                process.stdin.write(codes.tobytes())
            process.stdin.close()
            process.wait(END_SECONDS)
        except BrokenPipeError:
            process.wait(END_SECONDS)
        except subprocess.TimeoutExpired as error:
            raise WriteFailedError("ffmpeg did not come to an end") from error
        finally:
            process.kill()
        if process.returncode != 0:
            raise WriteFailedError(_last_line(said))


def _last_line(said: IO[bytes]) -> str:
    said.seek(0)
    return said.read().decode(errors="replace").strip().rpartition("\n")[2] or "ffmpeg failed"


def _command(clip: ClipInfo, target: Path) -> list[str]:
    matrix = "bt709" if clip.matrix == "gbr" else clip.matrix
    width, height = display_size(clip)
    source = ffmpeg.input(
        "pipe:0",
        format="rawvideo",
        pix_fmt="rgb48le",
        s=f"{clip.width}x{clip.height}",
        framerate=str(clip.rate),
        hide_banner=None,
        loglevel="error",
    )
    movie = source.filter(
        "scale", width, height, out_color_matrix=_SCALE_MATRICES.get(matrix, matrix), out_range="limited", flags="lanczos+accurate_rnd"
    ).filter("setsar", 1)
    # On the frames: what the encoder is told besides is overruled by what they say.
    primaries, transfer = movie_tags(clip) or ("bt709", "iec61966-2-1")
    tagged = movie.filter("setparams", colorspace=matrix, range="limited", color_primaries=primaries, color_trc=transfer)
    output = tagged.output(
        file_url(target), format="mp4", vcodec="libx264", pix_fmt="yuv420p", crf=16, preset="fast", movflags="+faststart"
    ).overwrite_output()
    return [str(argument) for argument in output.compile(cmd=find_ffmpeg())]
