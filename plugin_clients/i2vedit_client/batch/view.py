"""How a batch is shown: one line when a shot has ended, one bar for all of them, JSON for programs."""

import sys
import time
from types import TracebackType
from typing import Self

from i2vedit_client import words
from i2vedit_client.batch.words import sentence
from i2vedit_client.events import Event
from i2vedit_client.report import JsonReport, Report, write_line

QUIET_SECONDS = 10.0


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
