"""A shot that somebody is about to send: what is chosen so far, and what is still missing."""

from dataclasses import dataclass, replace
from pathlib import Path

from i2vedit_client.painted import Painted
from i2vedit_client.spec import PropagateOptions, ShotOptions
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


@dataclass(frozen=True)
class Draft:
    """Frames are source frame numbers; `last` is inclusive."""

    clip: ClipFacts | None = None
    first: int = 0
    last: int = 0
    painted: str = ""
    out: str = ""
    model: str = "mini"
    preset: str = "full"
    edit: str = "local"
    seed: int = 0
    color_space: str = "match"
    depth: str = "auto"
    alpha: str = "plate"

    def with_clip(self, clip: ClipFacts) -> "Draft":
        """Begins anew with another clip; how it is made and where it goes stays as it was chosen."""
        out = self.out or str(Path(clip.path).parent / "i2vedit")
        return replace(self, clip=clip, first=0, last=max(clip.frames - 1, 0), painted="", out=out)

    def with_range(self, first: int, last: int) -> "Draft":
        """Keeps the range inside the clip. A picture painted on another first frame is let go."""
        most = self.clip.frames - 1 if self.clip else 0
        begin = min(max(first, 0), most)
        end = min(max(last, begin), most)
        return replace(self, first=begin, last=end, painted=self.painted if begin == self.first else "")

    @property
    def missing(self) -> str:
        """The first thing that is still needed: `clip`, `painted`, `out`; empty when all is there."""
        if self.clip is None:
            return "clip"
        if not self.painted:
            return "painted"
        return "" if self.out else "out"

    def options(self) -> PropagateOptions:
        """As `i2vedit propagate` would have it."""
        assert self.clip is not None
        return PropagateOptions(
            clip=self.clip.path,
            edits=(Painted(self.painted),),
            directory=self.out,
            frames=(self.first, self.last),
            model=self.model,
            preset=self.preset,
            edit=self.edit,
            seed=self.seed,
            color_space=self.color_space,
            depth=self.depth,
            alpha=self.alpha,
        )

    def shot_options(self) -> ShotOptions:
        """What can be prepared before anything is painted."""
        assert self.clip is not None
        return ShotOptions(self.clip.path, self.first, self.last, self.model, self.preset, self.seed)


def draft_like(job: JobFacts, draft: Draft) -> Draft:
    """The same shot with the same settings, to be painted another time. The clip itself has to be looked at again."""
    return replace(draft, model=job.model, preset=job.preset, edit=job.edit_kind, seed=job.seed, out=job.out, color_space=job.color_space)
