"""What is to be delivered: a shot with its painted and its pinned frames, cut into segments."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from i2vedit_core.artifacts import Artifacts
from i2vedit_core.backbone import Backbone
from i2vedit_core.delivery.painted import Painted
from i2vedit_core.legs import Leg, Segment, plan_segments
from i2vedit_core.pins import Pins
from i2vedit_core.settings import DeliverySettings, Settings
from i2vedit_core.shot import Edit, Shot
from i2vedit_core.work import Work


@dataclass(frozen=True)
class Job:
    """What is to be delivered, of what, and where notes and artifacts lie."""

    shot: Shot
    edits: tuple[Edit, ...]
    """By frame."""
    painted: tuple[Painted, ...]
    """As `edits`."""
    settings: Settings
    backbone: Backbone
    delivery: DeliverySettings
    work: Work
    artifacts: Artifacts
    fronts: Artifacts | None
    """See `Workplace.fronts`; None where nobody will go on with the job."""
    pins: Pins | None = None
    """Their edges are among the edits."""
    cuts: tuple[int, ...] = ()
    """First frames of later shots inside the range. No leg crosses one."""

    @cached_property
    def segments(self) -> tuple[Segment, ...]:
        """Those that are to be made."""
        keys = [edit.frame for edit in self.edits]
        planned = plan_segments(self.shot.first, self.shot.last, keys, self.settings.stride or 1, self.cuts)
        return tuple(segment for segment in planned if segment.legs[0].frames[1] not in self.pinned)

    @property
    def pinned(self) -> Mapping[int, Path]:
        """Frames that are taken over, and from where."""
        return self.pins.files if self.pins else {}

    @property
    def legs(self) -> tuple[Leg, ...]:
        """In the order in which they are gone."""
        return tuple(leg for segment in self.segments for leg in segment.legs)

    @property
    def needs_model(self) -> bool:
        """A painted frame is the painter's, and what begins where nothing was painted is the plate's."""
        return any(self.painted_at(leg.key).changed for leg in self.legs)

    @property
    def painted_frames(self) -> tuple[Painted, ...]:
        """Those that were painted, and not taken over."""
        return tuple(painted for painted in self.painted if painted.frame not in self.pinned)

    @property
    def joins(self) -> tuple[int, ...]:
        """First frames of later parts: of chunks, and of what begins or ends at a frame that was taken over."""
        chunks = {join for leg in self.legs for join in leg.joins(self.backbone.chunk_frames)}
        pinned = {leg.key + 1 if leg.reach > leg.key else leg.key for leg in self.legs if leg.key in self.pinned}
        return tuple(sorted(chunks | pinned))

    def painted_at(self, frame: int) -> Painted:
        return next(painted for painted in self.painted if painted.frame == frame)

    def chunk_count(self, leg: Leg) -> int:
        """How many chunks a leg takes; one that needs no model counts as one."""
        return len(leg.chunks(self.backbone.chunk_frames)) if self.painted_at(leg.key).changed else 1
