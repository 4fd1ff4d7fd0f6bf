"""Options that several commands share."""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import click

from i2vedit_client.errors import BadInput
from i2vedit_client.painted import painted_frames
from i2vedit_client.spec import PropagateOptions, Reading, parse_range, parse_rate, parse_size

ALSO = ("prores", "png", "mp4")
CUTS = ("find", "ignore")
INSIDES = ("auto", "replace", "delta")
PRESETS = ("full", "balanced", "preview")
EDITS = ("local", "style", "shape")
DEPTHS = ("auto", "half", "float")
ALPHAS = ("plate", "matte")

STRIDE_HELP = "The model sees every K-th frame; the others are carried along the plate's motion."

json_option = click.option("--json", "as_json", is_flag=True, help="One JSON object a line, for programs.")


def reading_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """How to read the clip, where its file does not say or says it wrongly; the command gets them as one `reading`."""

    @click.option("--deinterlace", is_flag=True, help="Make whole frames of an interlaced clip's fields.")
    @click.option("--video-stream", type=click.IntRange(min=1), metavar="N", help="Of a movie with several. Default: the file's choice.")
    @click.option("--rate", metavar="FPS", help="Frames a second, like 25, 23.976 or 24000/1001. Default: the file's, or 24 of pictures.")
    @click.option("--timecode", default="", metavar="HH:MM:SS:FF", help="Timecode of the first frame. Default: the file's.")
    @click.option("--clip-color", default="", metavar="SPACE", help="OCIO space of the clip: 'ARRI LogC4', ... Default: by its tags.")
    @functools.wraps(command)
    def with_reading(
        *, deinterlace: bool, video_stream: int | None, rate: str | None, timecode: str, clip_color: str, **others: Any
    ) -> Any:
        return command(reading=Reading(deinterlace, video_stream or 0, parse_rate(rate), timecode, clip_color), **others)

    return with_reading


_MAKING = (
    click.option("--model", default="mini", show_default=True, metavar="NAME|PATH", help="mini, svd, svd-xt, or a diffusers folder."),
    click.option("--preset", type=click.Choice(PRESETS), default="full", show_default=True, help="How much time to spend."),
    click.option("--edit", type=click.Choice(EDITS), default="local", show_default=True, help="What kind of change is painted."),
    click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=0, show_default=True, help="The same seed gives the same pixels."),
    click.option("--lora-steps", type=click.IntRange(0, 10_000), help="Training steps for each chunk. Default: what the model recommends."),
    click.option("--size", metavar="WxH", help="Largest picture of the model, where memory is short. Default: what it was made for."),
    click.option("--stride", default="1", show_default=True, metavar="K|auto", help=STRIDE_HELP),
    click.option("--cuts", type=click.Choice(CUTS), default="find", show_default=True, help="ignore: take the range for one shot."),
    click.option("--deliver", default="match", show_default=True, metavar="SPACE", help="match, linear, ACEScg or an OCIO colour space."),
    click.option("--depth", type=click.Choice(DEPTHS), default="auto", show_default=True, help="Depth of the EXR."),
    click.option("--compression", default="zip", show_default=True, metavar="NAME", help="Compression of the EXR: zip, piz, dwaa, ..."),
    click.option("--alpha", type=click.Choice(ALPHAS), default="plate", show_default=True, help="The whole picture, or the patch alone."),
    click.option(
        "--inside", type=click.Choice(INSIDES), default="auto", show_default=True, help="New pixels, or the change added to the plate."
    ),
    click.option("--grain", type=click.FloatRange(0, 1), help="How much of the plate's grain new pixels get, 0 to 1. Default: all of it."),
)


def _all_of(options: Sequence[Callable[..., Any]], command: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(options):
        command = option(command)
    return command


def making_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """How a shot is carried and delivered: what every command takes that makes versions."""
    return _all_of(_MAKING, command)


range_option = click.option("--range", "frames", metavar="A-B", help="First and last source frame, inclusive. Default: the whole clip.")
handles_option = click.option(
    "--handles",
    type=click.IntRange(0, 1000),
    default=0,
    metavar="N",
    help="Frames more at either end of the range, as far as the clip has them.",
)

_PAINTED = (
    click.option("--edited", required=True, multiple=True, metavar="FILE", help="The painted frame: PNG, JPEG, TIFF, EXR or PSD."),
    click.option(
        "--at",
        type=click.IntRange(min=0),
        multiple=True,
        metavar="N",
        help="Source frame that was painted. Default: the first of the range.",
    ),
    click.option(
        "--region", multiple=True, metavar="FILE", help="Your own matte: a picture for the painted frame, or a clip for all of them."
    ),
    click.option("--out", required=True, metavar="DIR", help="Folder that receives NAME_v001, NAME_v002, ..."),
    range_option,
    handles_option,
    click.option(
        "--pin", "pin", multiple=True, metavar="A-B", help="Frames to take over from --pinned-from as they are; may be given again."
    ),
    click.option("--pinned-from", metavar="DIR", help="The delivered version that pinned frames come from."),
)
also_option = click.option("--also", type=click.Choice(ALSO), multiple=True, help="Deliver this beside the EXR, too; may be given again.")


def shot_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Everything about a shot but its clip: what is painted, how it is carried, what is delivered.

    The command gets it as `options`, whose clip is empty, and `handles`.
    """

    @functools.wraps(command)
    def with_options(
        *,
        edited: tuple[str, ...],
        at: tuple[int, ...],
        region: tuple[str, ...],
        out: str,
        frames: str | None,
        pin: tuple[str, ...],
        pinned_from: str | None,
        size: str | None,
        deliver: str,
        **others: Any,
    ) -> Any:
        if bool(pin) != bool(pinned_from):
            raise BadInput("Frames are pinned from a version: give --pin A-B and --pinned-from DIR together.")
        made = {name: others.pop(name) for name in tuple(others) if name in PropagateOptions.__dataclass_fields__ and name != "clip"}
        options = PropagateOptions(
            clip="",
            edits=painted_frames(edited, at, region),
            directory=out,
            frames=parse_range(frames) if frames is not None else None,
            pins=tuple(parse_range(each) for each in pin),
            pinned_from=pinned_from or "",
            size=parse_size(size),
            color_space=deliver,
            **made,
        )
        return command(options=options, **others)

    return _all_of((*_PAINTED, *_MAKING, also_option), reading_options(with_options))
