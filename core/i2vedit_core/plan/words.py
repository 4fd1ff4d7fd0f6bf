"""A memory plan, said to people and to programs."""

from typing import Any

from i2vedit_core.plan.choice import MemoryPlan, largest_size, leanest_peak
from i2vedit_core.plan.options import MemoryStage

RETREAT = 0.75
"""After an out-of-memory in spite of a plan, a picture is named that needs at most this share of the least that had been predicted."""
DOING = {
    MemoryStage.ENCODE: "to read the shot",
    MemoryStage.INVERT: "to trace the shot back to its noise",
    MemoryStage.TRAIN: "to learn how the shot moves",
    MemoryStage.EDIT: "to carry the edit",
    MemoryStage.DECODE: "to make pictures of what the model gives",
}


def sentence(plan: MemoryPlan) -> str:
    """What to do about a plan that does not fit, or that ran out of memory although it should have fitted."""
    needed, free = plan.peak_bytes[plan.highest], plan.memory.free_bytes
    picture = f"{plan.request.width}x{plan.request.height}"
    if plan.fits:
        what = f"The memory did not suffice for a picture of {picture}, for which {_gb(needed)} had been predicted"
        size = largest_size(plan, round(RETREAT * leanest_peak(plan)))
    else:
        what = f"A picture of {picture} needs {_gb(needed)} of memory {DOING[plan.highest]}, and {_gb(free)} are free"
        size = largest_size(plan, free)
    if size is None:
        return f"{what}; no smaller size fits either. Close other programs that use this memory, or use a smaller model."
    return f"{what}; {size[0]}x{size[1]} would fit. Give --size {size[0]}x{size[1]}, or close other programs that use this memory."


def to_dict(plan: MemoryPlan) -> dict[str, Any]:
    """As JSON shows it. `fitting_width` and `fitting_height` are 0 where no size fits."""
    size = (plan.request.width, plan.request.height) if plan.fits else largest_size(plan, plan.memory.free_bytes)
    return {
        "width": plan.request.width,
        "height": plan.request.height,
        "frames": plan.request.frames or plan.architecture.frames,
        "free_bytes": plan.memory.free_bytes,
        "total_bytes": plan.memory.total_bytes,
        "stages": {stage.value: peak for stage, peak in plan.peak_bytes.items()},
        "checkpointing": plan.options.checkpointing,
        "offload": plan.options.offload,
        "decode_frames": plan.options.decode_frames,
        "maps": plan.options.maps.value,
        "fits": plan.fits,
        "fitting_width": size[0] if size else 0,
        "fitting_height": size[1] if size else 0,
        "advice": "" if plan.fits else sentence(plan),
    }


def _gb(count: int) -> str:
    return f"{count / 1e9:.1f} GB"
