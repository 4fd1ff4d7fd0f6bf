"""`i2vedit models`: model folders."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from i2vedit_client.client import Client
from i2vedit_client.commands.options import json_option
from i2vedit_client.counting import counted
from i2vedit_client.errors import BadInput, ClientError, ExitCode, Failure, ServerError
from i2vedit_client.events import FAILED, SUCCEEDED, Event
from i2vedit_client.launch import connect, require_server_packages
from i2vedit_client.remote import is_remote
from i2vedit_client.report import write_json, write_line
from i2vedit_client.spec import MODEL_NAMES, model_reference

MEGABYTE = 10**6
REPOSITORIES = {"svd": "stabilityai/stable-video-diffusion-img2vid", "svd-xt": "stabilityai/stable-video-diffusion-img2vid-xt"}
"""What can be pulled, and its place on the hub."""
LICENSE = "stable-video-diffusion-community"
"""As its publisher, Stability AI, calls it on the hub."""
HUB = "https://huggingface.co"
DOWNLOADING = "downloading"
SILENT: Event = {"event": FAILED, "code": "INTERNAL", "reason": "UNEXPECTED", "message": "The download ended without a word."}
BUNDLED, INSTALLED, UNUSABLE, ABSENT = "bundled", "installed", "unusable", "absent"


@click.group("models")
def command() -> None:
    """List, pull and check model folders."""


@command.command("list")
@json_option
def list_models(as_json: bool) -> None:
    """Say which models there are, where they lie, and which can be pulled."""
    with connect() as client:
        found = [_found(client, name) for name in MODEL_NAMES]
    if as_json:
        write_json({"event": SUCCEEDED, "models": found})
        return
    for model in found:
        write_line(f"{model['name']:<8}{model['state']:<11}{_words(model)}")


def _found(client: Client, name: str) -> Event:
    """Raises ServerError where it is not the model that is at fault."""
    state = INSTALLED if name in REPOSITORIES else BUNDLED
    try:
        info = client.check_model(name, with_hash=False)
    except ServerError as error:
        if not error.failure.reason.startswith("MODEL_"):
            raise
        state = ABSENT if error.failure.reason == "MODEL_UNKNOWN" else UNUSABLE
        return {"name": name, "state": state, "reason": error.failure.reason, "message": error.failure.sentence}
    return {"name": name, "state": state, "path": info.path, "frames": info.frame_count, "bytes": info.byte_count}


def _words(model: Event) -> str:
    if model["state"] == ABSENT:
        return f"i2vedit models pull {model['name']}"
    if model["state"] == UNUSABLE:
        return str(model["message"])
    return f"{counted(model['frames'], 'frame')} a chunk, {model['bytes'] / MEGABYTE:,.0f} MB, in {model['path']}"


@command.command("pull")
@click.argument("name")
@click.option("--accept-license", is_flag=True, help="Do not ask: you have read the licence, and accept it.")
@json_option
def pull(name: str, accept_license: bool, as_json: bool) -> None:
    """Download NAME, which is svd or svd-xt, from the Hugging Face hub into the models folder.

    Where the hub wants to know who you are, it is told your own token: HF_TOKEN, or what you signed in with. What was broken off goes on
    where it was.
    """
    if name not in REPOSITORIES:
        raise BadInput(f"There is no model '{name}' to pull. svd and svd-xt can be pulled; mini is there already.")
    if is_remote():
        raise BadInput("Models lie on the server's machine: give this command there, with I2VEDIT_SERVER unset.")
    require_server_packages()
    _ask_for_consent(name, accept_license, as_json)
    with _download(REPOSITORIES[name]) as events:
        last = _passed_on(events) if as_json else _shown(events)
    if last["event"] == FAILED:
        raise ClientError(Failure(last["code"], last["reason"], last["message"]), ExitCode.FAILED)
    if as_json:
        write_json({**last, "name": name})
    else:
        write_line(f"{name} is in {last['path']}. Use it with --model {name}")


def _ask_for_consent(name: str, is_given: bool, as_json: bool) -> None:
    """Shows the licence. Raises Abort unless it is accepted."""
    page = f"{HUB}/{REPOSITORIES[name]}"
    if as_json:
        write_json({"event": "license", "name": LICENSE, "url": page})
    else:
        write_line(f"{REPOSITORIES[name]}, by Stability AI, has a licence of its own: {LICENSE}. Read it at {page}")
    if not is_given and not click.confirm("Have you read this licence, and do you accept it?", default=False, err=True):
        raise click.Abort


@contextmanager
def _download(repository: str) -> Iterator[Iterator[Event]]:
    """What the process says that downloads; its libraries are the server's. It ends with the block."""
    words = [sys.executable, "-m", "i2vedit_server.pull", repository]
    with subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, encoding="utf-8") as process:
        assert process.stdout is not None, "it was asked for"
        try:
            yield map(json.loads, process.stdout)
        finally:
            process.terminate()


def _passed_on(events: Iterator[Event]) -> Event:
    """Says how far it is to a program, and gives the last event."""
    last = SILENT
    for last in events:
        if last["event"] == DOWNLOADING:
            write_json(last)
    return last


def _shown(events: Iterator[Event]) -> Event:
    """Shows how far it is, and gives the last event."""
    last = next(events, SILENT)
    if last["event"] == DOWNLOADING:
        with click.progressbar(length=last["total"], label="Downloading", file=sys.stderr) as bar:
            bar.update(last["bytes"])
            for last in events:
                if last["event"] == DOWNLOADING:
                    bar.update(last["bytes"] - bar.pos)
    return last


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
    write_line(
        f"{info.name} can be used: {counted(info.frame_count, 'frame')} a chunk, {info.byte_count / MEGABYTE:,.0f} MB, in {info.path}"
    )
    write_line(f"sha256 {info.sha256}")
