"""A job under fire, and what is remembered of it."""

from dataclasses import dataclass, field
from pathlib import Path

from tests.chaos.files import frames_of
from tests.chaos.notes import Note, read_notes
from tests.chaos.plan import Kill
from tests.chaos.stage import CHUNK_FRAMES
from tests.server.noting import notes_file

from i2vedit.v1 import job_pb2


@dataclass(frozen=True)
class Struck:
    """A kill that was dealt, and how it left the job's frames."""

    kill: Kill
    frames: dict[Path, tuple[int, int]]
    """Those under final names, and which files they were."""
    unfinished: int
    """Files in the delivery that were being written."""


@dataclass
class Job:
    """One that the server was asked for."""

    seed: int
    spec: job_pb2.JobSpec
    request_id: str
    name: str = ""
    """Given by the server; empty until it has answered."""
    worker_kills: int = 0
    struck: list[Struck] = field(default_factory=list)

    @property
    def directory(self) -> Path:
        return Path(self.spec.delivery.directory)

    @property
    def notes(self) -> list[Note]:
        return read_notes(notes_file(self.directory))

    def has_trained(self) -> bool:
        """Whether its last chunk is beyond training."""
        last_chunk = self.spec.clip.frame_count - CHUNK_FRAMES
        return any(note.word == "edit" and note.numbers[0] == last_chunk for note in self.notes)

    def frames_redone(self) -> list[int]:
        """For each kill, the frames that had been there and were written again, and the one that was being written."""
        now = frames_of(self.directory)
        return [sum(now.get(path) != file for path, file in struck.frames.items()) + struck.unfinished for struck in self.struck]
