"""A job on a server that does not see this machine's files: they go there first, and the frames come back."""

from collections.abc import Callable
from pathlib import Path

from i2vedit.v1 import clip_pb2, job_pb2
from i2vedit_client.channel import is_loopback
from i2vedit_client.client import Client
from i2vedit_client.discovery import named_server
from i2vedit_client.errors import BadInput
from i2vedit_client.events import Event
from i2vedit_client.transfer import upload_media


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
    sent = job_pb2.JobSpec()
    sent.CopyFrom(spec)
    for message, field in _files(sent):
        local = getattr(message, field)
        setattr(message, field, upload_media(client, Path(local)))
        report({"event": "uploaded", "path": local, "server_path": getattr(message, field)})
    sent.delivery.directory = ""
    return sent


def _files(spec: job_pb2.JobSpec) -> list[tuple[clip_pb2.ClipRef | job_pb2.EditedFrame, str]]:
    """The fields of a job that name files of this machine."""
    regions = [(edit, "region_path") for edit in spec.edits if edit.region_path]
    return [(spec.clip, "path"), *((edit, "path") for edit in spec.edits), *regions]
