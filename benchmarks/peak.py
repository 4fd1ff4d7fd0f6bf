"""How much memory this process has taken at most. Imports nothing large, which would count."""

import resource
import sys
from pathlib import Path


def peak_bytes() -> int:
    """The largest resident set of this process. On Linux `ru_maxrss` is no good: a child begins with its parent's."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text(encoding="ascii").splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
