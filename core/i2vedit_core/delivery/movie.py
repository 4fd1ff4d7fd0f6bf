"""Movies of what was delivered: frames into ffmpeg's standard input, a whole file or none out of it."""

import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any

import ffmpeg
import numpy as np

from i2vedit_core.files import WriteFailedError, whole_file
from i2vedit_core.media import tags
from i2vedit_core.media.ffmpeg import file_url, find_ffmpeg
from i2vedit_core.media.pixels import Picture
from i2vedit_core.media.probe import ClipInfo
from i2vedit_core.media.viewing import movie_tags, on_display

END_SECONDS = 120.0
BYTES_PER_PIXEL = 0.5
"""A generous guess at what H.264 needs, for the sentence of a full disk."""

_SCALE_MATRICES = {"bt470bg": "bt601", "smpte170m": "bt601", "bt2020nc": "bt2020"}
"""How ffmpeg's scaler calls some of the matrices."""


def matrix_of(clip: ClipInfo) -> str:
    """The matrix by which a movie of a clip is encoded; a clip in RGB has none of its own."""
    return "bt709" if clip.matrix == "gbr" else clip.matrix


def display_size(clip: ClipInfo, most_wide: int | None = None) -> tuple[int, int]:
    """Even (width, height) with square pixels, not wider than that."""
    shown_width = clip.width * float(clip.pixel_aspect)
    scale = min(1.0, most_wide / shown_width) if most_wide else 1.0
    return max(2, round(shown_width * scale / 2) * 2), max(2, round(clip.height * scale / 2) * 2)


def write_h264(final: Path, pictures: Iterable[Picture], clip: ClipInfo, most_wide: int | None = None, timecode: str | None = None) -> None:
    """An `.mp4` that plays everywhere, of `[H, W, 3]` pictures: 8 bits, square pixels, the clip's rate and colour tags, the first frame's
    timecode. Replaces an earlier one. Raises BridgeError OUTPUT_NOT_WRITABLE, DISK_FULL."""
    frames = (_codes(_shown(picture, clip), "<u2", 65535).tobytes() for picture in pictures)
    matrix = matrix_of(clip)
    width, height = display_size(clip, most_wide)
    scaled = _raw(clip, "rgb48le").filter(
        "scale", width, height, out_color_matrix=_SCALE_MATRICES.get(matrix, matrix), out_range="limited", flags="lanczos+accurate_rnd"
    )
    options = {"format": "mp4", "vcodec": "libx264", "pix_fmt": "yuv420p", "crf": 16, "preset": "fast", "movflags": "+faststart"}
    _write(final, frames, _tagged(scaled.filter("setsar", 1), clip), _with_timecode(options, timecode), round(clip.width * clip.height))


def write_prores(final: Path, pictures: Iterable[Picture], clip: ClipInfo, timecode: str) -> None:
    """ProRes 4444 in a `.mov`, of `[H, W, 4]` pictures with straight alpha: 10 bits and 16 of alpha, the clip's size, pixels, rate and
    colour tags. Replaces an earlier one. Raises as `write_h264`."""
    frames = (_planes(_shown(picture, clip), matrix_of(clip)) for picture in pictures)
    source = _raw(clip, "yuva444p10le").filter("setsar", str(clip.pixel_aspect))
    options = {"format": "mov", "vcodec": "prores_ks", "profile:v": "4444", "pix_fmt": "yuva444p10le", "alpha_bits": 16, "vendor": "apl0"}
    _write(final, frames, _tagged(source, clip), _with_timecode(options, timecode), round(clip.width * clip.height) * 4)


def first_timecode(clip: ClipInfo, first: int) -> str:
    """The label of a source frame."""
    return str(clip.timecode_of(first))


def _shown(picture: Picture, clip: ClipInfo) -> Picture:
    """`[H, W, 3 or 4]` as a movie can say it: as it is, or as a display shows it where no movie knows the plate's encoding."""
    if movie_tags(clip) is not None:
        return picture
    return np.concatenate((on_display(picture[..., :3], clip.color_space), picture[..., 3:]), axis=-1)


def _codes(picture: Picture, dtype: str, largest: int) -> Any:
    return np.rint(np.clip(picture, 0, 1) * np.float32(largest)).astype(dtype)


def _planes(picture: Picture, matrix: str) -> bytes:
    """Planar Y'CbCrA of 10 bits in limited range (ITU-T H.273, 8.3), computed here: ffmpeg's own way stops at 8 bits of precision."""
    weight_r, weight_b = tags.LUMA_WEIGHTS[matrix]
    red, green, blue, alpha = (np.clip(picture[:, :, channel], 0, 1) for channel in range(4))
    luma = weight_r * red + (1 - weight_r - weight_b) * green + weight_b * blue
    chroma = ((blue - luma) / (2 * (1 - weight_b)), (red - luma) / (2 * (1 - weight_r)))
    planes = (64 + 876 * luma, *(512 + 896 * each for each in chroma), 1023 * alpha)
    return b"".join(np.rint(plane).astype("<u2").tobytes() for plane in planes)


def _raw(clip: ClipInfo, pixels: str) -> Any:
    size = f"{clip.width}x{clip.height}"
    return ffmpeg.input("pipe:0", format="rawvideo", pix_fmt=pixels, s=size, framerate=str(clip.rate), hide_banner=None, loglevel="error")


def _tagged(stream: Any, clip: ClipInfo) -> Any:
    # On the frames: what the encoder is told besides is overruled by what they say.
    primaries, transfer = movie_tags(clip) or ("bt709", "iec61966-2-1")
    return stream.filter("setparams", colorspace=matrix_of(clip), range="limited", color_primaries=primaries, color_trc=transfer)


def _with_timecode(options: dict[str, Any], timecode: str | None) -> dict[str, Any]:
    return {**options, "timecode": timecode} if timecode else options


def _write(final: Path, frames: Iterable[bytes], stream: Any, options: dict[str, Any], bytes_needed: int) -> None:
    with whole_file(final, round(bytes_needed * BYTES_PER_PIXEL), replace=True) as temporary:
        output = stream.output(file_url(temporary), **options).overwrite_output()
        _encode(frames, [str(argument) for argument in output.compile(cmd=find_ffmpeg())])


def _encode(frames: Iterable[bytes], command: list[str]) -> None:
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=said) as process,
    ):
        try:
            assert process.stdin is not None
            for frame in frames:
                process.stdin.write(frame)
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
