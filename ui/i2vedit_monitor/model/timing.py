"""How far a job is as a whole."""

import time
from collections.abc import Mapping

from i2vedit_monitor.model.facts import STAGES, JobFacts, State

SHARES = {
    "load": (0.0, 0.02),
    "decode": (0.02, 0.05),
    "invert": (0.05, 0.25),
    "train": (0.25, 0.70),
    "edit": (0.70, 0.97),
    "deliver": (0.97, 1.0),
}
"""Where a stage begins and ends in a job of one chunk, for servers that do not say how much time is left."""


def overall_part(job: JobFacts, now: float | None = None) -> float:
    """0 to 1. By time where the server says how much is left, else by stages, which it goes through chunk by chunk in
    preparing and again in carrying."""
    if job.state is State.SUCCEEDED:
        return 1.0
    progress = job.progress
    if progress is None or progress.stage not in STAGES:
        return 0.0
    if progress.seconds_left is not None and job.started:
        passed = max((now if now is not None else time.time()) - job.started, 0.0)
        return passed / max(passed + progress.seconds_left, 1e-6)
    begin, end = SHARES[progress.stage]
    chunks = max(progress.chunks, 1)
    return begin + (end - begin) * min((progress.chunk + progress.part) / chunks, 1.0)


TRACK = ("decode", "invert", "train", "edit", "deliver")
"""The stages that are shown; loading the model belongs to whichever comes next."""


def stage_parts(job: JobFacts, seen: Mapping[str, float]) -> dict[str, float]:
    """How much of each stage of TRACK is done, 0 to 1. Of stages that were not seen, as when the window opened later, a chunk is
    done when a later stage has begun on it."""
    if job.state is State.SUCCEEDED:
        return dict.fromkeys(TRACK, 1.0)
    parts = {stage: seen.get(stage, 0.0) for stage in TRACK}
    progress = job.progress
    if progress is not None and progress.stage in TRACK:
        here, chunks = TRACK.index(progress.stage), max(progress.chunks, 1)
        parts[progress.stage] = max(parts[progress.stage], min((progress.chunk + progress.part) / chunks, 1.0))
        for number, earlier in enumerate(TRACK[:here]):
            parts[earlier] = 1.0 if number == 0 else max(parts[earlier], min((progress.chunk + 1) / chunks, 1.0))
    parts["deliver"] = job.delivered / job.frames if job.frames else 0.0
    return parts
