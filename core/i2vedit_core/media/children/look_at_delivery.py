"""Looks at delivered folders and writes what it finds to stdout, one JSON object a line.

Run by the server in a process of its own: `look_at_delivery.py verify FOLDER PLATE EDIT...` (empty: not to be looked at) or
`look_at_delivery.py compare FOLDER OTHER`. It ends when its standard input does, that is with whoever started it.
"""

import dataclasses
import json
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from i2vedit_core.delivery.compare import compare
from i2vedit_core.delivery.finding import Comparison, Finding, Looked, Verdict
from i2vedit_core.delivery.verify import verify

NICENESS = 5
NAMES = {Finding: "finding", Looked: "looked", Verdict: "verdict", Comparison: "comparison"}


def _end_with_caller() -> None:
    sys.stdin.buffer.read()
    os._exit(1)


def _look(what: str, folder: str, rest: list[str]) -> Iterator[Finding | Looked | Verdict | Comparison]:
    if what == "compare":
        return compare(Path(folder), Path(rest[0]))
    plate, *edits = (Path(path) if path else None for path in rest)
    return verify(Path(folder), plate, edits)


def main(arguments: list[str]) -> None:
    """Entry point."""
    threading.Thread(target=_end_with_caller, daemon=True).start()
    if hasattr(os, "nice"):
        os.nice(NICENESS)  # jobs come first
    for event in _look(arguments[0], arguments[1], arguments[2:]):
        sys.stdout.write(json.dumps({"event": NAMES[type(event)], **dataclasses.asdict(event)}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
    sys.stdout.flush()
    os._exit(0)  # the thread that waits for the caller would hold up an ordinary end
