"""How progress is said to people."""

from i2vedit_client.events import Event

STAGES = {
    "load": "Loading the model",
    "decode": "Reading the plate",
    "invert": "Tracing the shot",
    "train": "Learning its motion",
    "edit": "Carrying the edit",
    "deliver": "Writing frames",
}


def stage_words(stage: str) -> str:
    return STAGES.get(stage, stage)


def duration(seconds: float) -> str:
    """A time that is only an estimate, so it is said roughly."""
    if seconds < 60:
        return f"{round(seconds)} s"
    if seconds < 3600:
        return f"{round(seconds / 60)} min"
    return f"{int(seconds // 3600)} h {int(seconds % 3600 // 60)} min"


def details(event: Event) -> str:
    """Chunk, loss and time left of a progress event, as far as they are known."""
    parts = []
    if event["chunks"] > 1:
        parts.append(f"chunk {event['chunk'] + 1} of {event['chunks']}")
    if "loss" in event:
        parts.append(f"loss {event['loss']:.4f}")
    if "seconds_left" in event:
        parts.append(f"about {duration(event['seconds_left'])} left")
    return ", ".join(parts)


def part_done(event: Event) -> float:
    """How much of its stage, over all chunks, a progress event has behind it: 0 to 1."""
    in_chunk: float = min((event["step"] + 1) / max(event["of"], 1), 1.0)
    whole: float = (event["chunk"] + in_chunk) / max(event["chunks"], 1)
    return min(whole, 1.0)


def sentence(event: Event) -> str:
    """What an event other than progress means; empty for those that need no words."""
    kind = event["event"]
    if kind == "submitted":
        number = event["job"].removeprefix("jobs/")
        return f"Job {number} is under way already; watching it." if event["attached"] else f"Job {number} is submitted."
    if kind == "queued":
        return "Waiting for its turn."
    if kind == "running" and event["attempt"] > 1:
        return f"Running again, attempt {event['attempt']}; it goes on from the last checkpoint."
    if kind == "succeeded" and "directory" in event:
        return f"Done: {event['delivered']} frames in {event['directory']}"
    return ""
