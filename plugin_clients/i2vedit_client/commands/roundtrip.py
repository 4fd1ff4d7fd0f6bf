"""`i2vedit roundtrip`: paint, save, see."""

import contextlib
import signal
import sys
import threading
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import click

from i2vedit_client.commands.options import handles_option, json_option, making_options, range_option, reading_options
from i2vedit_client.errors import BadInput, ClientError, Failure
from i2vedit_client.events import SUCCEEDED, failed_event, job_event
from i2vedit_client.follow import follow as follow_job
from i2vedit_client.host import calls
from i2vedit_client.host.calls import write_refusal
from i2vedit_client.host.clip import HostClip
from i2vedit_client.host.follow import follow as follow_status
from i2vedit_client.host.session import Request, Session, Settings, load
from i2vedit_client.launch import connect, require_server_packages
from i2vedit_client.remote import is_remote
from i2vedit_client.report import Report, open_report
from i2vedit_client.roundtrip.detached import Ownership
from i2vedit_client.roundtrip.editor import NONE, open_picture
from i2vedit_client.roundtrip.trip import Following, RoundTrip
from i2vedit_client.spec import Reading, absolute, parse_range

IDLE_SECONDS = 24 * 3600.0
"""A round trip that a host has started, and that nobody saves for, ends by itself."""


@click.command("roundtrip")
@click.argument("clip", required=False)
@click.option("--editor", metavar="APP", help=f"Program to paint in, or '{NONE}'. Default: $I2VEDIT_EDITOR, Photoshop, else the system's.")
@click.option("--out", default="", metavar="DIR", help="Folder of the frame and of NAME_v001, ... Default: I2VEdit beside the clip.")
@range_option
@click.option("--at", type=click.IntRange(min=0), metavar="N", help="Source frame to paint. Default: the first of the range.")
@handles_option
@making_options
@reading_options
@click.option("--session", help="Go on with what a host has begun, instead of CLIP.")
@json_option
def command(
    clip: str | None,
    frames: str | None,
    at: int | None,
    editor: str | None,
    session: str | None,
    reading: Reading,
    as_json: bool,
    **settings: Any,
) -> None:
    """Export a frame of CLIP, open it for painting, and propagate it at every save, until Ctrl-C.

    CLIP is a movie or a sequence of pictures, as `propagate` takes it.

    The frame is <clip>_f0001-Edit.tif, by its number, with 16 bits and an ICC profile. A layered PSD saved beside it counts as well. A save
    without a changed pixel makes nothing; every other one makes the next version, and only the first one has to learn the shot.

    Call it again with another --at to correct the shot there: what is painted on its other frames stays in force.
    """
    if (clip is None) == (session is None):
        raise BadInput("Give a CLIP, or the --session that a host has begun.")
    if is_remote():
        raise BadInput("The round trip needs the server on this machine, which sees the same files. Unset I2VEDIT_SERVER, and try again.")
    require_server_packages()
    if session is not None:
        _run(load(session), editor, as_json, is_hosted=True)
        return
    assert clip is not None  # one of the two is given
    request = _request(clip, frames, at, reading, Settings.parse(settings))
    with connect() as client:
        found, _ = calls.begin(client, request)
    _run(found, editor, as_json, is_hosted=False)


def _request(clip: str, frames: str | None, at: int | None, reading: Reading, settings: Settings) -> Request:
    first, last = parse_range(frames) if frames is not None else (None, None)
    described = HostClip(
        absolute(clip),
        Path(clip).name,
        media_start=first,
        record_count=None if first is None or last is None else last - first + 1,
        media_rate=Fraction(*reading.rate) if reading.rate else None,
        start_timecode=reading.timecode,
        color_tag=reading.color_space,
        deinterlace=reading.deinterlace,
        video_stream=reading.video_stream,
    )
    return Request("other", described, settings, frame=at)


def _run(session: Session, editor: str | None, as_json: bool, is_hosted: bool) -> None:
    owner = Ownership(session)
    signal.signal(signal.SIGTERM, _end)
    with open_report(as_json) as quick:
        report = _one_at_a_time(_also_to_host(session, quick) if is_hosted else quick)
        following = Following(_follower(session, report, is_hosted))
        following.start()
        trip = RoundTrip(session, connect, report, following.add)
        report({"event": "frame_file", "path": str(session.edited), "session": session.name})
        if editor != NONE:
            report(_opened(session, editor))
        if sys.stdin.isatty():
            threading.Thread(target=_listen, args=(trip,), daemon=True).start()
        with contextlib.suppress(KeyboardInterrupt):
            trip.run(lambda: not owner.held() or (is_hosted and trip.idle_seconds > IDLE_SECONDS))
        owner.give_back()
        report({"event": SUCCEEDED, "session": session.name, "jobs": trip.jobs})


def _opened(session: Session, editor: str | None) -> dict[str, object]:
    """A picture that cannot be opened from here may be opened by hand; it is watched all the same."""
    try:
        return {"event": "opened", "editor": open_picture(session.edited, editor)}
    except BadInput as error:
        return {"event": "not_opened", "message": str(error)}


def _end(number: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _listen(trip: RoundTrip) -> None:
    """Enter propagates now."""
    for _ in sys.stdin:
        trip.propagate_now()


def _also_to_host(session: Session, report: Report) -> Callable[[dict[str, object]], None]:
    def tell(event: dict[str, object]) -> None:
        if event["event"] == "refused":
            write_refusal(session, Failure("INVALID_ARGUMENT", str(event["reason"]), str(event["message"])))
        report(event)

    return tell


def _one_at_a_time(report: Callable[[dict[str, object]], None]) -> Callable[[dict[str, object]], None]:
    """Watching and following tell from two threads; lines must not mix."""
    lock = threading.Lock()

    def tell(event: dict[str, object]) -> None:
        with lock:
            report(event)

    return tell


def _follower(session: Session, report: Callable[[dict[str, object]], None], is_hosted: bool) -> Callable[[str], None]:
    """Follows one job: for a host into its status file, for a person onto the screen."""

    def follow(name: str) -> None:
        try:
            if is_hosted:
                follow_status(session, name)
            else:
                # `job` and not `succeeded`, which would be the last line of the whole round trip.
                report({**job_event(follow_job(connect, name, report)), "event": "delivered"})
        except ClientError as error:
            report({**failed_event(error.failure), "event": "not_delivered"})

    return follow
