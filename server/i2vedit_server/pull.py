"""`python -m i2vedit_server.pull OWNER/NAME`: brings a model from the Hugging Face hub into the models folder, for `i2vedit models pull`.

Says how far it is as one JSON object a line. What was broken off goes on where it was.
"""

import hashlib
import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
from huggingface_hub import HfApi, constants, hf_hub_url
from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled
from huggingface_hub.utils import build_hf_headers, get_session, hf_raise_for_status

from i2vedit_core.errors import BridgeError, Code, Reason
from i2vedit_core.files import disk_full, free_bytes, write_error
from i2vedit_core.locations import models_folder
from i2vedit_core.media.fingerprint import sha256_of
from i2vedit_core.models import ModelFolder, files_to_fetch, find_model

ANSWER_SECONDS = 60.0
"""Without a byte for so long the hub counts as gone."""
TELL_SECONDS = 0.5
REVISION_CHARACTERS = 12
PART = ".part"

Tell = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class Remote:
    """A file on the hub."""

    name: str
    """Relative to the repository's root, with slashes."""
    url: str
    byte_count: int
    sha256: str | None
    """The hub says it of large files alone, and of others the `git_id`."""
    git_id: str | None
    """Hash of a small file as Git makes it."""

    def is_whole(self, path: Path) -> bool:
        """Whether a file on disk is this one, as far as the hub says what it is."""
        if path.stat().st_size != self.byte_count:
            return False
        if self.sha256 is not None:
            return sha256_of(path) == self.sha256
        return self.git_id is None or _git_id(path.read_bytes()) == self.git_id


def _git_id(content: bytes) -> str:
    return hashlib.sha1(f"blob {len(content)}\0".encode() + content, usedforsecurity=False).hexdigest()


def pull(repository: str, tell: Tell) -> ModelFolder:
    """Downloads what a model folder needs into a partial folder, checks it, and gives it its name. A folder that is there is left alone.

    Raises BridgeError HUB_UNREACHABLE, LICENSE_NOT_ACCEPTED, DOWNLOAD_DAMAGED, DISK_FULL, OUTPUT_NOT_WRITABLE, MODEL_*.
    """
    final = models_folder() / repository.rpartition("/")[2]
    if final.exists():
        return _there_already(final)
    with _told_in_sentences(repository, final):
        revision, files = _look_up(repository)
        partial = _partial_folder(final, revision)
        missing = _bytes_of(files) - _bytes_there(files, partial)
        if free_bytes(partial) < missing:
            raise disk_full(final, missing)
        _fetch_all(files, partial, tell)
        find_model(str(partial))
        os.rename(partial, final)
    return find_model(str(final))


def _there_already(final: Path) -> ModelFolder:
    try:
        return find_model(str(final))
    except BridgeError as error:
        raise BridgeError(error.code, error.reason, f"{error.sentence} Move the folder away before that: it is not overwritten.") from error


def _look_up(repository: str) -> tuple[str, list[Remote]]:
    """The newest revision, and its files that are needed."""
    info = HfApi(headers=_headers()).model_info(repository, files_metadata=True, timeout=ANSWER_SECONDS)
    revision, siblings = info.sha or constants.DEFAULT_REVISION, {each.rfilename: each for each in info.siblings or ()}
    files = []
    for name in files_to_fetch(siblings):
        found = siblings[name]
        url = hf_hub_url(repository, name, revision=revision)
        files.append(Remote(name, url, found.size or 0, found.lfs.sha256 if found.lfs else None, found.blob_id))
    return revision, files


def _headers() -> dict[str, str]:
    """With the user's own token: HF_TOKEN, or what they signed in with. Sizes are those of the files themselves."""
    return {**build_hf_headers(library_name="i2vedit"), "Accept-Encoding": "identity"}


def _partial_folder(final: Path, revision: str) -> Path:
    """Where this revision is gathered; what was left of other ones goes."""
    partial = final.with_name(f".{final.name}-{revision[:REVISION_CHARACTERS]}{PART}")
    for other in final.parent.glob(f".{final.name}-{'?' * REVISION_CHARACTERS}{PART}"):
        if other != partial:
            shutil.rmtree(other)
    partial.mkdir(parents=True, exist_ok=True)
    return partial


