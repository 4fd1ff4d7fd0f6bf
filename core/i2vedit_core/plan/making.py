"""Plans for a loaded model, and for this machine as it is."""

import json
import sys
from typing import TYPE_CHECKING

import torch

from i2vedit_core.models import BUNDLED
from i2vedit_core.plan.architecture import Architecture
from i2vedit_core.plan.choice import MemoryPlan, Request, choose
from i2vedit_core.plan.counts import Counts, known_counts
from i2vedit_core.plan.memory import memory_of, sparing
from i2vedit_core.plan.words import to_dict

if TYPE_CHECKING:
    from i2vedit_core.backbone import Backbone


def plan_for(backbone: "Backbone", request: Request, spare_bytes: int = 0) -> MemoryPlan:
    """The plan of a loaded model, which leaves `spare_bytes` of the device to others. An architecture that nobody has counted takes some
    seconds, once in a process."""
    architecture, half = backbone.architecture, backbone.dtype.itemsize == 2
    counts = known_counts(architecture, half) or _counted_now(architecture, half)
    return choose(architecture, counts, sparing(memory_of(backbone.device, torch.cuda), spare_bytes), request)


_COUNTED: dict[tuple[Architecture, bool], Counts] = {}


def _counted_now(architecture: Architecture, half: bool) -> Counts:
    from i2vedit_core.plan.counting import count  # its imports take longer than everything else here

    if (architecture, half) not in _COUNTED:
        _COUNTED[architecture, half] = count(architecture, half)
    return _COUNTED[architecture, half]


def plan_of_machine() -> tuple[str, MemoryPlan]:
    """What this machine can do at best: SVD at its full size where there is a CUDA device, else the bundled model."""
    on_cuda = torch.cuda.is_available()
    name, architecture = ("svd", Architecture.of({}, {}, {})) if on_cuda else ("mini", Architecture.of_folder(BUNDLED / "mini"))
    side = architecture.latent_side * architecture.latent_factor
    width, height = (1024, 576) if on_cuda else (side, side)
    counts = known_counts(architecture, half=on_cuda) or _counted_now(architecture, on_cuda)
    device = torch.device("cuda" if on_cuda else "cpu")
    return name, choose(architecture, counts, memory_of(device, torch.cuda), Request(width, height))


def main() -> None:
    """Prints the machine's plan as one line of JSON."""
    name, plan = plan_of_machine()
    sys.stdout.write(json.dumps({"model": name, **to_dict(plan)}) + "\n")


if __name__ == "__main__":
    main()
