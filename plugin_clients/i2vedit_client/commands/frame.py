"""`i2vedit frame`: a picture to paint on."""

import click

from i2vedit_client.commands.options import json_option
from i2vedit_client.events import SUCCEEDED
from i2vedit_client.launch import connect
from i2vedit_client.report import write_json, write_line
from i2vedit_client.spec import absolute


@click.command("frame")
@click.argument("clip")
@click.option("--at", type=click.IntRange(min=0), default=0, show_default=True, metavar="N", help="Source frame, counted from 0.")
@click.option("--out", required=True, metavar="FILE", help=".tif or .png: 16 bits with an ICC profile; .exr: the plate's own values.")
@json_option
def command(clip: str, at: int, out: str, as_json: bool) -> None:
    """Export frame N of CLIP for painting."""
    with connect() as client:
        path = client.extract_frame(absolute(clip), at, absolute(out))
    if as_json:
        write_json({"event": SUCCEEDED, "path": path, "frame": at})
    else:
        write_line(path)
