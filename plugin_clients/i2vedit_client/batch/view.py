"""How a batch is shown: one line when a shot has ended, one bar for all of them, JSON for programs."""

import sys
import time
from types import TracebackType
from typing import Self

from i2vedit_client import words
from i2vedit_client.batch.report import CANCELLED, FAILED, SUCCEEDED
from i2vedit_client.events import Event
from i2vedit_client.report import JsonReport, Report, write_line

QUIET_SECONDS = 10.0


def sentence(event: Event) -> str:
    """What an event means; empty for those that need no words."""
    kind = event["event"]
    if kind == "row":
        return _row(event)
    if kind == "plan":
        frames = f"frames {event['first']} to {event['last']}" if "first" in event else "as the server finds it"
        painted = ", ".join(str(frame) for frame in event["painted"]) or "the first"
        return f"Row {event['row']}, {event['clip']}: {frames}, painted: {painted}, into {event['out']}"
    if kind == "skipped":
        return f"{_shots(event['count'])} of the timeline without a painted frame: left out."
    if kind == "kept":
        return f"{_shots(event['count'])} finished before: kept."
    if kind == "batch_submitted":
        return f"{_shots(event['count'])} submitted."
    if kind == "succeeded":
        return _end(event)
    return words.sentence(event)


def _row(event: Event) -> str:
    name, count = f"Row {event['row']}, {event['clip']}", f"({event['done']} of {event['of']})"
    if event["state"] == SUCCEEDED:
        return f"{name}: {event['delivered']} frames in {event['directory']} {count}"
    if event["state"] == FAILED:
        return f"{name}: not done. {event['message']} {count}"
    return f"{name}: cancelled {count}" if event["state"] == CANCELLED else ""


def _end(event: Event) -> str:
    if event.get("dry_run"):
        return f"{_shots(event['rows'])} can be submitted. Nothing was."
    if event.get("detached"):
        return f"They go on in the server: i2vedit jobs list. The report, with --again: {event['report']}"
    return f"Done: {_shots(event['rows'])}. The report: {event['report']}"


def _shots(count: int) -> str:
    return "1 shot" if count == 1 else f"{count} shots"


class BatchLines:
    """For logs: what has ended, and every ten seconds how far it is."""

    def __init__(self) -> None:
        self._said = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        return None

    def __call__(self, event: Event) -> None:
        if event["event"] == "progress":
            if time.monotonic() - self._said < QUIET_SECONDS:
                return
            text = _progress(event)
        else:
            text = sentence(event)
        if text:
            self._said = time.monotonic()
            write_line(text)


def _progress(event: Event) -> str:
    parts = (f"{words.stage_words(event['stage'])}: {words.part_done(event):.0%}", words.details(event))
    return f"Row {event['row']}, {event['clip']}: " + ", ".join(part for part in parts if part)


def open_view(as_json: bool) -> Report:
    """The one that fits whoever reads standard output."""
    if as_json:
        return JsonReport()
    if not sys.stdout.isatty():
        return BatchLines()
    # rich takes a while to import, and only a terminal needs it.
    from i2vedit_client.batch.bars import BatchBars

    return BatchBars()
