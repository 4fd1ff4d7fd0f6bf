"""Options that several commands share."""

import functools
from collections.abc import Callable
from typing import Any

import click

from i2vedit_client.spec import Reading, parse_rate

PRESETS = ("full", "balanced", "preview")
EDITS = ("local", "style", "shape")
DEPTHS = ("auto", "half", "float")
ALPHAS = ("plate", "matte")

STRIDE_HELP = "The model sees every K-th frame; the others are carried along the plate's motion."

json_option = click.option("--json", "as_json", is_flag=True, help="One JSON object a line, for programs.")


def reading_options(command: Callable[..., None]) -> Callable[..., None]:
    """How to read the clip, where its file does not say or says it wrongly; the command gets them as one `reading`."""

    @click.option("--deinterlace", is_flag=True, help="Make whole frames of an interlaced clip's fields.")
    @click.option("--video-stream", type=click.IntRange(min=1), metavar="N", help="Of a movie with several. Default: the file's choice.")
    @click.option("--rate", metavar="FPS", help="Frames a second, like 25, 23.976 or 24000/1001. Default: the file's, or 24 of pictures.")
    @click.option("--timecode", default="", metavar="HH:MM:SS:FF", help="Timecode of the first frame. Default: the file's.")
    @click.option("--clip-color", default="", metavar="SPACE", help="OCIO space of the clip: 'ARRI LogC4', ... Default: by its tags.")
    @functools.wraps(command)
    def with_reading(
        *, deinterlace: bool, video_stream: int | None, rate: str | None, timecode: str, clip_color: str, **others: Any
    ) -> None:
        command(reading=Reading(deinterlace, video_stream or 0, parse_rate(rate), timecode, clip_color), **others)

    return with_reading


_MAKING = (
    click.option("--model", default="mini", show_default=True, metavar="NAME|PATH", help="mini, svd, svd-xt, or a diffusers folder."),
    click.option("--preset", type=click.Choice(PRESETS), default="full", show_default=True, help="How much time to spend."),
    click.option("--edit", type=click.Choice(EDITS), default="local", show_default=True, help="What kind of change is painted."),
    click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=0, show_default=True, help="The same seed gives the same pixels."),
    click.option("--lora-steps", type=click.IntRange(0, 10_000), help="Training steps for each chunk. Default: what the model recommends."),
    click.option("--size", metavar="WxH", help="Largest picture of the model, where memory is short. Default: what it was made for."),
    click.option("--stride", default="1", show_default=True, metavar="K|auto", help=STRIDE_HELP),
    click.option("--deliver", default="match", show_default=True, metavar="SPACE", help="match, linear, ACEScg or an OCIO colour space."),
    click.option("--depth", type=click.Choice(DEPTHS), default="auto", show_default=True, help="Depth of the EXR."),
    click.option("--compression", default="zip", show_default=True, metavar="NAME", help="Compression of the EXR: zip, piz, dwaa, ..."),
    click.option("--alpha", type=click.Choice(ALPHAS), default="plate", show_default=True, help="The whole picture, or the patch alone."),
)


def making_options(command: Callable[..., None]) -> Callable[..., None]:
    """How a shot is carried and delivered: what every command takes that makes versions."""
    for option in reversed(_MAKING):
        command = option(command)
    return command
