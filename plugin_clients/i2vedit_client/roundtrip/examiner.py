"""Asks the core what a saved picture holds, in a process of its own that stays open: the client decodes no pictures."""

import json
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from i2vedit_client.errors import ClientError, ExitCode, Failure

MODULE = "i2vedit_core.delivery.saves"


class Examiner:
    """Answers what has changed in a picture since the last one that counted. Use it in a `with` block."""

    def __init__(self, reference: Path, last: Path | None) -> None:
        self._words = [sys.executable, "-m", MODULE, str(reference), *([str(last)] if last else [])]

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8"
        )
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._process.terminate()
        self._process.communicate()

    def look(self, path: Path) -> dict[str, Any]:
        """`changed`, `size`, `share`, `box`, `eight_bit`; or `code`, `reason`, `message` of a picture that cannot be read.

        Raises ClientError PICTURE_READER_FAILED.
        """
        return self._ask({"path": str(path)})

    def count(self) -> None:
        """What was looked at last counts: it is what later ones are compared with. Raises ClientError PICTURE_READER_FAILED."""
        self._ask({"counts": True})

    def _ask(self, question: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin and self._process.stdout
        try:
            self._process.stdin.write(json.dumps(question) + "\n")
            self._process.stdin.flush()
            answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        except (OSError, ValueError) as error:
            raise self._failed() from error
        return answer

    def _failed(self) -> ClientError:
        self._process.terminate()
        lines = (self._process.communicate()[1] or "").strip().splitlines() or ["it gave no reason"]
        sentence = f"The reader of pictures has ended ({lines[-1]}). Start the round trip again; `i2vedit doctor` says what is missing."
        return ClientError(Failure("INTERNAL", "PICTURE_READER_FAILED", sentence), ExitCode.FAILED)
