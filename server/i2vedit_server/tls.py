"""The server's certificate and key: whether they can be used, and until when."""

import ssl
from datetime import UTC, datetime
from typing import Any

import grpc

from i2vedit_core.errors import BridgeError, Code, Reason
from i2vedit_server.config import TlsFiles


def server_credentials(files: TlsFiles) -> grpc.ServerCredentials:
    """For a port that others can reach. Raises BridgeError TLS_UNUSABLE where a caller could not connect with these files."""
    certificate_end(files)
    return grpc.ssl_server_credentials([(files.key.read_bytes(), files.certificate.read_bytes())])


def certificate_end(files: TlsFiles) -> datetime:
    """When the certificate ends, in UTC. Raises BridgeError TLS_UNUSABLE: unreadable, not a pair, not begun, or ended."""
    try:
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        # A key with a passphrase would make OpenSSL ask the terminal for it.
        server.load_cert_chain(files.certificate, files.key, password=lambda: b"")
        client = ssl.create_default_context(cafile=str(files.certificate))
        client.check_hostname = False
        # Our own certificate is trusted by itself here, whoever signed it: the dates are what is asked.
        client.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        end = ssl.cert_time_to_seconds(str(_presented(server, client)["notAfter"]))
    except ssl.SSLCertVerificationError as error:
        raise _unusable(files, error.verify_message) from error
    except ssl.SSLError as error:
        raise _unusable(files, error.reason or "not a certificate and its key in PEM") from error
    except OSError as error:
        raise _unusable(files, f"{error.strerror}: {error.filename or files.key}") from error
    return datetime.fromtimestamp(end, UTC)


def _presented(server: ssl.SSLContext, client: ssl.SSLContext) -> dict[str, Any]:
    """The certificate that a client sees, by a handshake in memory: Python reads its dates in no other public way."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    caller = client.wrap_bio(to_client, to_server)
    answering = server.wrap_bio(to_server, to_client, server_side=True)
    for side in (caller, answering, caller):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue
    return dict(caller.getpeercert() or {})


def _unusable(files: TlsFiles, why: str) -> BridgeError:
    sentence = (
        f"The certificate {files.certificate} and its key {files.key} cannot be used ({why}); give a pair of PEM files that is valid today."
    )
    return BridgeError(Code.FAILED_PRECONDITION, Reason.TLS_UNUSABLE, sentence)
