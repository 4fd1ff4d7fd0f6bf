"""Every damaged file of the shared media folder, over a real channel: refused with a sentence, the process alive, memory bounded."""

import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import grpc
import psutil
import pytest
from PIL import Image
from tests.media import REPOSITORY, shared_media
from tests.server.harness import ServerProcess, refusal

from i2vedit.v1 import clip_pb2, job_pb2
from i2vedit.v1 import propagation_service_pb2 as pb

pytestmark = pytest.mark.media

FOLDER = "corrupt"
SERVER_BYTES = 200e6
CHILD_BYTES = 1.5e9
"""Of a process that opens one file: its libraries, and a picture of the largest size that is taken."""
REFUSED_AS_CLIP = {"CLIP_UNREADABLE", "CLIP_UNSUPPORTED"}
REFUSED_AS_EDIT = {"EDIT_UNREADABLE", "EDIT_SIZE_MISMATCH"}
CALL_SECONDS = 300.0


def names() -> list[str]:
    root = Path(os.environ.get("I2VEDIT_MEDIA", REPOSITORY.parent / "shared" / "media"))
    return sorted(path.name for path in (root / FOLDER).glob("*")) or ["none"]


@contextmanager
def bounded(server: ServerProcess) -> Iterator[None]:
    """Inside the block neither the server nor a process that it starts takes more memory than it may, and it is alive afterwards."""
    over, most = threading.Event(), {"server": 0, "child": 0}

    def look() -> None:
        process = psutil.Process(server.process.pid)
        while not over.wait(0.1):
            with suppress(psutil.NoSuchProcess):
                most["server"] = max(most["server"], process.memory_info().rss)
                most["child"] = max([most["child"], *(child.memory_info().rss for child in process.children(recursive=True))])

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
    assert most["server"] < SERVER_BYTES and most["child"] < CHILD_BYTES, most
    assert server.call("GetServerInfo", pb.GetServerInfoRequest()).process_id == server.process.pid


def refused(server: ServerProcess, spec: job_pb2.JobSpec) -> tuple[str, str]:
    """Reason and sentence with which a job is not taken."""
    with pytest.raises(grpc.RpcError) as caught:
        server.call("CreateJob", pb.CreateJobRequest(spec=spec), CALL_SECONDS)
    _, reason, sentence = refusal(caught.value)
    return reason, sentence


@pytest.mark.parametrize("name", names())
def test_a_damaged_clip_is_refused_or_known_for_what_it_is(
    shared_server: ServerProcess, spec: job_pb2.JobSpec, name: str, tmp_path: Path
) -> None:
    path = shared_media(f"{FOLDER}/{name}")
    Image.new("RGB", (20, 200)).save(tmp_path / "of_no_clip.png")
    spec.edits[0].path = str(tmp_path / "of_no_clip.png")
    spec.clip.CopyFrom(clip_pb2.ClipRef(path=str(path)))
    with bounded(shared_server):
        try:
            clip = shared_server.call("ProbeClip", pb.ProbeClipRequest(path=str(path)), CALL_SECONDS).clip
        except grpc.RpcError as error:
            _, reason, sentence = refusal(error)
            assert reason in REFUSED_AS_CLIP and path.name in sentence
            assert refused(shared_server, spec) == (reason, sentence)
        else:
            # The damage lies in some frames only: the rest may still be what somebody needs.
            assert clip.frame_count > 0 and clip.width > 0
            reason, sentence = refused(shared_server, spec)
            assert reason == "EDIT_SIZE_MISMATCH" and str(clip.width) in sentence


@pytest.mark.parametrize("name", [name for name in names() if name.endswith((".exr", ".tiff", ".png"))] or ["none"])
def test_a_damaged_frame_of_a_sequence_is_named(shared_server: ServerProcess, spec: job_pb2.JobSpec, name: str, tmp_path: Path) -> None:
    damaged = shared_media(f"{FOLDER}/{name}")
    for number in (1001, 1003):
        shutil.copy(shared_media(f"exr/derived_juggle_dwaa/juggle_dwaa.{number}.exr"), tmp_path)
    shutil.copy(damaged, tmp_path / "juggle_dwaa.1002.exr")
    spec.clip.CopyFrom(clip_pb2.ClipRef(path=str(tmp_path / "juggle_dwaa.####.exr")))
    with bounded(shared_server):
        reason, sentence = refused(shared_server, spec)
    assert reason == "CLIP_UNREADABLE" and "'juggle_dwaa.1002.exr'" in sentence


@pytest.mark.parametrize("name", names())
def test_a_damaged_painted_frame_is_refused(shared_server: ServerProcess, spec: job_pb2.JobSpec, name: str) -> None:
    path = shared_media(f"{FOLDER}/{name}")
    spec.edits[0].path = str(path)
    with bounded(shared_server):
        reason, sentence = refused(shared_server, spec)
    assert reason in REFUSED_AS_EDIT and path.name in sentence
