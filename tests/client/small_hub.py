"""A Hugging Face hub on this machine, with one repository: the few addresses that a download asks for."""

import hashlib
import json
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

REVISION = "0123456789abcdef0123456789abcdef01234567"
TOKEN = "hf_of_a_test"


class SmallHub:
    """Serves `files` of `repository`. Used as a context."""

    def __init__(self, repository: str, files: Mapping[str, bytes]) -> None:
        self.repository, self.files = repository, dict(files)
        self.is_gated = False
        """Hands files out to those alone who show TOKEN."""
        self.breaks_after: int | None = None
        """So many bytes of a file are sent before the connection is lost."""
        self.damages = False
        """Sends other bytes than it says."""
        self.sent: list[tuple[str, int]] = []
        """Each file that was handed out, and from which byte."""

    def __enter__(self) -> "SmallHub":
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                hub._answer(self)

            def log_message(self, *_: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        path = request.path.partition("?")[0]
        name = path.removeprefix(f"/{self.repository}/resolve/{REVISION}/")
        if path == f"/api/models/{self.repository}":
            self._send(request, 200, json.dumps(self._about()).encode())
        elif name not in self.files:
            self._send(request, 404, b"{}")
        elif self.is_gated and request.headers.get("authorization") != f"Bearer {TOKEN}":
            self._send(request, 401 if request.headers.get("authorization") is None else 403, b"{}")
        else:
            self._hand_out(request, name)

    def _about(self) -> dict[str, object]:
        return {"id": self.repository, "sha": REVISION, "siblings": [self._sibling(name) for name in self.files]}

    def _sibling(self, name: str) -> dict[str, object]:
        content = self.files[name]
        told = {"rfilename": name, "size": len(content), "blobId": hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()}
        if name.endswith(".json"):
            return told
        return {**told, "lfs": {"size": len(content), "sha256": hashlib.sha256(content).hexdigest(), "pointerSize": 100}}

    def _hand_out(self, request: BaseHTTPRequestHandler, name: str) -> None:
        content = self.files[name]
        start = int(request.headers["range"].removeprefix("bytes=").removesuffix("-"))
        self.sent.append((name, start))
        body = content[start:]
        self._send(request, 206, bytes(len(body)) if self.damages else body)

    def _send(self, request: BaseHTTPRequestHandler, status: int, body: bytes) -> None:
        request.send_response(status)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body if self.breaks_after is None or status != 206 else body[: self.breaks_after])
