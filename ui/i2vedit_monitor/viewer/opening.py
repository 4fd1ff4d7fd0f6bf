"""What can be looked at of a job, found out in a thread."""

from dataclasses import dataclass
from pathlib import Path

import OpenImageIO as oiio

from i2vedit_client.client import Client
from i2vedit_client.errors import ClientError
from i2vedit_client.spec import Reading, clip_ref
from i2vedit_monitor.model.facts import JobFacts
from i2vedit_monitor.viewer.plates import plate_folder
from i2vedit_monitor.viewer.sequence import DEFAULT_RATE, DEFAULT_SPACE, Sequence, open_sequence

MATCH = "match"


@dataclass(frozen=True)
class Opened:
    """A job's sequence, also while it has no frame yet."""

    sequence: Sequence
    edited: Path | None
    """The painted picture, where it still is where it was."""
    plates: Path
    """Folder of the plate's frames, as far as they were fetched."""


def open_job(job: JobFacts) -> Opened | None:
    """None while there is nothing to look at."""
    edited = Path(job.edited) if job.edited and Path(job.edited).is_file() else None
    sequence = open_sequence(job.directory) if job.directory else None
    if sequence is None and edited is not None:
        sequence = _only_painted(job, edited)
    return Opened(sequence, edited, plate_folder(job.clip, job.video_stream)) if sequence else None


def plate_space(job: JobFacts, sequence: Sequence, client: Client) -> str:
    """OCIO name of the plate's own encoding: asked for only where something else was delivered."""
    if job.color_space == MATCH:
        return sequence.space
    try:
        return client.probe_clip(clip_ref(job.clip, 0, 0, Reading(video_stream=job.video_stream))).color_space
    except ClientError:
        return sequence.space


def _only_painted(job: JobFacts, edited: Path) -> Sequence | None:
    """A sequence of the size of the painted picture, of which no frame is there."""
    source = oiio.ImageInput.open(str(edited))
    if source is None:
        oiio.geterror()
        return None
    spec = source.spec()
    return Sequence(Path(job.directory or job.out), job.title, (), spec.width, spec.height, DEFAULT_RATE, DEFAULT_SPACE)
