"""Where log lines go: stderr for whoever started the server, and rotating files in the data folder."""

import logging
import logging.handlers
import sys
from pathlib import Path

LINE = "%(asctime)s %(levelname)s %(name)s: %(message)s"
FILE_BYTES = 4 * 2**20
FILE_COUNT = 4


def _add(handler: logging.Handler) -> None:
    handler.setFormatter(logging.Formatter(LINE))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.INFO)


def log_to_stderr() -> None:
    """Adds stderr to the places where this process logs."""
    _add(logging.StreamHandler(sys.stderr))


def log_to_file(path: Path) -> None:
    """Adds a rotating file to the places where this process logs. Raises OSError where it cannot be opened."""
    _add(logging.handlers.RotatingFileHandler(path, maxBytes=FILE_BYTES, backupCount=FILE_COUNT, encoding="utf-8", delay=True))
