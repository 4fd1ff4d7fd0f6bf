"""`i2vedit verify`: whether a delivered version is whole and true."""

import click

from i2vedit.v1 import delivery_pb2
from i2vedit_client.commands.options import json_option
from i2vedit_client.errors import ClientError, ExitCode, Failure
from i2vedit_client.events import SUCCEEDED, Event
from i2vedit_client.launch import connect
from i2vedit_client.looks import show
from i2vedit_client.report import open_report
from i2vedit_client.spec import absolute


@click.command("verify")
@click.argument("folder", metavar="DIR")
@click.option("--plate", metavar="FILE", help="Where the plate is now. Default: where it was when this was delivered.")
@click.option(
    "--edited", "edited", multiple=True, metavar="FILE", help="Where the edited frame is now; several by frame. Default: where it was then."
)
@click.option("--strict", is_flag=True, help="Fail, too, where something could not be checked, such as a plate that is gone.")
@json_option
def command(folder: str, plate: str | None, edited: tuple[str, ...], strict: bool, as_json: bool) -> None:
    """Re-read the delivered version in DIR and say whether it is whole and true.

    Every frame is read to its end and held against its ticket, its plate and the painted frame. Nothing is changed. With a
    server on another machine, DIR is a folder there.
    """
    with open_report(as_json) as report:
        with connect() as client:
            answers = client.verify_delivery(absolute(folder), plate and absolute(plate), [absolute(path) for path in edited])
            last, _ = show(answers, "verify", report, as_json)
        assert isinstance(last, delivery_pb2.VerifyDeliveryResponse), "the server ends with a verdict"
        verdict = last.verdict
        _judge(verdict, strict)
        report(verdict_event(verdict))


def verdict_event(verdict: delivery_pb2.Verdict) -> Event:
    """How a look ended well."""
    event: Event = {"event": SUCCEEDED, "kind": "verification", "first": verdict.first_frame, "last": verdict.last_frame}
    event |= {"frames": verdict.last_frame - verdict.first_frame + 1, "unchecked": verdict.unchecked_count, "lossy": verdict.lossy}
    return {**event, "largest_difference": verdict.largest_difference}


def _judge(verdict: delivery_pb2.Verdict, strict: bool) -> None:
    """Raises ClientError unless the delivery has stood the look."""
    if verdict.fault_count:
        things = "1 thing is" if verdict.fault_count == 1 else f"{verdict.fault_count} things are"
        sentence = f"{things} wrong with this delivery. Deliver it again, or copy it again from where it was whole."
        raise ClientError(Failure("DATA_LOSS", "DELIVERY_FAULTY", sentence), ExitCode.FAILED)
    if strict and verdict.unchecked_count:
        sentence = "Nothing is wrong with what was checked, but not everything could be."
        raise ClientError(Failure("FAILED_PRECONDITION", "DELIVERY_UNCHECKED", sentence), ExitCode.FAILED)
