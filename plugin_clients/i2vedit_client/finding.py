"""What the doctor finds."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. `mend` says what to do where `ok` is False."""

    name: str
    ok: bool
    detail: str
    mend: str = ""
    figures: dict[str, Any] = field(default_factory=dict)
    """What `--json` gives beside the words."""
