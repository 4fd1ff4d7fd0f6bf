"""Long looks at delivered folders, each in a process of its own: the server stays quick, whatever lies in them."""

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Any

from i2vedit_core.errors import BridgeError, Code, Reason
from i2vedit_core.media.child import command_of

PROGRAM = "look_at_delivery.py"
MOST_AT_ONCE = 2
"""They read whole sequences: more would only take turns at the disk. Others wait."""
LONGEST_LINE = 2**20


class Looks:
    """Starts them, and ends them with their callers."""

    def __init__(self) -> None:
        self._free = asyncio.Semaphore(MOST_AT_ONCE)

    async def look(self, *arguments: str) -> AsyncGenerator[dict[str, Any], None]:
        """What the process tells, line by line. Raises BridgeError where it breaks down."""
        async with self._free:
            process = await asyncio.create_subprocess_exec(
                *command_of(PROGRAM, *arguments),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                limit=LONGEST_LINE,
            )
            try:
                assert process.stdout is not None
                async for line in process.stdout:
                    yield json.loads(line)
                if await process.wait() != 0:
                    sentence = "The delivered files could not be looked at: their reader gave up. They may be damaged, or too large for it."
                    raise BridgeError(Code.DATA_LOSS, Reason.UNEXPECTED, sentence)
            finally:
                if process.returncode is None:
                    process.kill()
                    await process.wait()
