"""`i2vedit rerun`: a delivered version made again from its ticket, and held against the first one."""

import shutil
from pathlib import Path

import click

from i2vedit.v1 import delivery_pb2
from i2vedit_client.commands.options import json_option
from i2vedit_client.counting import counted
from i2vedit_client.errors import ClientError, ExitCode, Failure
from i2vedit_client.events import SUCCEEDED, Event
from i2vedit_client.launch import connect
from i2vedit_client.looks import show
from i2vedit_client.remote import is_remote
from i2vedit_client.report import Report, open_report
from i2vedit_client.spec import absolute
from i2vedit_client.submit import leave, watch

SUFFIX = "_rerun"


@click.command("rerun")
@click.argument("folder", metavar="DIR")
@click.option("--plate", metavar="FILE", help="Where the plate is now. Default: where it was when this was delivered.")
@click.option(
    "--edited", "edited", multiple=True, metavar="FILE", help="Where the edited frame is now; several by frame. Default: where it was then."
)
@click.option("--out", metavar="DIR", help="Keeps the new version below this folder. Default: beside DIR, and gone if it is identical.")
@click.option("--detach", is_flag=True, help="Submit, and neither wait nor compare.")
@json_option
def command(folder: str, plate: str | None, edited: tuple[str, ...], out: str | None, detach: bool, as_json: bool) -> None:
    """Make the delivered version in DIR again from its ticket, and compare.

    It takes as long as the first time: nothing that was kept of that is used. DIR itself is only read. The same call again
    takes up an unfinished rerun.
    """
    first, output = absolute(folder), _output(folder, out)
    with open_report(as_json) as report:
        with connect() as client:
            answer = client.repeat_delivery(first, output, plate and absolute(plate), [absolute(path) for path in edited])
            job = client.get_job(answer.job)
        report({"event": "submitted", "job": answer.job, "attached": answer.attached, "state": "queued"})
        if detach:
            leave(job, report)
            return
        second = watch(connect, answer.job, _WithoutEnd(report)).delivered_directory
        with connect() as client:
            last, _ = show(client.compare_deliveries(first, second), "compare", report, as_json)
        assert isinstance(last, delivery_pb2.CompareDeliveriesResponse), "the server ends with a comparison"
        _judge(last.comparison, second, answer.job)
        if out is None and not is_remote():
            _remove(Path(second))
        report(comparison_event(last.comparison, answer.job))


def _output(folder: str, out: str | None) -> str:
    """The same every time, so that a second call finds the job of the first; a server elsewhere has a place of its own."""
    if out is not None:
        return absolute(out)
    return "" if is_remote() else absolute(folder) + SUFFIX


class _WithoutEnd:
    """A report that leaves out the job's success: the comparison is still to come."""

    def __init__(self, report: Report) -> None:
        self._report = report

    def __call__(self, event: Event) -> None:
        if event["event"] != SUCCEEDED:
            self._report(event)


def comparison_event(comparison: delivery_pb2.Comparison, job: str) -> Event:
    """How a rerun ended well."""
    return {"event": SUCCEEDED, "kind": "rerun", "job": job, "identical": True, "frames": comparison.frame_count}


def _judge(comparison: delivery_pb2.Comparison, second: str, job: str) -> None:
    """Raises ClientError unless both are the same."""
    if comparison.differing_frame_count == 0:
        return
    share = comparison.differing_pixel_count / max(comparison.pixel_count, 1)
    frames = f"{comparison.differing_frame_count} of {counted(comparison.frame_count, 'frame differs', 'frames differ')}"
    sentence = (
        f"Not identical: {frames}, in {share:.2%} of all pixels, by up to {comparison.largest_difference:.2g}. "
        f"The new version is in {second}"
    )
    raise ClientError(Failure("FAILED_PRECONDITION", "NOT_IDENTICAL", sentence, job), ExitCode.FAILED)


def _remove(second: Path) -> None:
    """Takes away what was made for the comparison, and the folder that was made for it."""
    shutil.rmtree(second, ignore_errors=True)
    if second.parent.name.endswith(SUFFIX) and not any(second.parent.iterdir()):
        second.parent.rmdir()
