"""`i2vedit host`: the contract of the host plugins, in JSON (docs/hosts.md)."""

import json
import sys
from pathlib import Path
from typing import Any

import click

from i2vedit_client.commands.options import json_option
from i2vedit_client.errors import BadInput, ClientError, unexpected
from i2vedit_client.events import SUCCEEDED, Event, failed_event
from i2vedit_client.files import write_json_file
from i2vedit_client.host import calls
from i2vedit_client.host.follow import follow_newest, start
from i2vedit_client.host.session import Request, Session, load, session_of_picture, sessions
from i2vedit_client.launch import connect
from i2vedit_client.report import write_json
from i2vedit_client.roundtrip import versions
from i2vedit_client.roundtrip.detached import is_watched, start_round_trip, stop_round_trip
from i2vedit_client.spec import absolute

answer_option = click.option("--answer", metavar="FILE", help="Write the answer, or why there is none, to a file as well.")


class AnswerGroup(click.Group):
    """Writes what went wrong to the file of --answer too: a host that cannot read standard output waits for that file."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except Exception as error:
            known = error if isinstance(error, ClientError) else unexpected(error)
            if ctx.meta.get(_ANSWER):
                write_json_file(Path(absolute(ctx.meta[_ANSWER])), {**failed_event(known.failure), "event": known.event})
            raise


_ANSWER = "i2vedit.answer"


@click.group("host", cls=AnswerGroup)
def command() -> None:
    """What the plugins run. REQUEST is a JSON file, or - for standard input; every answer is JSON."""


def _tell(event: Event, answer: str | None) -> None:
    if answer:
        write_json_file(Path(absolute(answer)), event)
    write_json(event)


def _note(answer: str | None) -> None:
    """From here on a failure is written to the file as well."""
    click.get_current_context().meta[_ANSWER] = answer


def _request(source: str) -> Request:
    try:
        text = sys.stdin.read() if source == "-" else Path(source).read_text(encoding="utf-8-sig")
        given = json.loads(text)
    except OSError as error:
        raise BadInput(f"The request {source} cannot be read ({error.strerror}).") from error
    except ValueError as error:
        raise BadInput(f"The request {source} is not JSON: {error}") from error
    if not isinstance(given, dict):
        raise BadInput("The request must be one JSON object; docs/hosts.md shows it.")
    return Request.parse(given)


@command.command("begin")
@click.argument("request")
@click.option("--open", "opens", is_flag=True, help="Open the frame in the editor, and propagate at every save, until cancelled.")
@answer_option
@json_option
def begin(request: str, opens: bool, answer: str | None, as_json: bool) -> None:
    """Export the frame to paint on, and prepare the shot."""
    _note(answer)
    wanted = _request(request)
    with connect() as client:
        session, event = calls.begin(client, wanted)
    if opens:
        start_round_trip(session)
    _tell(event, answer)


@command.command("submit")
@click.argument("session")
@click.option("--edited", metavar="FILE", help="The painted picture. Default: the frame that was exported.")
@answer_option
@json_option
def submit(session: str, edited: str | None, answer: str | None, as_json: bool) -> None:
    """Propagate the painted frame. Comes back at once; the status file is kept fresh."""
    _note(answer)
    found = load(session)
    picture = _kept(found, Path(absolute(edited)) if edited else found.edited)
    with connect() as client:
        event = calls.submit(client, found, picture)
    start(found)
    _tell(event, answer)


def _kept(session: Session, picture: Path) -> Path:
    """The picture as it is now, whatever is painted later. Raises BadInput."""
    try:
        copy = versions.take(session.folder, picture)
        assert copy is not None  # no state was expected
        return versions.keep(session.folder, copy)
    except OSError as error:
        raise BadInput(f"The picture {picture} cannot be read ({error.strerror}). Save it again.") from error


@command.command("poll")
@click.argument("session", required=False)
@click.option("--host", default="", help="Without SESSION: only those of this host.")
@click.option("--project", default="", help="Without SESSION: only those of this project.")
@click.option("--follow", "follows", is_flag=True, help="Keep the status file of SESSION fresh again, as after a restart of the machine.")
@answer_option
@json_option
def poll(session: str | None, host: str, project: str, follows: bool, answer: str | None, as_json: bool) -> None:
    """Say how far a session is, or all of them: this is how a host finds its jobs again."""
    _note(answer)
    if follows and session is None:
        raise BadInput("--follow needs the SESSION whose status file is to be kept fresh.")
    found = [load(session)] if session else list(sessions(host, project))
    with connect() as client:
        states = [calls.poll(client, each) for each in found]
    if session and follows:
        start(found[0])
    _tell({**states[0], "state": states[0]["event"], "event": SUCCEEDED} if session else {"event": SUCCEEDED, "sessions": states}, answer)


@command.command("collect")
@click.argument("session")
@answer_option
@json_option
def collect(session: str, answer: str | None, as_json: bool) -> None:
    """Say where the newest result belongs."""
    _note(answer)
    with connect() as client:
        _tell(calls.collect(client, load(session)), answer)


@command.command("cancel")
@click.argument("session")
@answer_option
@json_option
def cancel(session: str, answer: str | None, as_json: bool) -> None:
    """Stop what is unfinished of a session, its round trip included."""
    _note(answer)
    found = load(session)
    stop_round_trip(found)
    with connect() as client:
        _tell(calls.cancel(client, found), answer)


@command.command("saved")
@click.argument("picture")
@answer_option
@json_option
def saved(picture: str, answer: str | None, as_json: bool) -> None:
    """Carry on a frame that was exported, as it was saved just now. Where a round trip watches it, that does so by itself."""
    _note(answer)
    session = session_of_picture(Path(absolute(picture)))
    watched = is_watched(session)
    if not watched:
        start_round_trip(session)
    _tell({"event": SUCCEEDED, **calls.describe(session), "watched": watched}, answer)


@command.command("follow", hidden=True)
@click.argument("session")
def follow(session: str) -> None:
    """Keep the status file of a session fresh until its job has ended."""
    follow_newest(load(session))
