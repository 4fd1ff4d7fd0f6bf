"""Opening files of unknown origin in a process of its own, with a time and a memory limit.

Demuxers and picture readers are large C libraries; a damaged file may crash them, hang them or make them ask for all
memory. That must not take the server down.
"""

import subprocess
import sys
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
        command = command_of(self.program, *arguments)
        try:
            done = subprocess.run(command, input=request, capture_output=True, timeout=self.seconds, check=False)
        except subprocess.TimeoutExpired as error:
            raise ChildFailedError(f"no answer in {self.seconds:.0f} seconds", error.stdout or b"") from error
        if done.returncode != 0:
            last = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
            raise ChildFailedError(f"reader ended with {done.returncode}: {last}", done.stdout)
        return done.stdout
