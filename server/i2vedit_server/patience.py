"""When the queue tries again what has failed: as soon as there is room on a disk that was full, otherwise less and less often."""

import asyncio
import contextlib
import logging
from pathlib import Path

from i2vedit_core.files import free_bytes
from i2vedit_server.rows import ROOM_BYTES, lacks_room

ROOM_SECONDS = 2.0
"""Between two looks at a full disk."""
SHORTEST_SECONDS = 2.0
LONGEST_SECONDS = 60.0

_log = logging.getLogger(__name__)


class Patience:
    """Of one queue. Belongs to the event loop."""

    def __init__(self, folder: Path) -> None:
        """`folder` is the data folder."""
        self._folder = folder
        self._over = asyncio.Event()
        self._seconds = SHORTEST_SECONDS

    @property
    def is_over(self) -> bool:
        """Whether `end` was called."""
        return self._over.is_set()

    def end(self) -> None:
        """Nothing is waited for any more."""
        self._over.set()

    def reward(self) -> None:
        """Something went well: the next failure is tried again soon."""
        self._seconds = SHORTEST_SECONDS

    async def wait_for_room(self) -> None:
        """While the disk is full nothing can be written down, so nothing should be begun. Says so once."""
        if not lacks_room(self._folder):
            return
        needed, free = ROOM_BYTES / 2**20, free_bytes(self._folder) / 2**20
        _log.warning(
            "the disk of %s is full: %.1f MB are needed, %.1f MB are free; jobs wait until there is room", self._folder, needed, free
        )
        while not self.is_over and lacks_room(self._folder):
            await self._rest(ROOM_SECONDS)
        _log.info("jobs do not wait for room in %s any more", self._folder)

    async def pause(self, error: Exception) -> None:
        """After something that nobody foresaw. A full disk is waited for elsewhere."""
        if lacks_room(self._folder):
            return
        _log.error("the queue met something unexpected and goes on in %.0f s", self._seconds, exc_info=error)
        await self._rest(self._seconds)
        self._seconds = min(2 * self._seconds, LONGEST_SECONDS)

    async def _rest(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._over.wait(), seconds)
