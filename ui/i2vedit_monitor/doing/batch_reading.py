"""What a dropped table or timeline holds, and its way to the server; all of it runs in threads."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from i2vedit_client.batch.report import FAILED, BatchReport
from i2vedit_client.batch.running import BatchRun
from i2vedit_client.batch.shots import TABLES, TIMELINES, Batch, ShotJob, check, read_batch
from i2vedit_client.client import Client
from i2vedit_client.remote import is_remote

FILES = (*TIMELINES, *TABLES)


@dataclass(frozen=True)
class ListedShot:
    """A line of the list."""

    number: int
    name: str
    range: tuple[int, int] | None = None
    painted: tuple[int, ...] = ()
    problem: str = ""
    timeline_shot: Any = None
    """Of a clip that waits for its painted frame."""


@dataclass(frozen=True)
class Listing:
    """All shots of a file, in its order."""

    batch: Batch
    jobs: list[ShotJob]
    shots: list[ListedShot] = field(default_factory=list)


def is_batch(path: str) -> bool:
    return path.lower().endswith(FILES)


def read_shots(client: Client, file: str, painted_folder: str, defaults: Mapping[str, Any]) -> Listing:
    """Raises BadInput for what is no table and no timeline, ServerError."""
    path = Path(file)
    folder = Path(painted_folder) if painted_folder and path.suffix.lower() in TIMELINES else None
    batch = read_batch(path, folder, defaults)
    jobs = check(client, batch, is_remote())
    shots = [ListedShot(job.number, job.name, job.frames, _painted(job)) for job in jobs]
    shots += [ListedShot(problem.row, "", problem=problem.sentence) for problem in batch.problems]
    shots += [ListedShot(clip.number, clip.name, timeline_shot=clip.shot) for clip in batch.unpainted]
    return Listing(batch, jobs, sorted(shots, key=lambda shot: shot.number))


def _painted(job: ShotJob) -> tuple[int, ...]:
    first = job.frames[0] if job.frames else 0
    return tuple(edit.frame if edit.HasField("frame") else first for edit in job.spec.edits)


@dataclass(frozen=True)
class Sent:
    """What has become of a listing."""

    first_job: str
    count: int
    refused: list[str]
    report: Path


def send_shots(client: Client, listing: Listing) -> Sent:
    """Submits all that can be, and leaves the report that `i2vedit batch --again` goes on with. Raises ServerError, BadInput."""
    report = BatchReport(listing.batch.file, listing.batch.delimiter, listing.jobs)
    report.write()
    count = BatchRun(lambda: client, listing.jobs, report, lambda _: None, is_remote()).submit(client)
    outcomes = report.outcomes.values()
    refused = [f"{outcome.clip}: {outcome.message}" for outcome in outcomes if outcome.state == FAILED]
    return Sent(next((outcome.job for outcome in outcomes if outcome.job), ""), count, refused, report.csv_path)


def clip_of(client: Client, timeline_shot: Any) -> tuple[str, tuple[int, int]]:
    """Path of the clip, and the frames that the timeline shows of it. Raises TimingError, ServerError."""
    from i2vedit_client.timeline_session import begin_session

    session = begin_session(client, timeline_shot, 0)
    return session.session.request.clip.path, session.frames
