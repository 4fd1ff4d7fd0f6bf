"""What server and worker process say to each other over their pipe. Pickled; free of gRPC, protobuf and torch."""

from dataclasses import dataclass
from pathlib import Path

from i2vedit_core.delivery.ticket import Ticket
from i2vedit_core.errors import BridgeError
from i2vedit_core.media.source import ClipSource
from i2vedit_core.pins import Pins, Range
from i2vedit_core.plan import MemoryPlan
from i2vedit_core.progress import Event
from i2vedit_core.settings import DeliverySettings, Settings
from i2vedit_core.shot import Edit, Shot


@dataclass(frozen=True)
class Places:
    """Where a job keeps what it makes on its way."""

    work: Path
    """Scratch folder of this job; the same at every attempt, so that a later one resumes."""
    artifacts: Path
    """Prepared shots, for every job that needs the same."""


NOWHERE = Places(Path(), Path())
"""Of an order that is only looked at."""


@dataclass(frozen=True, kw_only=True)
class ShotOrder:
    """A shot to prepare, as the runner gets it. Paths are absolute; frames are source frame numbers, inclusive (None: the clip's)."""

    job_id: str
    clip: ClipSource
    first: int | None
    last: int | None
    settings: Settings
    places: Places
    keys: tuple[int, ...] = ()
    """Source frames that will be painted. Empty: the first of the shot."""


@dataclass(frozen=True)
class EditOrder:
    """A painted frame, as the runner gets it."""

    path: Path
    frame: int | None
    """None: the first of the shot."""
    region: Path | None
    """A matte that came with it."""

    def open(self, shot: Shot) -> Edit:
        """Raises BridgeError as `Edit.open` does."""
        return Edit.open(self.path, shot, self.frame, self.region)


@dataclass(frozen=True)
class PinOrder:
    """Frames of an earlier version that are taken over, as the runner gets them."""

    folder: Path
    ranges: tuple[Range, ...]

    def open(self, shot: Shot, delivery: DeliverySettings) -> Pins:
        """Raises BridgeError as `Pins.open` does."""
        return Pins.open(self.folder, self.ranges, shot, delivery)


@dataclass(frozen=True, kw_only=True)
class JobOrder(ShotOrder):
    """A shot to carry painted frames through, prepared or not."""

    edits: tuple[EditOrder, ...]
    pinned: PinOrder | None = None
    delivery: DeliverySettings
    repeats: Ticket | None = None
    """Of the delivery that is made again, if this is no new one."""


@dataclass(frozen=True)
class RunJob:
    """To the worker: run this when the present job is done."""

    order: ShotOrder


@dataclass(frozen=True)
class StopJob:
    """To the worker: let this job go at its next step."""

    job_id: str


@dataclass(frozen=True)
class ShowPreviews:
    """To the worker: from now on somebody, or nobody, looks at previews of this job."""

    job_id: str
    wanted: bool


ToWorker = RunJob | StopJob | ShowPreviews


@dataclass(frozen=True)
class DeviceFound:
    """From the runner: what the model runs on, such as `cuda:0 NVIDIA H100` or `cpu`, and what the job will need of its memory."""

    device: str
    plan: MemoryPlan | None = None
    """None where nothing is known of the model's architecture."""


@dataclass(frozen=True)
class JobEvent:
    """From the worker: something happened in this job."""

    job_id: str
    event: Event | DeviceFound


@dataclass(frozen=True)
class JobDone:
    """From the worker: the shot is prepared, or delivered into this folder."""

    job_id: str
    folder: Path | None


@dataclass(frozen=True)
class JobFailed:
    """From the worker: the job ended with this error; code CANCELLED after StopJob."""

    job_id: str
    error: BridgeError


@dataclass(frozen=True)
class Heartbeat:
    """From the worker, every two seconds, whatever its job does."""


@dataclass(frozen=True)
class WorkerGone:
    """From the server's own side of the pipe: the process ended. Negative codes are signals."""

    exit_code: int | None


FromWorker = JobEvent | JobDone | JobFailed | Heartbeat | WorkerGone
