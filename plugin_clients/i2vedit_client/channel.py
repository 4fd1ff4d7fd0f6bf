"""A gRPC channel to the server: token on every call; on this machine no studio proxy in between, to any other TLS."""

import ipaddress
from collections.abc import Callable
from typing import Any, NamedTuple

import grpc

MEBIBYTE = 2**20
OPTIONS = (("grpc.max_receive_message_length", 16 * MEBIBYTE),)
# With http_proxy set, calls to 127.0.0.1 would go to the proxy and fail.
LOOPBACK_OPTIONS = (*OPTIONS, ("grpc.enable_http_proxy", 0))

Metadata = tuple[tuple[str, str | bytes], ...]


class _CallDetails(NamedTuple):
    method: str
    timeout: float | None
    metadata: Metadata | None
    credentials: Any
    wait_for_ready: bool | None
    compression: Any


class _Details(_CallDetails, grpc.ClientCallDetails):
    """The details of one call, as gRPC wants them back from an interceptor."""


class _TokenInterceptor(grpc.UnaryUnaryClientInterceptor, grpc.UnaryStreamClientInterceptor, grpc.StreamUnaryClientInterceptor):
    """Adds `authorization: Bearer TOKEN`."""

    def __init__(self, token: str) -> None:
        self._entry = ("authorization", f"Bearer {token}")

    def _with_token(self, details: grpc.ClientCallDetails) -> _Details:
        return _Details(
            method=details.method,
            timeout=details.timeout,
            metadata=(*(details.metadata or ()), self._entry),
            credentials=details.credentials,
            wait_for_ready=getattr(details, "wait_for_ready", None),
            compression=getattr(details, "compression", None),
        )

    def intercept_unary_unary(self, continuation: Callable[..., Any], client_call_details: grpc.ClientCallDetails, request: Any) -> Any:
        return continuation(self._with_token(client_call_details), request)

    def intercept_unary_stream(self, continuation: Callable[..., Any], client_call_details: grpc.ClientCallDetails, request: Any) -> Any:
        return continuation(self._with_token(client_call_details), request)

    def intercept_stream_unary(
        self, continuation: Callable[..., Any], client_call_details: grpc.ClientCallDetails, request_iterator: Any
    ) -> Any:
        return continuation(self._with_token(client_call_details), request_iterator)


def is_loopback(address: str) -> bool:
    """Whether `HOST:PORT` is this machine itself. A name other than `localhost` is not looked up: it counts as elsewhere."""
    host = address.rpartition(":")[0].strip("[]")
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def open_channel(address: str, token: str, authorities: bytes | None = None) -> grpc.Channel:
    """A channel to a server, with TLS unless it is on this machine. Connects at the first call, not here.

    `authorities` are PEM certificates by which the server's own is known; None: those that gRPC brings along.
    """
    if is_loopback(address):
        channel = grpc.insecure_channel(address, options=LOOPBACK_OPTIONS)
    else:
        channel = grpc.secure_channel(address, grpc.ssl_channel_credentials(authorities), options=OPTIONS)
    return grpc.intercept_channel(channel, _TokenInterceptor(token))
