"""How progress is said to people."""

from typing import Any

from i2vedit_client.counting import counted
from i2vedit_client.events import Event
from i2vedit_client.quality import advice

STAGES = {
    "load": "Loading the model",
    "decode": "Reading the plate",
    "invert": "Tracing the shot",
    "train": "Learning its motion",
    "edit": "Carrying the edit",
    "deliver": "Writing frames",
    "verify": "Checking frames",
    "compare": "Comparing frames",
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
    if kind == "notice":
        return str(event["message"])
    if kind == "uploaded":
        return f"On the server: {event['path']}"
    if kind == "queued":
        return "Waiting for its turn."
    if kind == "paused":
        return f"Paused. It goes on with: i2vedit jobs resume {event['job'].removeprefix('jobs/')}"
    if kind == "prepared":
        return "The shot was prepared already: nothing had to be traced or learnt."
    if kind in ("fault", "unchecked", "note"):
        return str(event["message"])
    if kind == "more":
        return f"… and {event['count']} more; --json tells them all."
    if kind == "succeeded" and event.get("kind") == "verification":
        return _verified(event)
    if kind == "succeeded" and event.get("kind") == "rerun":
        all_of = "" if event["frames"] == 1 else "all "
        return f"Identical: {all_of}{counted(event['frames'], 'frame')} came out the same, pixel by pixel."
    if kind == "succeeded" and event.get("kind") == "preparation":
        return "The shot is prepared: only carrying an edit is left to do."
    if kind == "running" and event["attempt"] > 1:
        return f"Running again, attempt {event['attempt']}; it goes on from the last checkpoint."
    if kind == "succeeded" and "directory" in event:
        done = f"Done: {counted(event['delivered'], 'frame')} in {event['directory']}"
        return "\n".join([done, *(advice(event["quality"]) if "quality" in event else ())])
    return _round_trip(event)


def _round_trip(event: Event) -> str:
    """What happens between an editor and the shot."""
    kind, path = event["event"], event.get("path", "")
    if kind == "succeeded" and "jobs" in event:
        saves = counted(len(event["jobs"]), "save was propagated", "saves were propagated")
        return f"Stopped; {saves}. What is unfinished goes on in the server."
    if kind == "saved":
        share = f", {event['share']:.1%} of the picture painted" if event.get("share") else ""
        eight_bit = " The picture has 8 bits now; save it with 16 for finer colour." if event.get("eight_bit") else ""
        return f"Saved{share}. Job {event['job'].removeprefix('jobs/')} is submitted.{eight_bit}"
    return {
        "frame_file": f"The frame to paint on: {path}",
        "opened": f"Opened in {event.get('editor')}.",
        "not_opened": str(event.get("message")),
        "waiting": "Waiting for save… (Enter: propagate now, Ctrl-C: stop)",
        "unchanged": "Saved without a change of pixels; nothing to do.",
        "unpainted": "Saved with nothing painted; nothing to do.",
        "refused": f"Not used: {event.get('message')}",
        "delivered": f"Done: {counted(event.get('delivered', 0), 'frame')} in {event.get('directory')}",
        "not_delivered": f"Not finished: {event.get('message')}",
    }.get(kind, "")


def _verified(event: Event) -> str:
    which = f", {event['first']} to {event['last']}" if event["frames"] > 1 else ""
    frames = counted(event["frames"], "frame") + which
    if event["lossy"]:
        largest = f"at most {event['largest_difference']:.2g} away from the plate's"
        return f"Whole: {frames}. Delivered with a lossy compression: outside the matte, values are {largest}."
    if event["unchecked"]:
        return f"Whole, as far as it could be checked: {frames}."
    return f"Whole and true: {frames}. Outside the matte, every pixel is the plate's."


def plan_words(plan: dict[str, Any]) -> str:
    """A memory plan in one line: what is needed at most, of what, and by what means."""
    picture = f"{plan['model']} at {plan['width']}x{plan['height']}, {counted(plan['frames'], 'frame')}"
    if not plan["fits"]:
        smaller = f"; {plan['fitting_width']}x{plan['fitting_height']} does" if plan["fitting_width"] else ""
        return f"{picture} does not fit into {_gb(plan['free_bytes'])} free of {_gb(plan['total_bytes'])}{smaller}"
    stage, peak = max(plan["stages"].items(), key=lambda item: item[1])
    needs = f"{picture} needs up to {_gb(peak)} ({stage}) of {_gb(plan['free_bytes'])} free"
    means = [words for used, words in _plan_means(plan) if used]
    return f"{needs}, with {', '.join(means)}" if means else needs


def _plan_means(plan: dict[str, Any]) -> list[tuple[bool, str]]:
    return [
        (plan["checkpointing"], "gradient checkpointing"),
        (plan["offload"], "idle models in host memory"),
        (plan["decode_frames"] < plan["frames"], f"{counted(plan['decode_frames'], 'frame')} decoded at once"),
        (plan["maps"] != "replay", f"attention maps in {plan['maps']}"),
    ]


def _gb(count: int) -> str:
    return f"{count / 1e9:.1f} GB"
