"""The one place where an error becomes a gRPC status: canonical code, stable reason, one sentence; never a traceback."""

import logging

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status

from i2vedit_core.errors import BridgeError, Code, Reason

DOMAIN = "i2vedit"
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
    status = status_pb2.Status(code=code_pb2.Code.Value(error.code.value), message=error.sentence, details=[info])
    return rpc_status.to_status(status)
