"""Where events go: JSON lines for programs, bars for people, plain lines for logs."""

import json
import sys
import time
from types import TracebackType
from typing import Protocol, Self

from i2vedit_client import words
from i2vedit_client.events import Event

QUIET_SECONDS = 10.0


class Report(Protocol):
    """Takes the events of one command, in order."""

    def __call__(self, event: Event) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None: ...


def write_line(text: str) -> None:
    """A line on standard output that a reader at the other end of a pipe sees at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def write_json(event: Event) -> None:
    write_line(json.dumps(event))


class _Lines:
    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        return None


class JsonReport(_Lines):
    """One JSON object a line."""

    def __call__(self, event: Event) -> None:
        write_json(event)


class PlainReport(_Lines):
    """A line when something begins, and then one every ten seconds."""

    def __init__(self) -> None:
        self._stage = ("", -1)
        self._said = 0.0

    def __call__(self, event: Event) -> None:
        if event["event"] == "progress":
            self._progress(event)
        elif text := words.sentence(event):
            write_line(text)

    def _progress(self, event: Event) -> None:
        stage, now = (event["stage"], event["chunk"]), time.monotonic()
        if stage == self._stage and now - self._said < QUIET_SECONDS:
            return
        self._stage, self._said = stage, now
        parts = (f"{words.stage_words(event['stage'])}: {words.part_done(event):.0%}", words.details(event))
        write_line(", ".join(part for part in parts if part))


def open_report(as_json: bool) -> Report:
    """The report that fits whoever reads standard output."""
    if as_json:
        return JsonReport()
    if not sys.stdout.isatty():
        return PlainReport()
    # rich takes a while to import, and only a terminal needs it.
    from i2vedit_client.bars import BarReport

    return BarReport()
