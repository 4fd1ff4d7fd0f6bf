"""Small files that are whole or not there."""

import json
import os
import time
import uuid
from pathlib import Path
from typing import Any

SHARING_RETRY_SECONDS = 10.0
"""Virus scanners and indexers on Windows hold fresh files for seconds."""


def write_whole(final: Path, content: bytes, mode: int = 0o666) -> None:
    """Writes beside `final`, flushes, and renames; an existing file is replaced. Raises OSError."""
    temporary = final.with_name(f".{final.name}-{uuid.uuid4().hex}.part")
    try:
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        replace(temporary, final)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def replace(temporary: Path, final: Path) -> None:
    """`os.replace`, again and again while somebody on Windows holds the file. Raises OSError."""
    deadline = time.monotonic() + SHARING_RETRY_SECONDS
    while True:
        try:
            os.replace(temporary, final)
            return
        except PermissionError:
            if os.name != "nt" or time.monotonic() > deadline:
                raise
        time.sleep(0.05)


def write_json_file(final: Path, content: dict[str, Any]) -> None:
    """Raises OSError."""
    write_whole(final, (json.dumps(content, indent=1) + "\n").encode())


def read_json_file(path: Path) -> dict[str, Any] | None:
    """None where there is no such file, or no JSON object in it."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None
