"""`i2vedit propagate`: submit and watch."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from i2vedit_client.commands.options import json_option, shot_options
from i2vedit_client.errors import BadInput
from i2vedit_client.handles import add_handles
from i2vedit_client.launch import connect
from i2vedit_client.remote import is_remote, send
from i2vedit_client.report import open_report
from i2vedit_client.spec import PropagateOptions, Reading, job_spec
from i2vedit_client.submit import leave, submit, watch

if TYPE_CHECKING:
    from i2vedit_client.timeline_session import TimelineSession


@click.command("propagate")
@click.argument("clip", required=False)
@click.option("--otio", metavar="FILE", help="A timeline to take the shot from, instead of CLIP; the result comes as one, too.")
@click.option("--clip", "clip_name", metavar="NAME", help="The clip of the timeline; NAME#2 is the second of that name.")
@shot_options
@click.option("--detach", is_flag=True, help="Submit, and do not wait.")
@json_option
def command(
    clip: str | None, otio: str | None, clip_name: str | None, options: PropagateOptions, handles: int, detach: bool, as_json: bool
) -> None:
    """Carry a painted frame of CLIP through the shot and deliver it as an EXR sequence.

    CLIP is a movie, or a sequence of pictures by its pattern (shot.%04d.exr), its folder or one of its files; its frames are called by the
    numbers in their names, those of a movie by their count from 0.

    Any frame of the range may be painted, and several: --edited A.png --at 100 --edited B.png --at 160.

    The job runs in the server, which is started if none runs. The same call again takes up an unfinished job; after a
    finished one it makes the next version.
    """
    if (clip is None) == (otio is None) or (otio is None) != (clip_name is None):
        raise BadInput("Give a CLIP, or a timeline with --otio and the name of its clip with --clip.")
    if otio is not None and options.frames is not None:
        raise BadInput("The range comes from the timeline. Leave --range out, or give the movie file as CLIP.")
    shot = _timeline_session(otio, clip_name or "", handles, options.reading) if otio is not None else None
    spec = shot.job_spec(options) if shot is not None else job_spec(replace(options, clip=clip or ""))
    remote, directory = is_remote(), Path(spec.delivery.directory)
    with open_report(as_json) as report:
        with connect() as client:
            spec = send(client, spec, report) if remote else spec
            if shot is None:
                add_handles(client, spec, handles)
            job = submit(client, spec, report)
        if detach:
            leave(job, report)
        else:
            told = shot.telling(report) if shot is not None else report
            watch(connect, job.name, told, directory if remote else None)


def _timeline_session(otio: str, clip_name: str, handles: int, reading: Reading) -> "TimelineSession":
    # The library is large, and only this option needs it.
    from i2vedit_client.timeline_session import open_session

    return open_session(otio, clip_name, handles, reading)
