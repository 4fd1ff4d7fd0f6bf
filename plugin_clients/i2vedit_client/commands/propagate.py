"""`i2vedit propagate`: submit and watch."""

from pathlib import Path

import click

from i2vedit_client.commands.options import clip_color_option, json_option
from i2vedit_client.launch import connect
from i2vedit_client.remote import is_remote, send
from i2vedit_client.report import open_report
from i2vedit_client.spec import PropagateOptions, job_spec, parse_range, parse_size
from i2vedit_client.submit import leave, submit, watch

PRESETS = ("full", "balanced", "preview")
EDITS = ("local", "style", "shape")
DEPTHS = ("auto", "half", "float")
ALPHAS = ("plate", "matte")


@click.command("propagate")
@click.argument("clip")
@click.option("--edited", required=True, metavar="FILE", help="The painted frame: PNG, JPEG, TIFF, EXR or PSD.")
@click.option("--out", required=True, metavar="DIR", help="Folder that receives NAME_v001, NAME_v002, ...")
@clip_color_option
@click.option("--range", "frames", metavar="A-B", help="First and last source frame, inclusive, from 0. Default: the whole clip.")
@click.option("--at", type=click.IntRange(min=0), metavar="N", help="Source frame that was painted. Default: the first of the range.")
@click.option("--model", default="mini", show_default=True, metavar="NAME|PATH", help="mini, svd, svd-xt, or a diffusers folder.")
@click.option("--preset", type=click.Choice(PRESETS), default="full", show_default=True, help="How much time to spend.")
@click.option("--edit", type=click.Choice(EDITS), default="local", show_default=True, help="What kind of change was painted.")
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=0, show_default=True, help="The same seed gives the same pixels.")
@click.option("--lora-steps", type=click.IntRange(0, 10_000), help="Training steps for each chunk. Default: what the model recommends.")
@click.option("--size", metavar="WxH", help="Largest picture of the model, where memory is short. Default: what it was made for.")
@click.option("--deliver", default="match", show_default=True, metavar="SPACE", help="match, linear, ACEScg or an OCIO colour space.")
@click.option("--depth", type=click.Choice(DEPTHS), default="auto", show_default=True, help="Depth of the EXR.")
@click.option("--compression", default="zip", show_default=True, metavar="NAME", help="Compression of the EXR: zip, piz, dwaa, ...")
@click.option("--alpha", type=click.Choice(ALPHAS), default="plate", show_default=True, help="The whole picture, or the patch alone.")
@click.option("--detach", is_flag=True, help="Submit, and do not wait.")
@json_option
def command(
    clip: str,
    edited: str,
    out: str,
    clip_color: str,
    frames: str | None,
    at: int | None,
    model: str,
    preset: str,
    edit: str,
    seed: int,
    lora_steps: int | None,
    size: str | None,
    deliver: str,
    depth: str,
    compression: str,
    alpha: str,
    detach: bool,
    as_json: bool,
) -> None:
    """Carry a painted frame of CLIP through the shot and deliver it as an EXR sequence.

    The job runs in the server, which is started if none runs. The same call again takes up an unfinished job; after a
    finished one it makes the next version.
    """
    options = PropagateOptions(
        clip=clip,
        edited=edited,
        directory=out,
        clip_color=clip_color,
        frames=parse_range(frames) if frames is not None else None,
        painted_frame=at,
        model=model,
        preset=preset,
        edit=edit,
        seed=seed,
        lora_steps=lora_steps,
        size=parse_size(size),
        color_space=deliver,
        depth=depth,
        compression=compression,
        alpha=alpha,
    )
    spec = job_spec(options)
    remote = is_remote()
    with open_report(as_json) as report:
        with connect() as client:
            job = submit(client, send(client, spec, report) if remote else spec, report)
        if detach:
            leave(job, report)
        else:
            watch(connect, job.name, report, Path(spec.delivery.directory) if remote else None)
