"""Which paths a caller may name. One on this machine: any that the server's user can use. One from elsewhere: only below the roots.

Every request passes here before it reaches its method, and fields are known by their names, so that no method can forget to ask.
"""

import hashlib
import ipaddress
import os
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath, PureWindowsPath

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from i2vedit.v1 import clip_pb2, job_pb2
from i2vedit_core.errors import BridgeError, Code, Reason
from i2vedit_server.config import ServerConfig
from i2vedit_server.data_folder import DataFolder

PATH_FIELDS = frozenset(
    {"path", "output_path", "directory", "other_directory", "plate_path", "edit_path", "further_edit_paths", "model", "region_path"}
)
"""Names of the fields that hold paths, in whichever message they stand."""
LONGEST_PATH = 32_767
"""In characters: that of Windows, the longest of all."""
OUTPUT_FIELDS = frozenset({"output_path", "directory"})
MODEL_NAMES = frozenset({"", "mini", "svd", "svd-xt"})
"""What stands in a `model` field and is no path."""
DEVICE_NAMES = frozenset(
    {"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"} | {f"{port}{digit}" for port in ("COM", "LPT") for digit in "123456789¹²³"}
)
"""On Windows these are devices in every folder and with every ending."""


@dataclass(frozen=True)
class Confinement:
    """The roots of callers from elsewhere."""

    uploads: Path
    deliveries: Path
    """Where the server delivers for a caller who cannot name a folder here."""
    roots: tuple[Path, ...] = ()
    """Those that were configured."""
    windows: bool = os.name == "nt"

    @classmethod
    def of(cls, config: ServerConfig, folder: DataFolder) -> "Confinement":
        return cls(folder.uploads, folder.deliveries, config.roots)

    def admit(self, request: Message, peer: str) -> None:
        """Looks at every path in a request, and puts resolved ones into it for a caller from elsewhere.

        `peer` is what gRPC calls the caller. Raises BridgeError PATH_NOT_ALLOWED, PATH_INVALID.
        """
        _refuse_endless(request)
        if is_local(peer):
            self._refuse_device_outputs(request)
        else:
            self._confine(request)

    def allows(self, path: Path, peer: str) -> bool:
        """Whether a caller may have a file looked at that a ticket names, not he himself."""
        try:
            return is_local(peer) or bool(self._inside(str(path)))
        except BridgeError:
            return False

    def admit_again(self, spec: job_pb2.JobSpec) -> None:
        """When a job begins: a folder on its paths may have become a link since it was admitted. Raises BridgeError PATH_NOT_ALLOWED."""
        if spec.clip.confined:
            self._confine(spec)

    def _confine(self, request: Message) -> None:
        for message in _messages(request):
            for field, texts in _paths(message):
                _set_paths(message, field, [str(self._inside(each)) for each in texts])
        for message in _messages(request):
            if isinstance(message, clip_pb2.ClipRef):
                message.confined = True
            if isinstance(message, job_pb2.JobSpec) and not message.delivery.directory:
                # The same clip has the same folder, so that its versions are counted on and the same call finds its job again.
                message.delivery.directory = str(self.deliveries / hashlib.sha256(message.clip.path.encode()).hexdigest()[:16])

    def _inside(self, text: str) -> Path:
        """The path without links. Raises BridgeError PATH_NOT_ALLOWED unless it lies below a root."""
        windows = PureWindowsPath(text)
        if "\0" in text or ".." in windows.parts or text[:2] in ("\\\\", "//") or not Path(text).is_absolute():
            raise _not_allowed(text)
        try:
            found = Path(text).resolve()
            roots = [root.resolve() for root in (self.uploads, self.deliveries, *self.roots)]
        except (OSError, RuntimeError, ValueError):  # links in a circle, names that are too long
            raise _not_allowed(text) from None
        root = next((root for root in roots if found.is_relative_to(root)), None)
        if root is None or _names_device(found.relative_to(root)):
            raise _not_allowed(text)
        return found

    def _refuse_device_outputs(self, request: Message) -> None:
        """Writing `NUL.exr` on Windows succeeds and leaves nothing."""
        if not self.windows:
            return
        for message in _messages(request):
            for field, texts in _paths(message):
                for text in (each for each in texts if field in OUTPUT_FIELDS and _names_device(PureWindowsPath(each))):
                    sentence = f"'{text}' is the name of a device on Windows and not of a file; choose another name."
                    raise BridgeError(Code.INVALID_ARGUMENT, Reason.PATH_NOT_ALLOWED, sentence)


def is_local(peer: str) -> bool:
    """Whether gRPC's name of a caller (`ipv4:127.0.0.1:5001`, `ipv6:%5B::1%5D:5001`) is a loopback address. Anything else is elsewhere."""
    kind, _, rest = urllib.parse.unquote(peer).partition(":")
    if kind not in ("ipv4", "ipv6"):
        return False
    try:
        address = ipaddress.ip_address(rest.rpartition(":")[0].strip("[]"))
    except ValueError:
        return False
    # A server on `[::]` sees callers by IPv4 in a coat of IPv6.
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback


def _messages(message: Message) -> Iterator[Message]:
    """The message and every message that is set in it."""
    yield message
    for field, value in message.ListFields():
        if field.type == FieldDescriptor.TYPE_MESSAGE:
            for each in value if field.is_repeated else [value]:
                yield from _messages(each)


def _paths(message: Message) -> list[tuple[str, list[str]]]:
    """Name of each field of this message that holds paths, and what it holds."""
    fields = [(field, value) for field, value in message.ListFields() if field.type == FieldDescriptor.TYPE_STRING]
    held = [(field.name, list(value) if field.is_repeated else [value]) for field, value in fields if field.name in PATH_FIELDS]
    return [(name, texts) for name, texts in held if not (name == "model" and texts[0] in MODEL_NAMES)]


def _set_paths(message: Message, field: str, texts: list[str]) -> None:
    if len(texts) == 1 and isinstance(getattr(message, field), str):
        setattr(message, field, texts[0])
    else:
        getattr(message, field)[:] = texts


def _refuse_endless(request: Message) -> None:
    """Before anybody takes it apart: a path of a million parts is seconds of work."""
    for message in _messages(request):
        for text in (each for _, texts in _paths(message) for each in texts):
            if len(text) > LONGEST_PATH:
                sentence = f"'{text[:40]}…' has {len(text)} characters; a path has at most {LONGEST_PATH}."
                raise BridgeError(Code.INVALID_ARGUMENT, Reason.PATH_INVALID, sentence)


def _names_device(path: PurePath) -> bool:
    return any(part.partition(".")[0].rstrip(" ").upper() in DEVICE_NAMES for part in path.parts)


def _not_allowed(text: str) -> BridgeError:
    sentence = (
        f"'{text}' does not lie in a folder that callers from another machine may use on this server; upload the file, or let the server's "
        "owner add the folder to [remote] roots in config.toml."
    )
    return BridgeError(Code.PERMISSION_DENIED, Reason.PATH_NOT_ALLOWED, sentence)
