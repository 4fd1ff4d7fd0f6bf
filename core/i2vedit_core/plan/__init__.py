"""What a shot will need of the memory, and the options with which it fits. Torch-free: the server tells it to others.

`counting` makes the numbers that this stands on, and `making` measures the device; both need torch and are imported by name.
"""

from i2vedit_core.plan.architecture import Architecture
from i2vedit_core.plan.choice import Memory, MemoryPlan, Request, choose, largest_size, step_down
from i2vedit_core.plan.counts import known_counts
from i2vedit_core.plan.options import MemoryStage, Options
from i2vedit_core.plan.words import sentence, to_dict

__all__ = [
    "Architecture",
    "Memory",
    "MemoryPlan",
    "MemoryStage",
    "Options",
    "Request",
    "choose",
    "known_counts",
    "largest_size",
    "sentence",
    "step_down",
    "to_dict",
]
