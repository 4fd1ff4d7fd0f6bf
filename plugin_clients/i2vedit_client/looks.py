"""What a look at a delivered folder says, as events: for `verify`, and for the comparison that ends `rerun`."""

from collections.abc import Iterator

from i2vedit.v1 import delivery_pb2
from i2vedit_client.events import Event
from i2vedit_client.report import Report

MOST_SHOWN = 12
"""Of findings, to people. Programs get all."""
Answer = delivery_pb2.VerifyDeliveryResponse | delivery_pb2.CompareDeliveriesResponse


def finding_event(finding: delivery_pb2.Finding) -> Event:
    """`event` is fault, unchecked or note."""
    kind = delivery_pb2.Finding.Kind.Name(finding.kind).removeprefix("KIND_").lower()
    event: Event = {"event": kind, "check": finding.check, "message": finding.message}
    return {**event, "frame": finding.frame} if finding.HasField("frame") else event


def progress_event(stage: str, progress: delivery_pb2.LookProgress) -> Event:
    """In the form of a job's progress."""
    return {"event": "progress", "stage": stage, "chunk": 0, "chunks": 1, "step": progress.looked_count - 1, "of": progress.frame_count}


def show(answers: Iterator[Answer], stage: str, report: Report, as_json: bool) -> tuple[Answer | None, list[Event]]:
    """Reports progress and findings; gives the last answer and what was found."""
    last: Answer | None = None
    found: list[Event] = []
    for answer in answers:
        last = answer
        if answer.HasField("progress"):
            report(progress_event(stage, answer.progress))
        elif answer.HasField("finding"):
            found.append(finding_event(answer.finding))
            if as_json or len(found) <= MOST_SHOWN:
                report(found[-1])
    if len(found) > MOST_SHOWN and not as_json:
        report({"event": "more", "count": len(found) - MOST_SHOWN})
    return last, found
