"""Opening files of unknown origin in a process of its own, with a time and a memory limit.

Demuxers and picture readers are large C libraries; a damaged file may crash them, hang them or make them ask for all
memory. That must not take the server down.
"""

import json
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

from i2vedit_core.media.limits import limits

CHILDREN = Path(__file__).parent / "children"

# `-P` keeps the folder of the program off sys.path; the limit is set before any library is loaded. Windows has no rlimits.
_LIMITED = """
import runpy, sys
limit, program = int(sys.argv[1]), sys.argv[2]
try:
    import resource
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
except (ImportError, ValueError, OSError):
    pass
sys.argv = sys.argv[2:]
runpy.run_path(program, run_name="__main__")
"""


def command_of(program: str, *arguments: str) -> list[str]:
    """What starts a program below `children/` with its memory limit."""
    memory = str(limits().reader_memory_bytes)
    return [sys.executable, "-P", "-c", _LIMITED, memory, str(CHILDREN / program), *arguments]


class ChildFailedError(Exception):
    """The child crashed, was killed for its memory, or took longer than it may. `said` is what it wrote until then."""

    def __init__(self, why: str, said: bytes = b"") -> None:
        super().__init__(why)
        self.said = said


@dataclass(frozen=True)
class Child:
    """One program below `children/`."""

    program: str
    seconds: float

    def run(self, *arguments: str, request: bytes = b"") -> bytes:
        """Runs it with `request` on its stdin and returns what it wrote to stdout. Raises ChildFailedError."""
        return _answer(_start(self.program, *arguments), request, self.seconds)


class ReadyChild:
    """One program, started ahead of its use where somebody is going to wait for it: most of a short answer is the start.

    The program reads its arguments as a line of JSON from its stdin where it gets none, and ends when that is closed.
    """

    def __init__(self, program: str) -> None:
        self._program = program
        self._lock = threading.Lock()
        self._ready: subprocess.Popen[bytes] | None = None

    def keep_ready(self) -> None:
        """From now on one is waiting, until this process ends."""
        with self._lock:
            if self._ready is None or self._ready.poll() is not None:
                self._ready = _start(self._program)

    def run(self, seconds: float, *arguments: str) -> bytes:
        """As `Child.run`: each answer comes from a process of its own, in so many seconds. Raises ChildFailedError."""
        with self._lock:
            waiting, self._ready = self._ready, None
        if waiting is None or waiting.poll() is not None:
            return _answer(_start(self._program, *arguments), b"", seconds)
        answer = _answer(waiting, json.dumps(arguments).encode() + b"\n", seconds)
        self.keep_ready()
        return answer


def _start(program: str, *arguments: str) -> subprocess.Popen[bytes]:
    pipe = subprocess.PIPE
    return subprocess.Popen(command_of(program, *arguments), stdin=pipe, stdout=pipe, stderr=pipe)


def _answer(process: subprocess.Popen[bytes], request: bytes, seconds: float) -> bytes:
    """What it writes to stdout. Raises ChildFailedError."""
    with process:
        try:
            out, err = process.communicate(request, seconds)
        except subprocess.TimeoutExpired as error:
            process.kill()
            raise ChildFailedError(f"no answer in {seconds:.0f} seconds", error.stdout or b"") from error
        except BaseException:
            process.kill()
            raise
    if process.returncode != 0:
        last = err.decode(errors="replace").strip().rpartition("\n")[2]
        raise ChildFailedError(f"reader ended with {process.returncode}: {last}", out)
    return out
