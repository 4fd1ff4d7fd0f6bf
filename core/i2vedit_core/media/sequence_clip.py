"""What a sequence of pictures is: every header read and every end looked at, in a process of its own."""

import json
from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

from i2vedit_core.errors import BridgeError, Code, Reason
from i2vedit_core.media import tags, timecode
from i2vedit_core.media.child import Child, ChildFailedError
from i2vedit_core.media.clip import ClipInfo, Orientation, Window
from i2vedit_core.media.diagnose import why_no_picture
from i2vedit_core.media.exr_colour import space_of_exr
from i2vedit_core.media.frame_files import FrameFiles, NoSequenceError, find_files
from i2vedit_core.media.limits import MEGAPIXEL, limits
from i2vedit_core.media.rates import exact_rate

READER = "read_frames.py"
SCAN_SECONDS = 60.0
SECONDS_PER_FILE = 0.5
"""Opening a file and reading two rows of it; a slow network share must not run into the time limit."""
DEFAULT_RATE = Fraction(24)
"""Of sequences, which seldom say theirs."""
MAX_ASPECT = 16
"""Of a pixel; the header of a damaged file may claim anything."""
DECIMALS = 5e-3
"""DPX writes a rate as 23.98."""

DEPTHS = {"half": 16, "float": 32, "uint8": 8, "uint16": 16, "uint": 32}
ORIENTATIONS = {
    1: Orientation(),
    2: Orientation(-1, 0, 0, 1),
    3: Orientation(-1, 0, 0, -1),
    4: Orientation(1, 0, 0, -1),
    5: Orientation(0, 1, 1, 0),
    6: Orientation(0, 1, -1, 0),
    7: Orientation(0, -1, -1, 0),
    8: Orientation(0, -1, 1, 0),
}
"""As Exif and TIFF number them."""
DPX_TRANSFERS = {"Linear": "linear", "ITU-R 709-4": "bt709", "SMPTE 274M": "bt709", "ITU-R 601-5 system 525": "smpte170m"}

_SAME: tuple[tuple[str, Callable[[dict[str, Any]], Any]], ...] = (
    ("is {0[2]}x{0[3]}", lambda header: header["window"]),
    ("holds samples of the kind {0}", lambda header: header["type"]),
    ("differs in having an alpha channel", lambda header: header["has_alpha"]),
    ("has its picture in the layer '{0}'", lambda header: header["layer"]),
)
"""How a sentence says that one picture of a sequence differs, and in what."""


def probe_sequence(path: Path) -> ClipInfo:
    """Opens a sequence by a folder, a pattern (`shot.%04d.exr`, `shot.####.exr`) or one of its pictures.

    Frames may be missing in between (`ClipInfo.files.missing`). Raises BridgeError CLIP_NOT_FOUND, CLIP_UNREADABLE or CLIP_UNSUPPORTED.
    """
    files = _find(path)
    headers = _headers(files)
    _check_alike(files, headers)
    _check_extent(files, headers[0])
    return _clip_info(files, headers[0])


def failed_picture(name: str, kind: str, detail: str, path: Path) -> BridgeError:
    """The error for a picture that cannot be used, by what its reader found."""
    unsupported = kind in ("deep", "luminance_chroma", "no_rgb", "sample_type", "too_large")
    code, reason = (Code.UNIMPLEMENTED, Reason.CLIP_UNSUPPORTED) if unsupported else (Code.INVALID_ARGUMENT, Reason.CLIP_UNREADABLE)
    return BridgeError(code, reason, f"'{name}' {why_no_picture(kind, detail, path)}.")


def _find(path: Path) -> FrameFiles:
    try:
        return find_files(path)
    except NoSequenceError as error:
        if path.is_dir():
            raise BridgeError(Code.INVALID_ARGUMENT, Reason.CLIP_UNREADABLE, f"'{path.name}' {error}.") from error
        raise BridgeError(Code.NOT_FOUND, Reason.CLIP_NOT_FOUND, f"There is no clip at '{path}': {error}.") from error
    except FileNotFoundError as error:
        raise BridgeError(Code.NOT_FOUND, Reason.CLIP_NOT_FOUND, f"There is no clip at '{path}'; check the path.") from error
    except OSError as error:
        sentence = f"'{path}' cannot be opened: {error.strerror}; check its permissions."
        raise BridgeError(Code.INVALID_ARGUMENT, Reason.CLIP_UNREADABLE, sentence) from error


