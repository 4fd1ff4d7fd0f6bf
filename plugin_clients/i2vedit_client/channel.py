"""A gRPC channel to the server: token on every call, no studio proxy in between."""

from collections.abc import Callable
from typing import Any, NamedTuple

import grpc

MEBIBYTE = 2**20
OPTIONS = (
    # With http_proxy set, calls to 127.0.0.1 would go to the proxy and fail.
    ("grpc.enable_http_proxy", 0),
    ("grpc.max_receive_message_length", 16 * MEBIBYTE),
)

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


class _TokenInterceptor(grpc.UnaryUnaryClientInterceptor, grpc.UnaryStreamClientInterceptor):
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


def open_channel(address: str, token: str) -> grpc.Channel:
    """A channel to a server on this machine. Connects at the first call, not here."""
    return grpc.intercept_channel(grpc.insecure_channel(address, options=OPTIONS), _TokenInterceptor(token))
