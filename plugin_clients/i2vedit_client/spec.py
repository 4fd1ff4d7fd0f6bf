"""From a person's options to the JobSpec that the server takes."""

import re
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path, PurePath
from typing import Any

from i2vedit.v1 import clip_pb2, delivery_pb2, job_pb2, shot_pb2
from i2vedit_client.errors import BadInput
from i2vedit_client.painted import Painted

LARGEST_FRAME = 2**63 - 1
LARGEST_STRIDE = 16
MODEL_NAMES = ("mini", "svd", "svd-xt")


@dataclass(frozen=True)
class Reading:
    """How to read a clip, where that is known better than its file does."""

    deinterlace: bool = False
    video_stream: int = 0
    """From 1; 0: the one that the file prefers."""
    rate: tuple[int, int] | None = None
    """Frames a second as a fraction; None: the file's."""
    timecode: str = ""
    """Of the first frame of the range; empty: the file's."""
    color_space: str = ""
    """OCIO name, or a host's; empty: by the file's tags."""


AS_IT_IS = Reading()


@dataclass(frozen=True)
class PropagateOptions:
    """The options of `i2vedit propagate`. None or empty leaves the choice to the server."""

    clip: str
    edits: tuple[Painted, ...]
    directory: str
    frames: tuple[int, int] | None = None
    """First and last source frame, both inclusive; None: the whole clip."""
    pins: tuple[tuple[int, int], ...] = ()
    """First and last source frame of each range that is taken over from `pinned_from`."""
    pinned_from: str = ""
    """The folder of a delivered version."""
    model: str = "mini"
    """`mini`, `svd`, `svd-xt`, or the path of a diffusers folder."""
    preset: str = "full"
    edit: str = "local"
    seed: int = 0
    lora_steps: int | None = None
    size: tuple[int, int] | None = None
    """Largest width and height of the model's picture; None: what the model was made for."""
    stride: str = "1"
    """The model sees every so manieth frame; `auto`: by the shot's motion."""
    color_space: str = ""
    depth: str = "auto"
    compression: str = ""
    alpha: str = "plate"
    reading: Reading = AS_IT_IS
    also: tuple[str, ...] = ()
    """`prores`, `png`, `mp4`."""
    inside: str = "auto"
    grain: float | None = None
    cuts: str = "find"
    """`ignore`: take the range for one shot, whatever looks like a cut in it."""


def absolute(path: str) -> str:
    """A path as the server needs it, which runs in another folder. Links stay as the person named them."""
    whole = str(Path(path).expanduser().absolute())
    try:
        whole.encode("utf-8")
    except UnicodeEncodeError:
        raise BadInput(f"The path {whole!r} is not valid UTF-8. Rename it, then try again.") from None
    return whole


def clip_stem(path: str) -> str:
    """A clip's name without its ending; of a sequence by its pattern, without the frame number: `shot` for `shot.%04d.exr`."""
    pure = PurePath(path)
    stem, numbered = re.subn(r"(%\d*d|#+)$", "", pure.stem)
    return stem.rstrip("._- ") or pure.parent.name if numbered else pure.stem


def model_reference(model: str) -> str:
    """A model's name as it is; a folder as an absolute path, since the server runs in another one."""
    is_path = model not in MODEL_NAMES and (Path(model).expanduser().is_dir() or any(mark in model for mark in "/\\~"))
    return absolute(model) if is_path else model


def parse_range(text: str) -> tuple[int, int]:
    """`A-B`: first and last source frame, both inclusive. Raises BadInput."""
    match = re.fullmatch(r"\s*(\d{1,19})\s*-\s*(\d{1,19})\s*", text, re.ASCII)
    if match is None:
        raise BadInput(f"The range '{text}' is not understood. Write the first and the last source frame, like 0-41.")
    first, last = int(match[1]), int(match[2])
    if last < first:
        raise BadInput(f"The range {text} ends before it begins. Write the first frame first, like {last}-{first}.")
    if last >= LARGEST_FRAME:
        raise BadInput(f"The range {text} lies far outside any clip.")
    return first, last


@dataclass(frozen=True)
class ShotOptions:
    """Those options of `i2vedit frame` that say what to prepare."""

    clip: str
    first: int
    last: int | None
    """None: to the end of the clip."""
    model: str
    preset: str
    seed: int
    size: tuple[int, int] | None = None
    reading: Reading = AS_IT_IS
    keys: tuple[int, ...] = ()
    """Source frames that will be painted. Empty: the first."""
    stride: str = "1"
    lora_steps: int | None = None
    cuts: str = "find"


def shot_spec(options: ShotOptions) -> shot_pb2.ShotSpec:
    """The shot that these options mean, with absolute paths."""
    count = 0 if options.last is None else options.last - options.first + 1
    return shot_pb2.ShotSpec(
        clip=clip_ref(options.clip, options.first, count, options.reading),
        settings=_settings(options),
        key_frames=options.keys,
    )