def _headers(files: FrameFiles) -> list[dict[str, Any]]:
    """One for each file. Raises BridgeError for the first that cannot be used."""
    if len(files.numbers) > limits().clip_frames:
        sentence = f"'{files.pattern.name}' has {len(files.numbers)} frames, {limits().clip_frames} are supported; name a part of it."
        raise BridgeError(Code.UNIMPLEMENTED, Reason.CLIP_UNSUPPORTED, sentence)
    paths = [files.path(number) for number in files.numbers]
    request = {"task": "headers", "paths": [str(path) for path in paths], "max_pixels": limits().clip_megapixels * MEGAPIXEL}
    try:
        answer = Child(READER, SCAN_SECONDS + SECONDS_PER_FILE * len(paths)).run(request=json.dumps(request).encode())
    except ChildFailedError as error:
        broken = paths[min(error.said.count(b"\n"), len(paths) - 1)]
        raise failed_picture(broken.name, "crashed", "", broken) from error
    headers: list[dict[str, Any]] = [json.loads(line) for line in answer.splitlines()]
    if "failure" in headers[-1]:
        broken = paths[len(headers) - 1]
        raise failed_picture(broken.name, headers[-1]["failure"], headers[-1]["detail"], broken)
    return headers


def _check_alike(files: FrameFiles, headers: list[dict[str, Any]]) -> None:
    """Raises BridgeError for the first picture that differs from most of them."""
    for words, look in _SAME:
        seen = [look(header) for header in headers]
        usual = Counter(map(str, seen)).most_common(1)[0][0]
        differs = [str(each) != usual for each in seen]
        if any(differs):
            odd, other = (files.path(files.numbers[differs.index(which)]).name for which in (True, False))
            sentence = f"'{odd}' {words.format(seen[differs.index(True)])}, unlike '{other}'; all frames must be alike."
            raise BridgeError(Code.INVALID_ARGUMENT, Reason.CLIP_UNREADABLE, sentence)


def _check_extent(files: FrameFiles, header: dict[str, Any]) -> None:
    width, height = header["window"][2:]
    if max(width, height) > limits().side_pixels:
        detail = f"{width}x{height}"
        raise failed_picture(files.pattern.name, "too_large", detail, files.path(files.numbers[0]))


def _rate(header: dict[str, Any]) -> Fraction:
    """As the header tells it, a fraction or a decimal; DEFAULT_RATE where it tells none, or one that cannot be."""
    told = header["rate"]
    if isinstance(told, list):
        told = Fraction(*told) if told[1] > 0 else None
    return (exact_rate(told, DECIMALS) if told is not None else None) or DEFAULT_RATE


def _pixel_aspect(header: dict[str, Any]) -> Fraction:
    told = header["aspect"]
    return Fraction(told).limit_denominator(10_000) if 1 / MAX_ASPECT < told < MAX_ASPECT else Fraction(1)


def _timecode(header: dict[str, Any], rate: Fraction) -> str | None:
    """The label of the picture; None where it has none or an impossible one."""
    try:
        if header["label"]:
            return str(timecode.Timecode.parse(header["label"], rate))
        if header["timecode"]:
            return str(timecode.Timecode.from_bcd(header["timecode"][0] & 0xFFFFFFFF, rate))
    except ValueError:
        return None
    return None


def _transfer(header: dict[str, Any]) -> str:
    if header["type"] in ("half", "float"):
        return "linear"
    if header["format"] == "dpx":
        return DPX_TRANSFERS.get(header["dpx_transfer"] or "", tags.UNSPECIFIED)
    return "iec61966-2-1"


def _clip_info(files: FrameFiles, header: dict[str, Any]) -> ClipInfo:
    window = Window(*header["window"])
    orientation = ORIENTATIONS.get(header["orientation"], Orientation())
    width, height = (window.height, window.width) if orientation.swaps_axes else (window.width, window.height)
    aspect = _pixel_aspect(header)
    rate = _rate(header)
    depth = header["depth"] or DEPTHS[header["type"]]
    return ClipInfo(
        path=files.pattern,
        width=width,
        height=height,
        rate=rate,
        frame_count=files.numbers[-1] - files.numbers[0] + 1,
        codec=header["format"],
        pixel_format=header["type"] if header["type"] in ("half", "float") else f"uint{depth}",
        planar_format="",
        bit_depth=depth,
        full_range=True,
        matrix="gbr",
        primaries="bt709",
        transfer=_transfer(header),
        pixel_aspect=1 / aspect if orientation.swaps_axes else aspect,
        start_timecode=_timecode(header, rate),
        has_alpha=header["has_alpha"],
        orientation=orientation,
        stream_index=0,
        container="files",
        time_base=1 / rate,
        timestamps=(),
        keyframes=(),
        first_frame=files.numbers[0],
        files=files,
        layer=header["layer"],
        premultiplied=header["has_alpha"] and not header["straight"],
        window=window if header["format"] == "exr" else None,
        header_space=space_of_exr(header["chromaticities"], header["color_names"]) if header["format"] == "exr" else "",
    )
