"""What stands before every call, health and reflection included: the token, the paths, the error table, and the count of calls."""

from __future__ import annotations  # grpc's handler type takes its parameters in stubs alone

import hmac
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing, contextmanager
from pathlib import Path
from typing import Any, NoReturn

import grpc
from google.protobuf.message import DecodeError, Message
from grpc import aio

from i2vedit_core.errors import BridgeError, Code, Reason
from i2vedit_server.confinement import Confinement
from i2vedit_server.status import as_bridge_error, to_grpc_status

AUTHORIZATION = "authorization"

Behaviour = Callable[[Any, Any], Any]


class Activity:
    """When this server was last wanted: calls in flight, and the time of the last one."""

    def __init__(self) -> None:
        self._in_flight = 0
        self._last_seconds = time.monotonic()

    @contextmanager
    def call(self) -> Iterator[None]:
        """Around each call."""
        self._in_flight += 1
        try:
            yield
        finally:
            self._in_flight -= 1
            self.touch()

    def touch(self) -> None:
        """Counts as a call that has just ended."""
        self._last_seconds = time.monotonic()

    @property
    def idle_seconds(self) -> float:
        """Seconds since the last call ended; 0 while one is in flight."""
        return 0.0 if self._in_flight else time.monotonic() - self._last_seconds


class Guard(aio.ServerInterceptor):
    """Lets a call through if it carries the token, and turns whatever it raises into a status."""

    def __init__(self, token: str, activity: Activity, log_path: Path, confinement: Confinement) -> None:
        self._expected = f"Bearer {token}".encode()
        self._confinement = confinement
        self._activity = activity
        self._log_path = log_path

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler[Any, Any] | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler[Any, Any] | None:
        """gRPC asks this before it reads the request."""
        if not self._has_token(handler_call_details):
            return grpc.stream_stream_rpc_method_handler(_refuse_token)
        handler = await continuation(handler_call_details)
        return handler and self._guarded(handler)

    def _has_token(self, details: grpc.HandlerCallDetails) -> bool:
        given = [value for key, value in details.invocation_metadata or () if key == AUTHORIZATION]
        return len(given) == 1 and hmac.compare_digest(_as_bytes(given[0]), self._expected)

    def _guarded(self, handler: grpc.RpcMethodHandler[Any, Any]) -> grpc.RpcMethodHandler[Any, Any]:
        """The same handler with its behaviour guarded, whichever of the four kinds it is."""
        kinds: list[tuple[Behaviour | None, Callable[..., grpc.RpcMethodHandler[Any, Any]], bool]] = [
            (handler.unary_unary, grpc.unary_unary_rpc_method_handler, False),
            (handler.unary_stream, grpc.unary_stream_rpc_method_handler, True),
            (handler.stream_unary, grpc.stream_unary_rpc_method_handler, False),
            (handler.stream_stream, grpc.stream_stream_rpc_method_handler, True),
        ]
        behaviour, make, answers_stream = next(kind for kind in kinds if kind[0] is not None)
        assert behaviour is not None
        guarded = self._stream(behaviour) if answers_stream else self._unary(behaviour)
        # What cannot be read in a stream raises where the stream is read, which is behind this guard already.
        reader = handler.request_deserializer if handler.request_streaming else _or_error(handler.request_deserializer)
        return make(guarded, reader, handler.response_serializer)

    def _unary(self, behaviour: Behaviour) -> Behaviour:
        async def answer(request: Any, context: aio.ServicerContext[Any, Any]) -> Any:
            with self._activity.call():
                try:
                    self._look_at(request, context)
                    return await behaviour(request, context)
                except aio.AbortError:
                    raise
                except Exception as error:  # noqa: BLE001 - the border of the process: nothing unexpected may pass it
                    await _abort(context, self._told(error))

        return answer

    def _stream(self, behaviour: Behaviour) -> Behaviour:
        async def answer(request: Any, context: aio.ServicerContext[Any, Any]) -> None:
            with self._activity.call():
                try:
                    self._look_at(request, context)
                    await _forward(behaviour(request, context), context)
                except aio.AbortError:
                    raise
                except Exception as error:  # noqa: BLE001 - the border of the process: nothing unexpected may pass it
                    await _abort(context, self._told(error))

        return answer

    def _look_at(self, request: Any, context: aio.ServicerContext[Any, Any]) -> None:
        """A stream of requests names no paths: an upload has a name alone, which is made safe."""
        if isinstance(request, DecodeError):
            raise request
        if isinstance(request, Message):
            self._confinement.admit(request, context.peer())

    def _told(self, error: Exception) -> BridgeError:
        if isinstance(error, DecodeError):
            sentence = "The request is not a message of this server's protos; is the program that sent it of another version?"
            return BridgeError(Code.INVALID_ARGUMENT, Reason.REQUEST_INVALID, sentence)
        return as_bridge_error(error, self._log_path)


def _or_error(read: Callable[[bytes], Any] | None) -> Callable[[bytes], Any] | None:
    """A reader that gives the error instead of raising it: gRPC would send the caller the names of our classes."""
    if read is None:
        return None

    def reader(data: bytes) -> Any:
        try:
            return read(data)
        except DecodeError as error:
            return error

    return reader


async def _forward(answers: AsyncGenerator[Any, None] | Awaitable[None], context: aio.ServicerContext[Any, Any]) -> None:
    """Runs a streaming behaviour, which either yields its answers or writes them to the context itself."""
    if isinstance(answers, Awaitable):
        await answers
        return
    async with aclosing(answers):  # a watcher that goes away must be forgotten now, not when memory is next tidied
        async for answer in answers:
            await context.write(answer)


async def _refuse_token(requests: AsyncIterator[Any], context: aio.ServicerContext[Any, Any]) -> None:
    sentence = "The token of this call is missing or wrong; send `authorization: Bearer TOKEN` with the token of the server's data folder."
    await _abort(context, BridgeError(Code.UNAUTHENTICATED, Reason.TOKEN_INVALID, sentence))


async def _abort(context: aio.ServicerContext[Any, Any], error: BridgeError) -> NoReturn:
    status = to_grpc_status(error)
    await context.abort(status.code, status.details, tuple(status.trailing_metadata or ()))
    raise AssertionError("abort returned")


def _as_bytes(value: str | bytes) -> bytes:
    return value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value
