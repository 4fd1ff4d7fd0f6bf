"""A shot of a timeline, for `propagate`: what to carry, and the timelines that come back."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from i2vedit.v1 import job_pb2
from i2vedit_client.client import Client
from i2vedit_client.errors import BadInput
from i2vedit_client.events import SUCCEEDED, Event
from i2vedit_client.host.placement import placement
from i2vedit_client.host.session import Media, Request, Session, Settings, whole_media
from i2vedit_client.launch import connect
from i2vedit_client.spec import AS_IT_IS, PropagateOptions, Reading, job_spec
from i2vedit_client.timeline import TimelineShot, open_shot, write_results


@dataclass(frozen=True)
class TimelineSession:
    """A clip of a timeline beside its session, which knows the timing."""

    shot: TimelineShot
    session: Session

    @property
    def frames(self) -> tuple[int, int]:
        """First and last source frame, handles included."""
        return self.session.source.first, self.session.source.last

    def job_spec(self, options: PropagateOptions) -> job_pb2.JobSpec:
        """The job of these options, whose clip and range are the timeline's. The first frame that it shows is painted unless others are."""
        source = self.session.source
        shown = source.first + source.handle_before
        edits = tuple(replace(edit, frame=shown if edit.frame is None else edit.frame) for edit in options.edits)
        spec = job_spec(replace(options, clip=self.session.request.clip.path, frames=self.frames, edits=edits))
        spec.clip.MergeFrom(self.session.clip_ref())
        return spec

    def telling(self, report: Callable[[Event], None]) -> Callable[[Event], None]:
        """Reports, and writes the timelines before the end is told, which names them."""

        def tell(event: Event) -> None:
            if event["event"] == SUCCEEDED:
                job = job_pb2.Job(name=event["job"], delivered_directory=event["directory"])
                event = {**event, "timelines": [str(path) for path in self._write(job)]}
            report(event)

        return tell

    def _write(self, job: job_pb2.Job) -> list[Path]:
        try:
            return write_results(self.shot, placement(self.session, job))
        except OSError as error:
            raise BadInput(f"The frames are in {job.delivered_directory}, but no timeline could be written ({error.strerror}).") from error


def open_session(timeline: str, clip: str, handles: int, reading: Reading) -> TimelineSession:
    """Raises BadInput, TimingError, ServerError."""
    shot = open_shot(timeline, clip)
    with connect() as client:
        return begin_session(client, shot, handles, reading)


def begin_session(client: Client, shot: TimelineShot, handles: int, reading: Reading = AS_IT_IS) -> TimelineSession:
    """The timing is that of the video stream which is read. Raises TimingError, ServerError."""
    clip = replace(shot.host_clip, deinterlace=reading.deinterlace, video_stream=reading.video_stream)
    media = Media.of(client.probe_clip(whole_media(clip)))
    return TimelineSession(shot, Session(Path(), Request("other", clip, Settings(handles=handles)), media, Path()))
