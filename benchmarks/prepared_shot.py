"""What an artist waits for after saving: with nothing ready, with the shot prepared while the frame was painted, and at the second edit."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from i2vedit.v1 import job_pb2, shot_pb2
from i2vedit.v1 import propagation_service_pb2 as pb
from report import markdown
from server_load import FINAL

POLL_SECONDS = 0.2
PREPARED, ENDED_OTHERWISE = shot_pb2.Shot.STATE_PREPARED, (shot_pb2.Shot.STATE_FAILED, shot_pb2.Shot.STATE_CANCELLED)


class Desk(Protocol):
    """What is asked of the server."""

    def submit(self, spec: job_pb2.JobSpec) -> str: ...

    def prepare(self, spec: job_pb2.JobSpec) -> str: ...

    def shot(self, name: str) -> shot_pb2.Shot: ...

    def watch(self, name: str) -> Iterator[pb.WatchJobResponse]: ...


@dataclass(frozen=True)
class Waited:
    """From the call that makes the job."""

    what: str
    first_seconds: float
    """To the first frame that had to be computed; the painted one is there at once."""
    end_seconds: float
    """To the last frame."""


def measure_waits(desk: Desk, spec: job_pb2.JobSpec, edits: Sequence[Path], out: Path) -> tuple[float, list[Waited]]:
    """Seconds of the preparation, and what is waited for, in one run of one worker that has loaded the model before anything is timed.

    Another seed is another shot to the artifacts: nothing of one way is found by the next, but what is said to be.
    """
    prepared, cold = _variant(spec, 1, edits[0], out / "prepared"), _variant(spec, 2, edits[0], out / "cold")
    second = _variant(spec, 2, edits[1], out / "second")
    _prepare(desk, _variant(spec, 0, edits[0], out / "warm"))
    preparation = _prepare(desk, prepared)
    ways = [("nothing ready", cold), ("shot prepared while the frame was painted", prepared), ("second edit of the first shot", second)]
    return preparation, [_waited(desk, what, each) for what, each in ways]


def _variant(spec: job_pb2.JobSpec, seed: int, edit: Path, directory: Path) -> job_pb2.JobSpec:
    made = job_pb2.JobSpec()
    made.CopyFrom(spec)
    made.settings.seed = seed
    made.edits[0].path = str(edit)
    made.delivery.directory = str(directory)
    return made


def _prepare(desk: Desk, spec: job_pb2.JobSpec) -> float:
    """Raises SystemExit where it does not come to its end."""
    began = time.perf_counter()
    name = desk.prepare(spec)
    while (shot := desk.shot(name)).state != PREPARED:
        if shot.state in ENDED_OTHERWISE:
            raise SystemExit(f"The shot was not prepared: {shot.failure.message}")
        time.sleep(POLL_SECONDS)
    return time.perf_counter() - began


def _waited(desk: Desk, what: str, spec: job_pb2.JobSpec) -> Waited:
    began, first = time.perf_counter(), None
    for event in desk.watch(desk.submit(spec)):
        if event.HasField("frame") and event.frame.frame != spec.clip.source_in and first is None:
            first = time.perf_counter() - began
        if event.HasField("job") and event.job.state in FINAL:
            if event.job.state != job_pb2.Job.STATE_SUCCEEDED or first is None:
                raise SystemExit(f"The job did not succeed: {event.job.failure.message}")
            return Waited(what, first, time.perf_counter() - began)
    raise SystemExit("The server went away.")


def table(preparation: float, waits: Sequence[Waited]) -> str:
    """Seconds, and their share of what is waited for with nothing ready."""
    cold = waits[0]
    rows = [
        [each.what, f"{each.first_seconds:.1f}", f"{each.end_seconds:.1f}", f"{each.end_seconds / cold.end_seconds:.2f}"] for each in waits
    ]
    rows.append(["(the preparation itself)", "", f"{preparation:.1f}", f"{preparation / cold.end_seconds:.2f}"])
    return markdown(["after saving in the editor", "s to the first computed frame", "s to the last", "of nothing ready"], rows)
