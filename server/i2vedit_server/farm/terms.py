"""What a node must have to work for this machine: the same folder of artifacts, and the same libraries. Each node looks for itself."""

import platform
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from i2vedit_core.errors import BridgeError, Code, Reason
from i2vedit_core.files import write_error
from i2vedit_core.versions import deciding_versions

MARKER = ".shared-"
LEFTOVER_SECONDS = 86400.0
SEEN_SECONDS = 10.0
"""Network file systems remember for some seconds that a file was not there."""
LOOK_SECONDS = 0.2


@dataclass(frozen=True)
class Terms:
    """What this machine says, and nodes compare themselves with."""

    marker: Path
    """A file in the artifacts folder."""
    token: str
    """What it holds."""
    versions: Mapping[str, str] = field(default_factory=deciding_versions)


@contextmanager
def offered(artifacts: Path) -> Iterator[Terms]:
    """Inside the block, the marker lies in the folder. Raises BridgeError OUTPUT_NOT_WRITABLE, DISK_FULL."""
    terms = Terms(artifacts / f"{MARKER}{secrets.token_hex(8)}", secrets.token_urlsafe(16))
    try:
        artifacts.mkdir(parents=True, exist_ok=True)
        _remove(artifacts.glob(f"{MARKER}*"), LEFTOVER_SECONDS)
        terms.marker.write_text(terms.token, encoding="ascii")
    except OSError as error:
        raise write_error(terms.marker, error) from error
    try:
        yield terms
    finally:
        _remove(artifacts.glob(f"{terms.marker.name}*"))


def accept(terms: Terms) -> str:
    """On a node: gives the name of an answer that was written beside the marker.

    Raises BridgeError STORAGE_NOT_SHARED, VERSION_MISMATCH, where work for that machine would be lost or come out otherwise.
    """
    differing = [_difference(name, version) for name, version in terms.versions.items() if deciding_versions().get(name) != version]
    if differing:
        sentence = (
            f"The node {platform.node()} would compute something else than this machine: it has {', '.join(differing)}. Install the same "
            "versions on all machines (constraints.txt), then start it again."
        )
        raise BridgeError(Code.FAILED_PRECONDITION, Reason.VERSION_MISMATCH, sentence)
    answer = terms.marker.with_name(f"{terms.marker.name}.{secrets.token_hex(8)}")
    try:
        if _read_soon(terms.marker) == terms.token:
            answer.write_text(terms.token, encoding="ascii")
            return answer.name
    except OSError as error:
        raise not_shared(platform.node(), terms, f" ({error.strerror})") from error
    raise not_shared(platform.node(), terms)


def require_answer(node: str, terms: Terms, answer: str) -> None:
    """Back on this machine: what the node wrote must be seen here. Raises BridgeError STORAGE_NOT_SHARED."""
    if _read_soon(terms.marker.with_name(answer)) != terms.token:
        raise not_shared(node, terms)


def not_shared(node: str, terms: Terms, why: str = "") -> BridgeError:
    sentence = (
        f"The node {node} and this machine do not share the folder {terms.marker.parent}{why}. Mount the same folder under the same path "
        "on all machines, writable for the user of the nodes, and name it with --artifacts-dir."
    )
    return BridgeError(Code.FAILED_PRECONDITION, Reason.STORAGE_NOT_SHARED, sentence)


def _difference(name: str, version: str) -> str:
    return f"{name} {deciding_versions().get(name) or 'not at all'} instead of {version}"


def _read_soon(path: Path) -> str:
    """What a file holds; empty where there is none after some seconds."""
    end = time.monotonic() + SEEN_SECONDS
    while not path.exists():
        if not path.parent.is_dir() or time.monotonic() > end:
            return ""
        time.sleep(LOOK_SECONDS)
    return path.read_text(encoding="ascii", errors="replace")


def _remove(files: Iterator[Path], older_than_seconds: float = 0.0) -> None:
    for file in files:
        try:
            if file.stat().st_mtime <= time.time() - older_than_seconds:
                file.unlink()
        except OSError:
            continue  # another server's, or gone already
