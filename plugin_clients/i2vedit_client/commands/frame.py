"""`i2vedit frame`: a picture to paint on, while the shot is prepared for what will be painted."""

from typing import Any

import click

from i2vedit_client.commands.options import CUTS, PRESETS, json_option, reading_options
from i2vedit_client.errors import BadInput
from i2vedit_client.events import SUCCEEDED, shot_event
from i2vedit_client.launch import connect
from i2vedit_client.remote import saying_what_to_do
from i2vedit_client.report import write_json, write_line
from i2vedit_client.spec import Reading, ShotOptions, absolute, clip_ref, parse_range, parse_size, shot_spec


@click.command("frame")
@click.argument("clip")
@click.option("--at", type=click.IntRange(min=0), metavar="N", help="Source frame. Default: the first of the range.")
@click.option("--out", required=True, metavar="FILE", help=".tif or .png: 16 bits with an ICC profile; .exr: the plate's own values.")
@click.option("--range", "frames", metavar="A-B", help="The shot, source frames. Default: all of the clip.")
@click.option("--model", default="mini", show_default=True, metavar="NAME|PATH", help="mini, svd, svd-xt, or a diffusers folder.")
@click.option("--preset", type=click.Choice(PRESETS), default="full", show_default=True, help="How much time to spend.")
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=0, show_default=True, help="As it will be given to propagate.")
@click.option("--lora-steps", type=click.IntRange(0, 10_000), help="As it will be given to propagate.")
@click.option("--size", metavar="WxH", help="As it will be given to propagate.")
@click.option("--stride", default="1", show_default=True, metavar="K|auto", help="As it will be given to propagate.")
@click.option("--cuts", type=click.Choice(CUTS), default="find", show_default=True, help="As it will be given to propagate.")
@click.option("--no-prepare", is_flag=True, help="Export the frame, and do nothing more.")
@reading_options
@json_option
def command(
    clip: str,
    at: int | None,
    out: str,
    frames: str | None,
    size: str | None,
    no_prepare: bool,
    reading: Reading,
    as_json: bool,
    **settings: Any,
) -> None:
    """Export a frame of CLIP for painting, and prepare its shot meanwhile.

    The preparation runs in the server while nothing else is to be done. `propagate` with the same range, painted frame, model,
    preset, seed, training steps, size, stride and cuts finds it, however far it is.
    """
    first, last = parse_range(frames) if frames is not None else (0, None)
    frame = first if at is None else at
    if frame < first or (last is not None and frame > last):
        raise BadInput(f"Frame {frame} lies outside the range {frames}. Give a frame of the shot with --at.")
    keys = () if at is None else (at,)
    options = ShotOptions(clip, first, last, size=parse_size(size), reading=reading, keys=keys, **settings)
    shot = None if no_prepare else shot_spec(options)
    with connect() as client, saying_what_to_do():
        answer = client.extract_frame(clip_ref(clip, first, 0, reading), frame, absolute(out), shot)
    if as_json:
        written = {"event": SUCCEEDED, "path": answer.output_path, "frame": answer.frame, "notices": list(answer.notices)}
        write_json({**written, **(shot_event(answer.shot) if shot else {})})
        return
    for notice in answer.notices:
        click.echo(notice, err=True)
    write_line(answer.output_path)
