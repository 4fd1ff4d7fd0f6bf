"""What a batch says, in words."""

from i2vedit_client import words
from i2vedit_client.batch.report import CANCELLED, FAILED, SUCCEEDED
from i2vedit_client.counting import counted
from i2vedit_client.events import Event


def sentence(event: Event) -> str:
    """What an event means; empty for those that need no words."""
    kind = event["event"]
    if kind == "row":
        return _row(event)
    if kind == "notice":
        return f"Row {event['row']}, {event['clip']}: {event['message']}"
    if kind == "plan":
        frames = f"frames {event['first']} to {event['last']}" if "first" in event else "as the server finds it"
        painted = ", ".join(str(frame) for frame in event["painted"]) or "the first"
        return f"Row {event['row']}, {event['clip']}: {frames}, painted: {painted}, into {event['out']}"
    if kind == "skipped":
        return f"{counted(event['count'], 'shot')} of the timeline without a painted frame: left out."
    if kind == "kept":
        return f"{counted(event['count'], 'shot')} finished before: kept."
    if kind == "batch_submitted":
        return f"{counted(event['count'], 'shot')} submitted."
    if kind == "succeeded":
        return _end(event)
    return words.sentence(event)


def _row(event: Event) -> str:
    name, count = f"Row {event['row']}, {event['clip']}", f"({event['done']} of {event['of']})"
    if event["state"] == SUCCEEDED:
        return f"{name}: {counted(event['delivered'], 'frame')} in {event['directory']} {count}"
    if event["state"] == FAILED:
        return f"{name}: not done. {event['message']} {count}"
    return f"{name}: cancelled {count}" if event["state"] == CANCELLED else ""


def _end(event: Event) -> str:
    if event.get("dry_run"):
        return f"{counted(event['rows'], 'shot')} can be submitted. Nothing was."
    if event.get("detached"):
        return f"They go on in the server: i2vedit jobs list. The report, with --again: {event['report']}"
    return f"Done: {counted(event['rows'], 'shot')}. The report: {event['report']}"
