"""`i2vedit propagate`: submit and watch."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from i2vedit_client.commands.options import json_option, making_options, reading_options
from i2vedit_client.errors import BadInput
from i2vedit_client.launch import connect
from i2vedit_client.remote import is_remote, send
from i2vedit_client.report import open_report
from i2vedit_client.spec import PropagateOptions, Reading, job_spec, parse_range, parse_size
from i2vedit_client.submit import leave, submit, watch

if TYPE_CHECKING:
    from i2vedit_client.timeline_session import TimelineSession

ALSO = ("prores", "png", "mp4")
INSIDES = ("auto", "replace", "delta")


@click.command("propagate")
@click.argument("clip", required=False)
@click.option("--otio", metavar="FILE", help="A timeline to take the shot from, instead of CLIP; the result comes as one, too.")
@click.option("--clip", "clip_name", metavar="NAME", help="The clip of the timeline; NAME#2 is the second of that name.")
@click.option("--edited", required=True, metavar="FILE", help="The painted frame: PNG, JPEG, TIFF, EXR or PSD.")
@click.option("--out", required=True, metavar="DIR", help="Folder that receives NAME_v001, NAME_v002, ...")
@click.option("--range", "frames", metavar="A-B", help="First and last source frame, inclusive. Default: the whole clip.")
@click.option("--at", type=click.IntRange(min=0), metavar="N", help="Source frame that was painted. Default: the first of the range.")
@making_options
@click.option("--also", type=click.Choice(ALSO), multiple=True, help="Deliver this beside the EXR, too; may be given again.")
@click.option(
    "--inside", type=click.Choice(INSIDES), default="auto", show_default=True, help="New pixels, or the change added to the plate."
)
@click.option("--grain", type=click.FloatRange(0, 1), help="How much of the plate's grain new pixels get, 0 to 1. Default: all of it.")
@click.option("--region", metavar="FILE", help="Your own matte: a picture for the painted frame, or a clip for all of them.")
@click.option("--detach", is_flag=True, help="Submit, and do not wait.")
@reading_options
@json_option
def command(
    clip: str | None,
    otio: str | None,
    clip_name: str | None,
    edited: str,
    out: str,
    frames: str | None,
    at: int | None,
    model: str,
    preset: str,
    edit: str,
    seed: int,
    lora_steps: int | None,
    size: str | None,
    stride: str,
    deliver: str,
    depth: str,
    compression: str,
    alpha: str,
    also: tuple[str, ...],
    inside: str,
    grain: float | None,
    region: str | None,
    detach: bool,
    reading: Reading,
    as_json: bool,
) -> None:
    """Carry a painted frame of CLIP through the shot and deliver it as an EXR sequence.

    CLIP is a movie, or a sequence of pictures by its pattern (shot.%04d.exr), its folder or one of its files; its frames are called by the
    numbers in their names, those of a movie by their count from 0.

    The job runs in the server, which is started if none runs. The same call again takes up an unfinished job; after a
    finished one it makes the next version.
    """
    if (clip is None) == (otio is None) or (otio is None) != (clip_name is None):
        raise BadInput("Give a CLIP, or a timeline with --otio and the name of its clip with --clip.")
    if otio is not None and frames is not None:
        raise BadInput("The range comes from the timeline. Leave --range out, or give the movie file as CLIP.")
    shot = _timeline_session(otio, clip_name or "") if otio is not None else None
    options = PropagateOptions(
        clip=shot.path if shot is not None else clip or "",
        edited=edited,
        directory=out,
        frames=shot.frames if shot is not None else parse_range(frames) if frames is not None else None,
        painted_frame=at,
        model=model,
        preset=preset,
        edit=edit,
        seed=seed,
        lora_steps=lora_steps,
        size=parse_size(size),
        stride=stride,
        color_space=deliver,
        depth=depth,
        compression=compression,
        alpha=alpha,
        reading=reading,
        also=also,
        inside=inside,
        grain=grain,
        region=region,
    )
    spec = job_spec(options)
    if shot is not None:
        spec.clip.MergeFrom(shot.place)
    remote = is_remote()
    with open_report(as_json) as report:
        with connect() as client:
            job = submit(client, send(client, spec, report) if remote else spec, report)
        if detach:
            leave(job, report)
        else:
            told = shot.telling(report) if shot is not None else report
            watch(connect, job.name, told, Path(spec.delivery.directory) if remote else None)


def _timeline_session(otio: str, clip_name: str) -> "TimelineSession":
    # The library is large, and only this option needs it.
    from i2vedit_client.timeline_session import open_session

    return open_session(otio, clip_name)
