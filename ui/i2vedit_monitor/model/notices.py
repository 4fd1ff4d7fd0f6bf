"""What somebody should know, and where it leads."""

from dataclasses import dataclass
from enum import StrEnum

from i2vedit_monitor.model.facts import JobFacts, State


class Way(StrEnum):
    """What a notice offers to do."""

    OPEN_OUT = "open_out"
    """Show the folder that should receive the frames."""
    RETRY = "retry"
    FREE_MEMORY = "free_memory"
    PAINT_AGAIN = "paint_again"
    SET_UP = "set_up"
    """The page that says what this machine lacks."""
    REVEAL = "reveal"


WAYS: dict[str, tuple[Way, ...]] = {
    "DISK_FULL": (Way.OPEN_OUT, Way.RETRY),
    "OUTPUT_NOT_WRITABLE": (Way.OPEN_OUT, Way.RETRY),
    "OUT_OF_MEMORY": (Way.FREE_MEMORY, Way.RETRY),
    "MEMORY_BUSY": (Way.FREE_MEMORY, Way.RETRY),
    "EDIT_NOT_FOUND": (Way.PAINT_AGAIN,),
    "EDIT_UNREADABLE": (Way.PAINT_AGAIN,),
    "EDIT_SIZE_MISMATCH": (Way.PAINT_AGAIN,),
    "MODEL_UNKNOWN": (Way.SET_UP,),
    "MODEL_INCOMPLETE": (Way.SET_UP,),
    "LIBRARY_MISSING": (Way.SET_UP,),
}
"""By the stable reason of a failure; any other can be tried again."""


@dataclass(frozen=True, slots=True)
class Notice:
    """`is_bad`: something has to be done. The first way is the one to take."""

    sentence: str
    ways: tuple[Way, ...] = ()
    is_bad: bool = True


def notice_of(job: JobFacts) -> Notice | None:
    """What is to be said of a job at its top; None where all goes as it should."""
    if job.state is State.FAILED and job.trouble is not None:
        return Notice(job.trouble.sentence, WAYS.get(job.trouble.reason, (Way.RETRY,)))
    if not job.state.ended and job.last_interruption:
        return Notice(job.last_interruption, is_bad=False)
    return None
