"""Where log lines go: stderr for whoever started the server, and rotating files of JSON lines in the data folder. No secret in either."""

import contextlib
import json
import logging
import logging.handlers
import os
import queue
import re
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

LINE = "%(asctime)s %(levelname)s %(name)s: %(message)s"
FILE_BYTES = 4 * 2**20
FILE_COUNT = 4
MOST_WAITING_LINES = 1000
FLUSH_SECONDS = 1.0
LEVEL_VARIABLE = "I2VEDIT_LOG_LEVEL"
"""In the environment, so that the worker process logs as much as the server."""
REDACTED = "[token]"
JOB = re.compile(r"\bjobs?[ /]([0-9a-f]{12})\b")

_secrets: set[str] = set()


def keep_out(secret: str) -> None:
    """From now on no line of this process's logs holds this text, wherever it comes from: a message, its values, a traceback."""
    _secrets.add(secret)


def set_level(name: str) -> None:
    """`debug`, `info`, `warning` or `error`; here and in every process that is started from here."""
    os.environ[LEVEL_VARIABLE] = name


def _redacted(line: str) -> str:
    for secret in _secrets:
        line = line.replace(secret, REDACTED)
    return line


class HumanFormatter(logging.Formatter):
    """A line for people."""

    def __init__(self) -> None:
        super().__init__(LINE)

    def format(self, record: logging.LogRecord) -> str:
        return _redacted(super().format(record))


class JsonFormatter(logging.Formatter):
    """A line for programs: time (UTC, ISO 8601), level, logger, message, and where they are known the job's id and the error."""

    def format(self, record: logging.LogRecord) -> str:
        message = record.getMessage()
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = {"time": moment, "level": record.levelname.lower(), "logger": record.name, "message": message}
        if job := JOB.search(message):
            line["job"] = job[1]
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        # Redacted before it is encoded, where a secret is still in one piece.
        return json.dumps({name: _redacted(value) for name, value in line.items()}, ensure_ascii=False)


def _add(handler: logging.Handler, formatter: logging.Formatter) -> None:
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(os.environ.get(LEVEL_VARIABLE, "info").upper())


class PatientHandler(logging.Handler):
    """Writes lines in a thread of its own. Whoever reads them may stop for a while, as a paused terminal does: lines beyond those that can
    wait are left out then, and nobody who logs has to wait."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream
        self._lines: queue.Queue[str] = queue.Queue(MOST_WAITING_LINES)
        threading.Thread(target=self._write, name="log", daemon=True).start()

    def emit(self, record: logging.LogRecord) -> None:
        with contextlib.suppress(queue.Full):
            self._lines.put_nowait(self.format(record))

    def flush(self) -> None:
        """Waits for what is on its way, but not long. Called at the end of the process."""
        end = time.monotonic() + FLUSH_SECONDS
        while self._lines.unfinished_tasks and time.monotonic() < end:
            time.sleep(0.005)

    def _write(self) -> None:
        while True:
            line = self._lines.get()
            with contextlib.suppress(OSError, ValueError):  # the reader is gone
                self._stream.write(f"{line}\n")
                self._stream.flush()
            self._lines.task_done()


def log_to_stderr() -> None:
    """Adds stderr to the places where this process logs."""
    _add(PatientHandler(sys.stderr), HumanFormatter())


def log_to_file(path: Path) -> None:
    """Adds a rotating file to the places where this process logs. Raises OSError where it cannot be opened."""
    rotating = logging.handlers.RotatingFileHandler(path, maxBytes=FILE_BYTES, backupCount=FILE_COUNT, encoding="utf-8", delay=True)
    _add(rotating, JsonFormatter())
