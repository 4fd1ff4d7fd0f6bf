"""The report of a batch: a table for people and JSON for programs, whole at any time, beside the file that was read."""

import csv
import io
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from i2vedit.v1 import job_pb2
from i2vedit_client.batch.shots import ShotJob
from i2vedit_client.errors import BadInput, Failure
from i2vedit_client.events import job_failure, state_name
from i2vedit_client.files import read_json_file, write_json_file, write_whole

WAITING, SUCCEEDED, FAILED, CANCELLED = "waiting", "succeeded", "failed", "cancelled"
"""`waiting`: not submitted yet. Others are the states of a job."""
ENDED = (SUCCEEDED, FAILED, CANCELLED)


@dataclass
class Outcome:
    """What has become of a row."""

    row: int
    clip: str
    state: str = WAITING
    folder: str = ""
    frames: int = 0
    """Delivered so far."""
    seconds: float | None = None
    """From the job's first step to its end."""
    code: str = ""
    reason: str = ""
    message: str = ""
    job: str = ""
    fingerprint: str = ""

    def take(self, job: job_pb2.Job) -> None:
        """As the job is now."""
        self.job, self.state = job.name, state_name(job.state)
        self.folder, self.frames = job.delivered_directory or self.folder, job.delivered_count or self.frames
        if job.HasField("start_time") and job.HasField("end_time"):
            self.seconds = round((job.end_time.ToDatetime() - job.start_time.ToDatetime()).total_seconds(), 1)
        if job.state == job_pb2.Job.STATE_FAILED:
            self.fail(job_failure(job))

    def fail(self, failure: Failure) -> None:
        self.state, self.code, self.reason, self.message = FAILED, failure.code, failure.reason, failure.sentence


class BatchReport:
    """Outcomes by row, on disk after every change."""

    def __init__(self, file: Path, delimiter: str, jobs: Iterable[ShotJob]) -> None:
        self.csv_path, self.json_path = report_paths(file)
        self._file, self._delimiter = file, delimiter
        self.outcomes = {job.number: Outcome(job.number, job.name, fingerprint=job.fingerprint) for job in jobs}

    def of_job(self, name: str) -> list[Outcome]:
        """Equal rows share one job."""
        return [outcome for outcome in self.outcomes.values() if outcome.job == name]

    def unfinished(self) -> list[str]:
        """Names of the jobs that have not ended."""
        found = [outcome.job for outcome in self.outcomes.values() if outcome.job and outcome.state not in ENDED]
        return list(dict.fromkeys(found))

    def count(self, *states: str) -> int:
        return sum(outcome.state in states for outcome in self.outcomes.values())

    def begin_again(self, outcome: Outcome) -> None:
        """Forgets what became of a row."""
        self.outcomes[outcome.row] = Outcome(outcome.row, outcome.clip, fingerprint=outcome.fingerprint)

    def write(self) -> None:
        """Raises BadInput where there is no room, or no right to write."""
        try:
            write_json_file(self.json_path, {"file": str(self._file), "rows": [asdict(outcome) for outcome in self.outcomes.values()]})
            write_whole(self.csv_path, self._table().encode("utf-8-sig"))  # with its mark, or Excel takes it for another encoding
        except OSError as error:
            raise BadInput(
                f"The report {self.csv_path} cannot be written ({error.strerror}). Make room, or make its folder writable."
            ) from error

    def _table(self) -> str:
        text = io.StringIO()
        columns = [field.name for field in fields(Outcome) if field.name != "fingerprint"]
        table = csv.DictWriter(text, columns, extrasaction="ignore", delimiter=self._delimiter)
        table.writeheader()
        table.writerows(asdict(outcome) for outcome in self.outcomes.values())
        return text.getvalue()

    def recall(self) -> None:
        """Takes what the last report says of rows that are still the same."""
        rows = (read_json_file(self.json_path) or {}).get("rows", [])
        known = {row["fingerprint"]: row for row in rows if isinstance(row, dict) and row.get("fingerprint") and row.get("job")}
        for outcome in self.outcomes.values():
            if row := known.get(outcome.fingerprint):
                kept = {key: row[key] for key in ("state", "folder", "frames", "seconds", "job") if key in row}
                vars(outcome).update(kept)


def report_paths(file: Path) -> tuple[Path, Path]:
    """`FILE_report.csv` and `FILE_report.json`."""
    return file.with_name(f"{file.stem}_report.csv"), file.with_name(f"{file.stem}_report.json")
