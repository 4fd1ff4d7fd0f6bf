"""A job on a server that does not see this machine's files: they go there first, and the frames come back."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from i2vedit.v1 import clip_pb2, job_pb2
from i2vedit_client.channel import is_loopback
from i2vedit_client.client import Client
from i2vedit_client.discovery import named_server
from i2vedit_client.errors import BadInput, ServerError
from i2vedit_client.events import Event
from i2vedit_client.transfer import upload_media

PICTURES = frozenset({".exr", ".dpx", ".tif", ".tiff", ".png", ".jpg", ".jpeg"})
"""Endings of which a clip is one file of a sequence. Those of the core."""
STAY_HERE = "or work with the server of this machine (unset I2VEDIT_SERVER)"


def is_remote() -> bool:
    """Whether commands go to a server on another machine. Raises BadInput."""
    server = named_server()
    return server is not None and not is_loopback(server.address)


def send(client: Client, spec: job_pb2.JobSpec, report: Callable[[Event], None]) -> job_pb2.JobSpec:
    """The same job with its files on the server's machine; where it delivers there is the server's own choice.

    Raises BadInput, ServerError.
    """
    if spec.HasField("pinned"):
        raise BadInput("Pinned frames have to lie on the server's machine. Leave --pin out, or work with the server of this machine.")
    _require_single_files(spec)
    sent = job_pb2.JobSpec()
    sent.CopyFrom(spec)
    for message, field in _files(sent):
        local = getattr(message, field)
        setattr(message, field, upload_media(client, Path(local)))
        report({"event": "uploaded", "path": local, "server_path": getattr(message, field)})
    sent.delivery.directory = ""
    return sent


@contextmanager
def saying_what_to_do() -> Iterator[None]:
    """Around a call whose files have to lie where the server sees them: a refusal says how to go on. Raises ServerError."""
    try:
        yield
    except ServerError as error:
        if error.failure.reason != "PATH_NOT_ALLOWED" or not is_remote():
            raise
        sentence = (
            "This command does not send files: a server on another machine needs them in one of its `remote.roots`. Export the frame with "
            f"your editing program, paint on it and give both to `i2vedit propagate`, {STAY_HERE}."
        )
        raise ServerError(error.failure.code, error.failure.reason, sentence) from error


def _require_single_files(spec: job_pb2.JobSpec) -> None:
    """Raises BadInput for a clip or a region that is more than one file: the server would miss the others."""
    clip = Path(spec.clip.path)
    if _is_several(clip) or clip.suffix.lower() in PICTURES:
        sentence = f"'{clip}' is a sequence of pictures, and a server on another machine is sent single files."
        raise BadInput(f"{sentence} Make a movie of it, {STAY_HERE}.")
    for edit in spec.edits:
        if edit.region_path and _is_several(Path(edit.region_path)):
            sentence = f"The region '{edit.region_path}' is several files, and a server on another machine is sent single ones."
            raise BadInput(f"{sentence} Give a movie, or one picture for the painted frame, {STAY_HERE}.")


def _is_several(path: Path) -> bool:
    """Whether this is a folder, or a pattern such as shot.%04d.exr."""
    return not path.is_file() and (path.is_dir() or "%" in path.name or "#" in path.name)


def _files(spec: job_pb2.JobSpec) -> list[tuple[clip_pb2.ClipRef | job_pb2.EditedFrame, str]]:
    """The fields of a job that name files of this machine."""
    regions = [(edit, "region_path") for edit in spec.edits if edit.region_path]
    return [(spec.clip, "path"), *((edit, "path") for edit in spec.edits), *regions]
