"""What strangers and broken programs send. Whatever it is: refused, the process lives on, and its memory stays where it was."""

import os
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import psutil
import pytest
from tests.server.certificates import Pair
from tests.server.elsewhere import remote_address, remote_client
from tests.server.harness import ServerProcess, refusal, server_command, server_environment

from i2vedit.v1 import clip_pb2, job_pb2, transfer_pb2
from i2vedit.v1 import propagation_service_pb2 as pb
from i2vedit.v1.propagation_service_pb2_grpc import PropagationServiceStub
from i2vedit_client.errors import ServerError

MEBIBYTE = 2**20
MOST_GROWTH_BYTES = 128 * MEBIBYTE
METHODS = [method.name for method in pb.DESCRIPTOR.services_by_name["PropagationService"].methods]


@pytest.fixture(autouse=True)
def _unharmed(open_server: ServerProcess) -> Iterator[None]:
    """Around every attack: the same process, no larger, still answering."""
    process = psutil.Process(open_server.process.pid)
    before = process.memory_info().rss
    yield
    open_server.call("GetServerInfo", pb.GetServerInfoRequest())
    assert open_server.process.poll() is None
    assert process.memory_info().rss - before < MOST_GROWTH_BYTES


@pytest.fixture
def far(open_server: ServerProcess, pair: Pair) -> Iterator[PropagationServiceStub]:
    """A stub whose calls come from elsewhere."""
    with grpc.secure_channel(remote_address(open_server), grpc.ssl_channel_credentials(pair.certificate.read_bytes())) as channel:
        yield PropagationServiceStub(channel)


def raw_call(channel: grpc.Channel, method: str) -> Callable[..., Any]:
    """Any method as one that takes and gives streams of bytes, as a program without our protos may call it."""
    call: Callable[..., Any] = channel.stream_stream(
        f"/i2vedit.v1.PropagationService/{method}", request_serializer=lambda data: data, response_deserializer=lambda data: data
    )
    return call


@pytest.mark.parametrize("method", METHODS)
def test_no_method_answers_without_the_token(open_server: ServerProcess, method: str) -> None:
    for metadata in ((), (("authorization", "Bearer " + "x" * 43),), (("authorization", "Bearer"),), (("authorization-bin", b"\xff"),)):
        with pytest.raises(grpc.RpcError) as caught:
            list(raw_call(open_server.channel, method)(iter([b""]), metadata=metadata, timeout=20))
        assert refusal(caught.value)[:2] == (grpc.StatusCode.UNAUTHENTICATED, "TOKEN_INVALID")


@pytest.mark.parametrize("method", METHODS)
def test_bytes_that_are_no_message_are_refused(open_server: ServerProcess, method: str) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        list(raw_call(open_server.channel, method)(iter([b"\xff" * 1000]), metadata=open_server.metadata, timeout=20))
    assert refusal(caught.value)[:2] == (grpc.StatusCode.INVALID_ARGUMENT, "REQUEST_INVALID")


def test_messages_over_four_mebibytes_are_refused_one_after_the_other(open_server: ServerProcess) -> None:
    request = pb.ProbeClipRequest(path="/" + "x" * (4 * MEBIBYTE + 1))
    for _ in range(20):
        with pytest.raises(grpc.RpcError) as caught:
            open_server.call("ProbeClip", request)
        assert caught.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED


def test_an_upload_of_one_huge_chunk_is_refused(open_server: ServerProcess) -> None:
    header = transfer_pb2.UploadHeader(file_name="a.mov", byte_count=8 * MEBIBYTE, sha256="0" * 64)
    parts = [transfer_pb2.UploadMediaRequest(header=header), transfer_pb2.UploadMediaRequest(chunk=bytes(4 * MEBIBYTE + 1))]
    with pytest.raises(grpc.RpcError) as caught:
        open_server.stub.UploadMedia(iter(parts), metadata=open_server.metadata, timeout=30)
    assert caught.value.code() in (grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.INVALID_ARGUMENT)


REQUESTS = [
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    b"POST /i2vedit.v1.PropagationService/GetServerInfo HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 0\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nOrigin: https://evil.example\r\nAccess-Control-Request-Method: POST\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\xff" * 4096,
    os.urandom(65536),
]


