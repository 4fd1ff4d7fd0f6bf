"""A shot that somebody is about to send: what is chosen so far, and what is still missing."""

from dataclasses import dataclass, replace
from pathlib import Path

from i2vedit_client.painted import Painted
from i2vedit_client.spec import PropagateOptions, Reading, ShotOptions, parse_size
from i2vedit_monitor.model.facts import JobFacts


@dataclass(frozen=True)
class ClipFacts:
    """What the file says of itself."""

    path: str
    width: int
    height: int
    frames: int
    rate: float
    space: str
    """OCIO name of its encoding."""
    codec: str = ""
    first: int = 0
    """Source frame number of the first frame; 0 but for numbered pictures."""

    @property
    def last(self) -> int:
        """Source frame number of the last frame."""
        return self.first + max(self.frames - 1, 0)


@dataclass(frozen=True)
class Draft:
    """Frames are source frame numbers; `last` is inclusive."""

    clip: ClipFacts | None = None
    first: int = 0
    last: int = 0
    at: int | None = None
    """Source frame that is painted; None: the first."""
    painted: str = ""
    out: str = ""
    model: str = "mini"
    preset: str = "full"
    edit: str = "local"
    seed: int = 0
    color_space: str = "match"
    depth: str = "auto"
    alpha: str = "plate"
    cuts: str = "find"
    deinterlace: bool = False
    size: str = ""
    """Largest picture of the model, `704x384`; empty: what it was made for."""

    def with_clip(self, clip: ClipFacts) -> "Draft":
        """Begins anew with another clip; how it is made and where it goes stays as it was chosen."""
        out = self.out or str(Path(clip.path).parent / "i2vedit")
        return replace(self, clip=clip, first=clip.first, last=clip.last, at=None, painted="", out=out)

    def with_range(self, first: int, last: int) -> "Draft":
        """Keeps the range inside the clip, and the painted frame inside the range. A picture painted on another frame is let go."""
        least, most = (self.clip.first, self.clip.last) if self.clip else (0, 0)
        begin = min(max(first, least), most)
        end = min(max(last, begin), most)
        moved = replace(self, first=begin, last=end, at=self.at if self.at is not None and begin <= self.at <= end else None)
        return replace(moved, painted=self.painted if moved.key == self.key else "")

    @property
    def key(self) -> int:
        """Source frame that is painted."""
        return self.first if self.at is None else self.at

    def with_key(self, frame: int) -> "Draft":
        """Another frame of the range is to be painted; a picture of the earlier one is let go."""
        inside = min(max(frame, self.first), self.last)
        return self if inside == self.key else replace(self, at=inside, painted="")

    @property
    def missing(self) -> str:
        """The first thing that is still needed: `clip`, `painted`, `out`; empty when all is there."""
        if self.clip is None:
            return "clip"
        if not self.painted:
            return "painted"
        return "" if self.out else "out"

    @property
    def reading(self) -> Reading:
        """How the clip is read."""
        return Reading(deinterlace=self.deinterlace)

    def options(self) -> PropagateOptions:
        """As `i2vedit propagate` would have it. Raises BadInput for a size that is none."""
        assert self.clip is not None
        return PropagateOptions(
            clip=self.clip.path,
            edits=(Painted(self.painted, self.key),),
            directory=self.out,
            frames=(self.first, self.last),
            model=self.model,
            preset=self.preset,
            edit=self.edit,
            seed=self.seed,
            color_space=self.color_space,
            depth=self.depth,
            alpha=self.alpha,
            size=parse_size(self.size or None),
            reading=self.reading,
            cuts=self.cuts,
        )

    def shot_options(self) -> ShotOptions:
        """What can be prepared before anything is painted. Raises BadInput for a size that is none."""
        assert self.clip is not None
        return ShotOptions(
            self.clip.path,
            self.first,
            self.last,
            self.model,
            self.preset,
            self.seed,
            size=parse_size(self.size or None),
            reading=self.reading,
            keys=(self.key,),
            cuts=self.cuts,
        )


def draft_like(job: JobFacts, draft: Draft) -> Draft:
    """The same shot with the same settings, to be painted another time. The clip itself has to be looked at again."""
    return replace(draft, model=job.model, preset=job.preset, edit=job.edit_kind, seed=job.seed, out=job.out, color_space=job.color_space)
