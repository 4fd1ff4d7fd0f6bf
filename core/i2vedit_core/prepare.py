"""Everything of a shot that does not depend on what is painted, made ahead: while the artist paints (METHOD sections 2 to 5)."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from i2vedit_core.artifacts import Artifacts
from i2vedit_core.backbone import Backbone
from i2vedit_core.cuts import reported_cuts
from i2vedit_core.legs import Leg, plan_segments
from i2vedit_core.media.fit import Fit
from i2vedit_core.method.preparation import Preparation, Workplace, preparation_cost
from i2vedit_core.method.source_maps import open_store
from i2vedit_core.pace import paced
from i2vedit_core.plan.options import Options
from i2vedit_core.planned import carry_out_planned, reader
from i2vedit_core.progress import CancelToken, EventCallback, Reporter, ignore
from i2vedit_core.settings import Settings
from i2vedit_core.shot import Shot


def prepare(  # noqa: PLR0913  (the other call of the core)
    shot: Shot,
    settings: Settings,
    backbone: Backbone,
    artifacts: Path,
    on_event: EventCallback = ignore,
    token: CancelToken | None = None,
    spare_bytes: int = 0,
    keys: Sequence[int] = (),
) -> None:
    """Traces and trains every chunk of a shot, and leaves in `artifacts` what `propagate` with the same settings then finds there.

    `keys`: the source frames that will be painted, by default the first. What lies behind a cut from all of them is left out.

    What is there already is not made again, so a preparation that was stopped goes on where it was. `spare_bytes` of the device are left to
    others. Raises BridgeError; CANCELLED once `token` was set.
    """
    settings = paced(shot, settings, backbone.chunk_frames)
    report = Reporter(on_event, token or CancelToken())
    legs = legs_from(shot, keys, settings, reported_cuts(shot, settings, Artifacts(artifacts), report))
    if not legs:
        return  # nothing moves

    def attempt(fit: Fit, options: Options) -> None:
        workplace = Workplace(Artifacts(artifacts), report, options, open_store(options.maps))
        for preparation in preparations(shot, legs, fit, settings, backbone, workplace):
            preparation.run()

    carry_out_planned(shot, settings, backbone, attempt, on_event, spare_bytes)


def legs_from(shot: Shot, keys: Sequence[int], settings: Settings, cuts: Sequence[int]) -> list[Leg]:
    """All legs of a shot with these painted frames, by default the first, at the pace of the settings. A single frame has none: nothing
    moves."""
    segments = plan_segments(shot.first, shot.last, keys or (shot.first,), settings.stride or 1, cuts)
    return [leg for segment in segments for leg in segment.legs]


def preparations(
    shot: Shot, legs: Sequence[Leg], fit: Fit, settings: Settings, backbone: Backbone, workplace: Workplace
) -> list[Preparation]:
    """That of each leg, in their order. Tells the workplace's reporter how much there is to do."""
    grids = [leg.chunks(backbone.chunk_frames) for leg in legs]
    firsts = [sum(map(len, grids[:number])) for number in range(len(grids) + 1)]
    report = workplace.report
    report.expect(firsts[-1], firsts[-1] * preparation_cost(backbone, settings))
    return [
        Preparation(backbone, settings, grid, reader(shot, fit, leg), replace(workplace, report=report.from_chunk(first)))
        for leg, grid, first in zip(legs, grids, firsts, strict=False)
    ]
