"""The job store behind a thread of its own: commits wait for the disk there, while the event loop goes on answering."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import ParamSpec, TypeVar

from i2vedit_server.store import JobStore

P = ParamSpec("P")
T = TypeVar("T")


class Database:
    """`await database(database.store.get, job_id)` runs one method of the store; calls are done one after another."""

    def __init__(self, path: Path) -> None:
        """Raises what JobStore raises."""
        self.store = JobStore(path)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")

    async def __call__(self, method: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, lambda: method(*args, **kwargs))

    async def close(self) -> None:
        """After the calls that are on their way."""
        await self(self.store.close)
        self._thread.shutdown()