def _fetch_all(files: list[Remote], partial: Path, tell: Tell) -> None:
    total, done, told = _bytes_of(files), _bytes_there(files, partial), 0.0
    for file in files:
        for count in _fetch(file, partial / file.name):
            done += count
            if done == total or time.monotonic() - told >= TELL_SECONDS:
                told = time.monotonic()
                tell({"event": "downloading", "file": file.name, "bytes": done, "total": total})


def _bytes_of(files: list[Remote]) -> int:
    return sum(file.byte_count for file in files)


def _bytes_there(files: list[Remote], partial: Path) -> int:
    return sum(_size(partial / file.name) for file in files)


def _size(target: Path) -> int:
    """Of what is there of a file."""
    return next((path.stat().st_size for path in (target, _part_of(target)) if path.exists()), 0)


def _part_of(target: Path) -> Path:
    return target.with_name(target.name + PART)


def _fetch(file: Remote, target: Path) -> Iterator[int]:
    """Downloads what is missing of a file, piece by piece with their sizes, and gives it its name once it is what the hub says it is."""
    if target.exists():
        return
    part = _part_of(target)
    part.parent.mkdir(exist_ok=True)
    if _size(target) < file.byte_count:
        yield from _append(file.url, part)
    if not file.is_whole(part):
        part.unlink()
        sentence = f"'{file.name}' arrived damaged and was thrown away. Give the same command again: it goes on with the rest."
        raise BridgeError(Code.DATA_LOSS, Reason.DOWNLOAD_DAMAGED, sentence)
    os.replace(part, target)


def _append(url: str, part: Path) -> Iterator[int]:
    had = part.stat().st_size if part.exists() else 0
    headers = {**_headers(), "Range": f"bytes={had}-"}
    with get_session().stream("GET", url, headers=headers, timeout=ANSWER_SECONDS) as answer:
        hf_raise_for_status(answer)
        is_rest = answer.status_code == httpx2.codes.PARTIAL_CONTENT
        with part.open("ab" if is_rest else "wb") as file:
            if not is_rest:
                yield -had  # from the beginning, then
            for piece in answer.iter_bytes():
                file.write(piece)
                yield len(piece)
            file.flush()
            os.fsync(file.fileno())


@contextmanager
def _told_in_sentences(repository: str, final: Path) -> Iterator[None]:
    try:
        yield
    except HfHubHTTPError as error:
        raise _refused(repository, error.response.status_code) from error
    except OfflineModeIsEnabled as error:
        sentence = "HF_HUB_OFFLINE forbids downloads from the Hugging Face hub; unset it and give the same command again."
        raise BridgeError(Code.UNAVAILABLE, Reason.HUB_UNREACHABLE, sentence) from error
    except httpx2.HTTPError as error:
        raise _unreachable(f"cannot be reached ({error or type(error).__name__})") from error
    except OSError as error:
        raise write_error(final, error) from error


def _refused(repository: str, status: int) -> BridgeError:
    if status not in (httpx2.codes.UNAUTHORIZED, httpx2.codes.FORBIDDEN):
        return _unreachable(f"answered with {status}")
    sentence = (
        f"The hub does not hand {repository} out to you yet. Sign in at {constants.ENDPOINT}/{repository}, accept the licence there, make "
        "an access token in your settings, and put it into HF_TOKEN. Then give the same command again."
    )
    return BridgeError(Code.PERMISSION_DENIED, Reason.LICENSE_NOT_ACCEPTED, sentence)


def _unreachable(how: str) -> BridgeError:
    sentence = (
        f"The hub {constants.ENDPOINT} {how}. Check the network and its proxy, then give the same command again: it goes on where it was. "
        "On a machine without internet, copy the model's folder from another one (docs/server.md)."
    )
    return BridgeError(Code.UNAVAILABLE, Reason.HUB_UNREACHABLE, sentence)


def _say(event: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


def main(arguments: list[str]) -> int:
    """The last line says how it ended. Returns 0, or 1 where there is no model."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends it at once; what is there is kept
    try:
        model = pull(arguments[0], _say)
    except BridgeError as error:
        _say({"event": "failed", "code": error.code, "reason": error.reason, "message": error.sentence})
        return 1
    _say({"event": "succeeded", "path": str(model.path), "bytes": model.byte_count})
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
