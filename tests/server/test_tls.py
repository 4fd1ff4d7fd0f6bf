"""A server that others can reach: only with a certificate that works, and only for callers with token and trust."""

import socket
import subprocess
from pathlib import Path
from typing import Any

import grpc
import pytest
from tests.server.certificates import Pair, certificate
from tests.server.elsewhere import own_address, remote_address, token
from tests.server.harness import ServerProcess, refusal, server_command, server_environment

from i2vedit.v1 import propagation_service_pb2 as pb
from i2vedit_client.channel import open_channel
from i2vedit_client.client import Client
from i2vedit_client.errors import ServerError
from i2vedit_core.errors import BridgeError, Reason
from i2vedit_server.config import TlsFiles
from i2vedit_server.tls import certificate_end


def test_a_caller_from_elsewhere_comes_in_by_tls(open_server: ServerProcess, pair: Pair) -> None:
    with Client(remote_address(open_server), token(open_server), pair.certificate.read_bytes()) as client:
        assert client.server_info().process_id == open_server.process.pid
    with Client(remote_address(open_server), "wrong", pair.certificate.read_bytes()) as client:
        with pytest.raises(ServerError) as caught:
            client.server_info()
        assert caught.value.failure.reason == "TOKEN_INVALID"


def test_a_caller_of_this_machine_needs_no_certificate(open_server: ServerProcess) -> None:
    assert open_server.address.startswith("127.0.0.1:")
    open_server.call("GetServerInfo", pb.GetServerInfoRequest())


def test_who_does_not_know_the_authority_does_not_send_the_token(open_server: ServerProcess) -> None:
    with Client(remote_address(open_server), token(open_server)) as client, pytest.raises(ServerError) as caught:
        client.server_info(5)
    assert caught.value.failure.code in ("UNAVAILABLE", "DEADLINE_EXCEEDED")


def test_without_tls_nobody_is_heard_there(open_server: ServerProcess) -> None:
    with grpc.insecure_channel(remote_address(open_server)) as channel:
        call: Any = channel.unary_unary("/i2vedit.v1.PropagationService/GetServerInfo")
        with pytest.raises(grpc.RpcError):
            call(b"", metadata=open_server.metadata, timeout=5)
    with pytest.raises(OSError):
        socket.create_connection((own_address(), int(open_server.address.rpartition(":")[2])), timeout=5)


def test_ending_the_server_is_for_its_own_machine(open_server: ServerProcess, pair: Pair) -> None:
    with Client(remote_address(open_server), token(open_server), pair.certificate.read_bytes()) as client:
        with pytest.raises(ServerError) as caught:
            client.drain_server()
        assert (caught.value.failure.code, caught.value.failure.reason) == ("PERMISSION_DENIED", "CALLER_NOT_LOCAL")
        client.server_info()


def test_a_channel_to_elsewhere_is_never_without_tls() -> None:
    from i2vedit_client.channel import is_loopback

    assert all(is_loopback(address) for address in ("127.0.0.1:1", "[::1]:1", "localhost:1", "127.8.8.8:1"))
    assert not any(is_loopback(address) for address in ("10.0.0.1:1", "render:1", "[fd00::1]:1", "localhost.example:1", ""))
    open_channel("render.example:1", "token").close()


def test_a_certificate_has_an_end(tmp_path: Path, pair: Pair) -> None:
    assert (certificate_end(TlsFiles(pair.certificate, pair.key)) - certificate_end(TlsFiles(pair.certificate, pair.key))).seconds == 0
    other = certificate(tmp_path)
    ended = certificate(tmp_path, days=-1, name="ended")
    cases = {
        (pair.certificate, other.key): "KEY_VALUES_MISMATCH",
        (ended.certificate, ended.key): "certificate has expired",
        (tmp_path / "nothing", other.key): "No such file",
        (other.key, other.key): "",
    }
    for files, words in cases.items():
        with pytest.raises(BridgeError) as caught:
            certificate_end(TlsFiles(*files))
        assert caught.value.reason is Reason.TLS_UNUSABLE
        assert words in caught.value.sentence


def test_a_server_does_not_start_with_a_certificate_that_ended(tmp_path: Path) -> None:
    ended = certificate(tmp_path, days=-1)
    options = ["--listen", "0.0.0.0:0", "--tls-certificate", str(ended.certificate), "--tls-key", str(ended.key)]
    done = subprocess.run(server_command(tmp_path / "d", *options), env=server_environment(), capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "certificate has expired" in done.stderr and len(done.stderr.splitlines()) == 1
    one = subprocess.run(server_command(tmp_path / "d", *options[:4]), env=server_environment(), capture_output=True, text=True, timeout=60)
    assert one.returncode == 1 and "--tls-key" in one.stderr


def test_a_refusal_reaches_a_caller_from_elsewhere_whole(open_server: ServerProcess, pair: Pair, clip: Path) -> None:
    authorities = grpc.ssl_channel_credentials(pair.certificate.read_bytes())
    with grpc.secure_channel(remote_address(open_server), authorities) as channel:
        from i2vedit.v1.propagation_service_pb2_grpc import PropagationServiceStub

        with pytest.raises(grpc.RpcError) as caught:
            PropagationServiceStub(channel).ProbeClip(pb.ProbeClipRequest(path=str(clip)), metadata=open_server.metadata, timeout=10)
    code, reason, sentence = refusal(caught.value)
    assert (code, reason) == (grpc.StatusCode.PERMISSION_DENIED, "PATH_NOT_ALLOWED")
    assert "upload" in sentence
