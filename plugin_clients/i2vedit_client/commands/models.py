"""`i2vedit models`: model folders."""

import click

from i2vedit_client.commands.options import json_option
from i2vedit_client.events import SUCCEEDED
from i2vedit_client.launch import connect
from i2vedit_client.report import write_json, write_line
from i2vedit_client.spec import model_reference

MEGABYTE = 10**6


@click.group("models")
def command() -> None:
    """Check model folders."""


@command.command("check")
@click.argument("model")
@json_option
def check(model: str, as_json: bool) -> None:
    """Say whether MODEL (a name or a diffusers folder) is complete and safe to load."""
    with connect() as client:
        info = client.check_model(model_reference(model))
    if as_json:
        fields = {"name": info.name, "path": info.path, "frames": info.frame_count, "bytes": info.byte_count, "sha256": info.sha256}
        write_json({"event": SUCCEEDED, **fields})
        return
    write_line(f"{info.name} can be used: {info.frame_count} frames a chunk, {info.byte_count / MEGABYTE:,.0f} MB, in {info.path}")
    write_line(f"sha256 {info.sha256}")