def _settings(options: PropagateOptions | ShotOptions) -> job_pb2.PropagationSettings:
    """What a shot is prepared with: it has to be the same for its job."""
    return job_pb2.PropagationSettings(
        model=model_reference(options.model),
        preset=job_pb2.Preset.Value(f"PRESET_{options.preset.upper()}"),
        seed=options.seed,
        lora_steps=options.lora_steps,
        picture_area=picture_area(options.size),
        ignore_cuts=options.cuts == "ignore",
        **stride_fields(options.stride),
    )


def clip_ref(path: str, first: int, count: int, reading: Reading) -> clip_pb2.ClipRef:
    """A part of a clip, `count` 0 meaning up to its end, and how to read it. Raises BadInput."""
    return clip_pb2.ClipRef(
        path=absolute(path),
        source_in=first,
        frame_count=count,
        rate=clip_pb2.Rational(numerator=reading.rate[0], denominator=reading.rate[1]) if reading.rate else None,
        start_timecode=reading.timecode,
        deinterlace=reading.deinterlace,
        video_stream=reading.video_stream,
        color_tag=reading.color_space,
    )


def parse_rate(text: str | None) -> tuple[int, int] | None:
    """`24`, `23.976` or `24000/1001` frames a second, as a fraction; None stays None. Raises BadInput."""
    if text is None:
        return None
    match = re.fullmatch(r"\s*(\d{1,6})(?:/(\d{1,6})|\.(\d{1,6}))?\s*", text, re.ASCII)
    if match is None or int(match[1]) == 0 or int(match[2] or 1) == 0:
        raise BadInput(f"The rate '{text}' is not understood. Write frames a second, like 25, 23.976 or 24000/1001.")
    if match[3] is None:
        return int(match[1]), int(match[2] or 1)
    nominal = int(match[1]) + 1
    if round(nominal * 1000 / 1001, 2) == round(float(text), 2):
        return nominal * 1000, 1001
    decimal = Fraction(text.strip())
    return decimal.numerator, decimal.denominator


def parse_size(text: str | None) -> tuple[int, int] | None:
    """`WxH` in pixels; None stays None. Raises BadInput."""
    if text is None:
        return None
    match = re.fullmatch(r"\s*(\d{1,5})\s*[xX×]\s*(\d{1,5})\s*", text, re.ASCII)
    if match is None or int(match[1]) * int(match[2]) == 0:
        raise BadInput(f"The size '{text}' is not understood. Write width and height in pixels, like 704x384.")
    return int(match[1]), int(match[2])


def stride_fields(text: str) -> dict[str, Any]:
    """A number of frames or `auto`, as fields of `PropagationSettings`. Raises BadInput."""
    if text.strip().lower() == "auto":
        return {"auto_stride": True}
    if re.fullmatch(r"\s*\d{1,2}\s*", text, re.ASCII) is None or not 1 <= int(text) <= LARGEST_STRIDE:
        raise BadInput(f"The stride '{text}' is not understood. Write a number from 1 to {LARGEST_STRIDE}, like 3, or auto.")
    return {"stride": int(text)}


def picture_area(size: tuple[int, int] | None) -> int:
    """As the server takes it; 0 leaves it to the model."""
    return 0 if size is None else size[0] * size[1]


def job_spec(options: PropagateOptions) -> job_pb2.JobSpec:
    """The job that these options ask for, with absolute paths."""
    first, count = 0, 0
    if options.frames is not None:
        first, count = options.frames[0], options.frames[1] - options.frames[0] + 1
    settings = _settings(options)
    settings.edit_kind = job_pb2.EditKind.Value(f"EDIT_KIND_{options.edit.upper()}")
    return job_pb2.JobSpec(
        clip=clip_ref(options.clip, first, count, options.reading),
        edits=[_edited_frame(edit) for edit in options.edits],
        pinned=_pinned_frames(options) if options.pins else None,
        settings=settings,
        delivery=job_pb2.DeliverySettings(
            directory=absolute(options.directory),
            color_space=options.color_space,
            depth=job_pb2.Depth.Value(f"DEPTH_{options.depth.upper()}"),
            compression=options.compression,
            alpha=job_pb2.AlphaMode.Value(f"ALPHA_MODE_{options.alpha.upper()}"),
            also=[delivery_pb2.SideFormat.Value(f"SIDE_FORMAT_{name.upper()}") for name in options.also],
            inside=job_pb2.Inside.Value(f"INSIDE_{options.inside.upper()}"),
            grain=options.grain,
        ),
    )


def _pinned_frames(options: PropagateOptions) -> job_pb2.PinnedFrames:
    ranges = [job_pb2.FrameRange(first=first, last=last) for first, last in options.pins]
    return job_pb2.PinnedFrames(directory=absolute(options.pinned_from), ranges=ranges)


def _edited_frame(edit: Painted) -> job_pb2.EditedFrame:
    return job_pb2.EditedFrame(path=absolute(edit.path), frame=edit.frame, region_path=absolute(edit.region) if edit.region else "")
