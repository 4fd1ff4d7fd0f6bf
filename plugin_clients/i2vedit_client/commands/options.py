"""Options that several commands share."""

import functools
from collections.abc import Callable
from typing import Any

import click

from i2vedit_client.spec import Reading, parse_rate

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
