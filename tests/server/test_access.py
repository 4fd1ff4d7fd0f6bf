"""Who gets in, on which address, and what strangers hear."""

import json
import os
import socket
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from tests.server.conftest import StartServer
from tests.server.harness import ServerProcess, refusal, server_command, server_environment

from i2vedit.v1 import job_pb2
from i2vedit.v1 import propagation_service_pb2 as pb

SERVICE = "i2vedit.v1.PropagationService"


def refused(folder: Path, *options: str) -> str:
    """The sentence with which a server declines to start."""
    done = subprocess.run(server_command(folder, *options), env=server_environment(), capture_output=True, text=True, timeout=30)
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    return done.stderr


def health_stub(server: ServerProcess) -> Any:
    return health_pb2_grpc.HealthStub(server.channel)


def reflection_stub(server: ServerProcess) -> Any:
    return reflection_pb2_grpc.ServerReflectionStub(server.channel)


def test_the_server_process_never_imports_torch() -> None:
    program = "import sys, i2vedit_server.app, i2vedit_server.cli; sys.exit('torch' in sys.modules or 'diffusers' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], timeout=30).returncode == 0


@pytest.mark.parametrize("metadata", [(), (("authorization", "Bearer wrong"),), (("authorization", "wrong"),), (("authorization", ""),)])
def test_without_the_token_nothing_is_told(server: ServerProcess, metadata: Any) -> None:
    calls = [
        lambda: server.stub.GetServerInfo(pb.GetServerInfoRequest(), metadata=metadata),
        lambda: list(server.stub.WatchJob(pb.WatchJobRequest(name="jobs/x"), metadata=metadata)),
        lambda: health_stub(server).Check(health_pb2.HealthCheckRequest(), metadata=metadata),
        lambda: list(
            reflection_stub(server).ServerReflectionInfo(
                iter([reflection_pb2.ServerReflectionRequest(list_services="")]), metadata=metadata
            )
        ),
    ]
    for call in calls:
        with pytest.raises(grpc.RpcError) as caught:
            call()
        assert refusal(caught.value)[:2] == (grpc.StatusCode.UNAUTHENTICATED, "TOKEN_INVALID")


def test_two_tokens_in_one_call_are_none(server: ServerProcess) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        server.stub.GetServerInfo(pb.GetServerInfoRequest(), metadata=(("authorization", "Bearer wrong"), *server.metadata))
    assert caught.value.code() == grpc.StatusCode.UNAUTHENTICATED


def test_health_and_reflection_stand_behind_the_token(server: ServerProcess) -> None:
    health = health_stub(server)
    for service in ("", SERVICE):
        answer = health.Check(health_pb2.HealthCheckRequest(service=service), metadata=server.metadata)
        assert answer.status == health_pb2.HealthCheckResponse.SERVING
    request = reflection_pb2.ServerReflectionRequest(list_services="")
    answers = list(reflection_stub(server).ServerReflectionInfo(iter([request]), metadata=server.metadata))
    assert SERVICE in [service.name for service in answers[0].list_services_response.service]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no permission bits")
def test_token_and_address_are_for_their_user_alone(server: ServerProcess) -> None:
    for name in ("token", "server.json"):
        assert stat.S_IMODE((server.folder / name).stat().st_mode) == 0o600
    assert stat.S_IMODE(server.folder.stat().st_mode) == 0o700
    assert set(json.loads((server.folder / "server.json").read_text())) == {"address", "pid", "version"}


def test_the_token_outlives_the_server_and_the_address_does_not(start_server: StartServer) -> None:
    first = start_server()
    token = (first.folder / "token").read_text()
    assert first.stop() == 0
    assert not (first.folder / "server.json").exists()
    assert (start_server().folder / "token").read_text() == token


def test_a_second_server_on_one_data_folder_is_refused(server: ServerProcess) -> None:
    assert str(server.folder) in refused(server.folder)
    server.call("GetServerInfo", pb.GetServerInfoRequest())


def test_a_taken_port_is_refused(server: ServerProcess, tmp_path: Path) -> None:
    assert server.address in refused(tmp_path / "other", "--listen", server.address)


@pytest.mark.parametrize("address", ["0.0.0.0:0", "[::]:0", "192.0.2.1:50051"])
def test_an_address_that_others_can_reach_is_refused_without_tls(tmp_path: Path, address: str) -> None:
    assert "TLS" in refused(tmp_path / "data", "--listen", address)


@pytest.mark.parametrize("address", ["127.0.0.1", "somewhere:1", "127.0.0.1:65536", "127.0.0.1:-1", "unix:/tmp/socket", ""])
def test_what_is_no_address_is_refused(tmp_path: Path, address: str) -> None:
    assert "not an address" in refused(tmp_path / "data", "--listen", address)


def test_a_data_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    assert "--data-dir" in refused(tmp_path / "data")


def test_a_database_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    import sqlite3

    (tmp_path / "data").mkdir()
    connection = sqlite3.connect(tmp_path / "data" / "jobs.sqlite3")
    connection.execute("PRAGMA user_version = 1000")
    connection.close()
    assert "newer" in refused(tmp_path / "data")


def test_a_database_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "jobs.sqlite3").write_bytes(b"not a database" * 1000)
    assert "jobs.sqlite3" in refused(tmp_path / "data")


def test_a_browser_gets_nothing_and_breaks_nothing(server: ServerProcess) -> None:
    host, _, port = server.address.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(b"POST /i2vedit.v1.PropagationService/GetServerInfo HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        connection.settimeout(10)
        answer = b""
        while block := connection.recv(65536):
            answer += block
    assert b"200 OK" not in answer and b"process_id" not in answer
    server.call("GetServerInfo", pb.GetServerInfoRequest())


def test_a_message_over_four_mebibytes_is_refused(server: ServerProcess, spec: job_pb2.JobSpec) -> None:
    spec.clip.clip_name = "x" * (4 * 2**20 + 1)
    with pytest.raises(grpc.RpcError) as caught:
        server.create(spec)
    assert caught.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    server.call("GetServerInfo", pb.GetServerInfoRequest())
