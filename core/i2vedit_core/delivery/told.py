"""What a frame's header tells of its inside, for whoever reads it later: a compositor, the report, a job that goes on after a kill."""

from i2vedit_core.delivery.headers import Value
from i2vedit_core.delivery.patch import Patch


def told(patch: Patch) -> dict[str, Value]:
    """By name, without the prefix."""
    confidence = patch.confidence
    of_the_edit = {} if confidence is None else {"confidence": confidence, "flow_error": patch.flow_error}
    colours = {} if patch.outside is None else {"model_outside": patch.outside.edited, "source_outside": patch.outside.source}
    return {"inside": inside_word(patch.delta), "delta_share": patch.delta, "matte_flicker": patch.flicker, **of_the_edit, **colours}


def inside_word(delta: float) -> str:
    """How the inside of a frame was made, in a word: `delta`, `replace`, or `mixed` where regions differ."""
    return {0.0: "replace", 1.0: "delta"}.get(round(delta, 3), "mixed")