@pytest.mark.parametrize("request_bytes", REQUESTS, ids=["get", "post", "cors", "broken http2", "noise"])
@pytest.mark.parametrize("with_tls", [False, True])
def test_what_is_not_grpc_gets_nothing(open_server: ServerProcess, pair: Pair, request_bytes: bytes, with_tls: bool) -> None:
    host, _, port = (remote_address(open_server) if with_tls else open_server.address).rpartition(":")
    answer = b""
    with socket.create_connection((host, int(port)), timeout=20) as plain:
        context = ssl.create_default_context(cafile=str(pair.certificate))
        context.set_alpn_protocols(["h2"])
        connection = context.wrap_socket(plain, server_hostname=host) if with_tls else plain
        connection.settimeout(20)
        try:
            connection.sendall(request_bytes)
            while block := connection.recv(65536):
                answer += block
        except OSError:
            pass  # the server has hung up, which is an answer, too
        finally:
            connection.close()
    assert b"200" not in answer and b"process_id" not in answer and b"Access-Control" not in answer


def test_many_connections_that_say_nothing_do_not_stand_in_the_way(open_server: ServerProcess) -> None:
    host, _, port = open_server.address.rpartition(":")
    silent = [socket.create_connection((host, int(port)), timeout=20) for _ in range(100)]
    try:
        open_server.call("GetServerInfo", pb.GetServerInfoRequest())
    finally:
        for connection in silent:
            connection.close()


PATHS = [
    "/etc/passwd",
    "../../etc/passwd",
    "{data}/token",
    "{data}/uploads/../token",
    "{data}/uploads/link/token",
    "\\\\server\\share\\a.mov",
    "//server/share/a.mov",
    "C:\\Windows\\win.ini",
    "\\\\.\\PhysicalDrive0",
    "{data}/uploads/NUL",
    "{data}/uploads/com1.mov",
    "{data}/uploads/a\0.mov",
    "/dev/zero",
    "file:///etc/passwd",
]


@pytest.mark.parametrize("path", PATHS)
def test_no_path_of_a_caller_from_elsewhere_leads_out(open_server: ServerProcess, far: PropagationServiceStub, path: str) -> None:
    uploads = open_server.folder / "uploads"
    uploads.mkdir(exist_ok=True)
    if not (uploads / "link").is_symlink():
        (uploads / "link").symlink_to(open_server.folder)
    path = path.format(data=open_server.folder)
    calls: list[tuple[Any, Any]] = [
        (far.ProbeClip, pb.ProbeClipRequest(path=path)),
        (far.ExtractFrame, pb.ExtractFrameRequest(path=path, output_path=path)),
        (far.ExtractFrame, pb.ExtractFrameRequest(output_path=path)),
        (far.CheckModel, pb.CheckModelRequest(model=path)),
        (far.CreateJob, pb.CreateJobRequest(spec=job_pb2.JobSpec(clip=clip_pb2.ClipRef(path=path)))),
        (far.CreateJob, pb.CreateJobRequest(spec=job_pb2.JobSpec(edits=[job_pb2.EditedFrame(path=path)]))),
        (far.CreateJob, pb.CreateJobRequest(spec=job_pb2.JobSpec(delivery=job_pb2.DeliverySettings(directory=path)))),
    ]
    for call, request in calls:
        with pytest.raises(grpc.RpcError) as caught:
            call(request, metadata=open_server.metadata, timeout=30)
        assert refusal(caught.value)[:2] == (grpc.StatusCode.PERMISSION_DENIED, "PATH_NOT_ALLOWED"), call


def test_the_name_of_an_upload_does_not_lead_out_either(open_server: ServerProcess, pair: Pair, tmp_path: Path) -> None:
    import hashlib

    before = (open_server.folder / "token").read_text()
    with remote_client(open_server, pair) as client:
        header = transfer_pb2.UploadHeader(file_name="../../token", byte_count=4, sha256=hashlib.sha256(b"evil").hexdigest())
        parts = [transfer_pb2.UploadMediaRequest(header=header), transfer_pb2.UploadMediaRequest(chunk=b"evil")]
        there = Path(client.upload(iter(parts)).path)
        assert there.parent.parent == open_server.folder / "uploads" and there.name == "token"
        with pytest.raises(ServerError) as caught:
            client.probe_clip(str(there))
        assert caught.value.failure.reason == "CLIP_UNREADABLE"
    assert (open_server.folder / "token").read_text() == before


def test_a_second_server_steps_back_from_folder_and_port(open_server: ServerProcess, tmp_path: Path) -> None:
    def refused(folder: Path, *options: str) -> str:
        done = subprocess.run(server_command(folder, *options), env=server_environment(), capture_output=True, text=True, timeout=60)
        assert done.returncode == 1
        return done.stderr

    assert str(open_server.folder) in refused(open_server.folder)
    assert "another program has this port" in refused(tmp_path / "data", "--listen", open_server.address)
