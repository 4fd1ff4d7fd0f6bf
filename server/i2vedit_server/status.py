"""The one place where an error becomes a gRPC status: canonical code, stable reason, one sentence; never a traceback."""

import logging

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status

from i2vedit_core.errors import BridgeError, Code, Reason

DOMAIN = "i2vedit"
LONGEST_SENTENCE_BYTES = 1500
"""gRPC drops a call whose trailers exceed 8 KiB; the sentence travels twice, once with three bytes for each byte beyond ASCII."""
UNEXPECTED_SENTENCE = "Something went wrong inside the server that it did not expect; its log says more: {log}"

_log = logging.getLogger(__name__)


def as_bridge_error(error: Exception, log_path: object) -> BridgeError:
    """An expected error as it is; any other one is logged whole and becomes INTERNAL/UNEXPECTED with a sentence."""
    if isinstance(error, BridgeError):
        return error
    _log.error("unexpected error", exc_info=error)
    return BridgeError(Code.INTERNAL, Reason.UNEXPECTED, UNEXPECTED_SENTENCE.format(log=log_path))


def to_grpc_status(error: BridgeError) -> grpc.Status:
    """Code, sentence and google.rpc.ErrorInfo, as gRPC sends them (details travel in `grpc-status-details-bin`)."""
    info = AnyMessage()
    info.Pack(error_details_pb2.ErrorInfo(reason=error.reason.value, domain=DOMAIN))
    status = status_pb2.Status(code=code_pb2.Code.Value(error.code.value), message=_shortened(error.sentence), details=[info])
    return rpc_status.to_status(status)


def _shortened(sentence: str) -> str:
    """The sentence with its middle left out where a caller's own endless name has made it too long to send."""
    encoded = sentence.encode("utf-8", "replace")
    if len(encoded) <= LONGEST_SENTENCE_BYTES:
        return sentence
    half = LONGEST_SENTENCE_BYTES // 2
    return f"{encoded[:half].decode('utf-8', 'ignore')} … {encoded[-half:].decode('utf-8', 'ignore')}"
