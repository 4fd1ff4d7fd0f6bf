"""All rows of a file as jobs that can be submitted, or all that is wrong with them, before anything is."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from i2vedit.v1 import clip_pb2, job_pb2
from i2vedit_client.batch.rows import Row, read_row, unknown_columns
from i2vedit_client.batch.table import Line, Problem, read_table
from i2vedit_client.client import Client
from i2vedit_client.errors import BadInput, ClientError, ExitCode
from i2vedit_client.handles import add_handles
from i2vedit_client.spec import job_spec

if TYPE_CHECKING:
    from i2vedit_client.batch.timeline_rows import Unpainted

TIMELINES = (".otio", ".otioz", ".otiod", ".xml", ".fcpxml", ".edl", ".aaf")
"""Those but the first ones need an adapter of OpenTimelineIO; without it they are refused by name."""
TABLES = (".csv", ".tsv")


@dataclass(frozen=True)
class ShotJob:
    """A row and the job that it asks for."""

    number: int
    name: str
    spec: job_pb2.JobSpec
    frames: tuple[int, int] | None = None
    """First and last source frame; None: not known before the clip is on the server's machine."""

    @property
    def fingerprint(self) -> str:
        """Of the job and its painted frames as they are now: painted again, it is another one."""
        paths = [path for edit in self.spec.edits for path in (edit.path, edit.region_path) if path]
        states = [(status.st_size, status.st_mtime_ns) for status in (Path(path).stat() for path in paths)]
        whole = self.spec.SerializeToString(deterministic=True) + repr(states).encode()
        return hashlib.sha256(whole).hexdigest()[:16]


@dataclass
class Batch:
    """What a file holds."""

    file: Path
    delimiter: str = ","
    rows: list[Row] = field(default_factory=list)
    names: dict[int, str] = field(default_factory=dict)
    """Of the rows that have one of their own: clips of timelines."""
    timeline_shots: dict[int, Any] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    unpainted: list["Unpainted"] = field(default_factory=list)
    """Clips of a timeline that nobody has painted."""


def read_batch(file: Path, edited_folder: Path | None, defaults: Mapping[str, Any]) -> Batch:
    """Reads a table or a timeline. Raises BadInput for what is neither."""
    batch = Batch(file)
    lines = _timeline(batch, edited_folder) if file.suffix.lower() in TIMELINES else _table(batch, edited_folder)
    for line in lines:
        row, problems = read_row(line, file.parent, defaults)
        batch.problems += problems
        if row is not None:
            batch.rows.append(row)
    return batch


def _timeline(batch: Batch, edited_folder: Path | None) -> list[Line]:
    # The library is large, and only timelines need it.
    from i2vedit_client.batch.timeline_rows import read_timeline

    read = read_timeline(batch.file, edited_folder)
    batch.names, batch.timeline_shots, batch.unpainted, batch.problems = read.names, read.shots, read.unpainted, read.problems
    return read.lines


def _table(batch: Batch, edited_folder: Path | None) -> list[Line]:
    if edited_folder is not None:
        raise BadInput("--edited-dir is for timelines. A table names the painted frames in its column 'edited'.")
    read = read_table(batch.file)
    if columns := unknown_columns(read.columns):
        raise BadInput(" ".join(columns))
    batch.delimiter, batch.problems = read.delimiter, read.problems
    return read.lines


def check(client: Client, batch: Batch, remote: bool) -> list[ShotJob]:
    """The jobs of all rows that can be submitted; what is wrong with the others is added to the problems.

    A server elsewhere sees a clip only once it is there, and judges it then. Raises ServerError where it cannot be reached.
    """
    jobs = []
    for row in batch.rows:
        found = [Problem(row.number, sentence) for sentence in _unreadable(row)]
        name = batch.names.get(row.number) or Path(row.options.clip).name
        try:
            job = ShotJob(row.number, name, *(_unseen(row) if remote else _seen(client, row, batch)))
        except ClientError as error:
            if error.exit_code != ExitCode.BAD_INPUT:
                raise
            found.append(Problem(row.number, str(error)))
        batch.problems += found
        if not found:
            jobs.append(job)
    batch.problems.sort(key=lambda problem: problem.row)
    return jobs


def _unreadable(row: Row) -> list[str]:
    return [sentence for edit in row.options.edits for path in (edit.path, edit.region) if path and (sentence := _not_read(Path(path)))]


def _not_read(path: Path) -> str:
    """Empty for a file that can be read, and for a folder, which a region may be."""
    try:
        if path.is_dir():
            return ""
        with path.open("rb") as file:
            return "" if file.read(1) else f"{path} is empty. Save the painted frame again."
    except OSError as error:
        return f"{path} cannot be read ({error.strerror}). Check its name, and that it is there."


def _unseen(row: Row) -> tuple[job_pb2.JobSpec, None]:
    if row.handles:
        raise BadInput("Handles need a server that sees the clip. Give the wider range itself.")
    return job_spec(row.options), None


def _seen(client: Client, row: Row, batch: Batch) -> tuple[job_pb2.JobSpec, tuple[int, int]]:
    """The job, and its first and last frame. Raises BadInput, TimingError, ServerError."""
    if row.number in batch.timeline_shots:
        from i2vedit_client.timeline_session import begin_session

        session = begin_session(client, batch.timeline_shots[row.number], row.handles, row.options.reading)
        frames = session.frames
        spec = session.job_spec(row.options)
    else:
        spec = job_spec(row.options)
        info = client.probe_clip(spec.clip)
        frames = _range_inside(spec.clip, info)
        add_handles(client, spec, row.handles)
    for edit in spec.edits:
        if edit.HasField("frame") and not frames[0] <= edit.frame <= frames[1]:
            raise BadInput(
                f"Frame {edit.frame} was painted outside of the range {frames[0]}-{frames[1]}. Widen the range, or correct 'at'."
            )
    return spec, frames


def _range_inside(clip: clip_pb2.ClipRef, info: clip_pb2.ClipInfo) -> tuple[int, int]:
    """First and last frame. Raises BadInput."""
    first, last = info.first_frame, info.first_frame + info.frame_count - 1
    if clip.frame_count == 0:
        return first, last
    wanted = clip.source_in, clip.source_in + clip.frame_count - 1
    if wanted[0] < first or wanted[1] > last:
        raise BadInput(f"The range {wanted[0]}-{wanted[1]} lies outside of the clip, which has frames {first} to {last}.")
    return wanted
