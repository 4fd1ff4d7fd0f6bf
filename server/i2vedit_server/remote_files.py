"""What callers on other machines have left in the data folder, and for how long it stays: uploads, and what was delivered for them."""

import asyncio
import contextlib
import logging
import os
import shutil
import time
from collections.abc import Sequence, Set
from dataclasses import dataclass
from pathlib import Path

from i2vedit.v1 import job_pb2
from i2vedit_server.config import ServerConfig
from i2vedit_server.data_folder import DataFolder
from i2vedit_server.database import Database

TIDY_SECONDS = 600.0
GRACE_SECONDS = 3600.0
"""Whatever was used within this time stays however much there is: clip and painted frame come before the job that needs them."""
PAGE = 200
GOING = ".going-"
"""Begins the name of a folder on its way out: nobody takes what is left of it for a delivery."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Keeping:
    """How much stays."""

    byte_count: int
    """Of uploads and deliveries together; what was used longest ago goes first."""
    seconds: float
    """Since it was used last."""


@dataclass(frozen=True)
class Item:
    """Something that goes as a whole: an upload, one on its way, or a delivered version."""

    path: Path
    byte_count: int
    used_seconds: float
    """Since the epoch."""


def mark_used(path: Path) -> None:
    """From now on the youngest of its kind."""
    with contextlib.suppress(OSError):  # it is gone, or not ours to touch
        os.utime(path)


async def keep_tidy(config: ServerConfig, folder: DataFolder, database: Database) -> None:
    """Removes what is too old or too much, at once and then again and again, until it is cancelled."""
    keeping = Keeping(config.kept_bytes, config.kept_seconds)
    while True:
        try:
            # What there is first, then what is needed of it: a job that comes between the two is seen.
            if items := await asyncio.to_thread(list_items, folder.uploads, folder.deliveries):
                await asyncio.to_thread(evict, items, keeping, await needed_paths(database))
        except Exception:  # noqa: BLE001 - a disk that fails now may work in ten minutes
            _log.exception("uploads and deliveries could not be tidied")
        await asyncio.sleep(TIDY_SECONDS)


async def needed_paths(database: Database) -> frozenset[Path]:
    """Every file that an unfinished job reads, and every folder that it delivers into. In pages: calls are answered between them."""
    needed: set[str] = set()
    after = 0
    while page := await database(database.store.live_page, after, PAGE, frozenset()):
        for record in page:
            spec = job_pb2.JobSpec.FromString(record.spec)
            needed |= {spec.clip.path, spec.delivery.directory, *(edit.path for edit in spec.edits)}
        after = page[-1].sequence
    return frozenset(Path(text) for text in needed if text)


def evict(items: Sequence[Item], keeping: Keeping, needed: Set[Path]) -> list[Path]:
    """Removes what was not used for too long, and then what was used longest ago, until the rest fits. Gives what is gone.

    What a job needs counts as used just now.
    """
    now = time.time()
    wanted = {path.resolve() for path in needed}
    total, gone = sum(item.byte_count for item in items), []
    for item in sorted(items, key=lambda item: item.used_seconds):
        place = item.path.resolve()
        if any(place.is_relative_to(path) or path.is_relative_to(place) for path in wanted):
            mark_used(item.path)
            continue
        age = now - item.used_seconds
        if age > GRACE_SECONDS and (age > keeping.seconds or total > keeping.byte_count):
            _remove(item.path)
            total -= item.byte_count
            gone.append(item.path)
    if gone:
        _log.info("removed %s uploads and deliveries that nobody needs now; %.1f GB are left", len(gone), total / 1e9)
    return gone


def list_items(uploads: Path, deliveries: Path) -> list[Item]:
    """`SHA256/`, `SHA256.part`, and each version below `deliveries/CLIP/`."""
    found = []
    for path in (*_entries(uploads), *(version for clip in _entries(deliveries) for version in _entries(clip))):
        if path.name.startswith(GOING):
            _remove(path)
            continue
        try:
            files = [path, *path.iterdir()] if path.is_dir() else [path]
            sizes = [file.stat() for file in files]
        except OSError:
            continue  # somebody else has taken it away
        found.append(Item(path, sum(size.st_size for size in sizes), max(size.st_mtime for size in sizes)))
    return found


def _entries(folder: Path) -> list[Path]:
    try:
        return [path for path in folder.iterdir() if not path.is_symlink()]
    except OSError:
        return []


def _remove(path: Path) -> None:
    if not path.is_dir():
        path.unlink(missing_ok=True)
        return
    going = path if path.name.startswith(GOING) else path.with_name(GOING + path.name)
    with contextlib.suppress(OSError):
        path.replace(going)
    shutil.rmtree(going, ignore_errors=True)
