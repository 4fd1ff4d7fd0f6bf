"""Everything of a shot that does not depend on what is painted, made ahead: while the artist paints (METHOD sections 2 to 5)."""

from collections.abc import Sequence
from pathlib import Path

from i2vedit_core.artifacts import Artifacts
from i2vedit_core.backbone import Backbone
from i2vedit_core.cuts import reported_cuts
from i2vedit_core.legs import plan_segments
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
    cuts = reported_cuts(shot, settings, Artifacts(artifacts), report)
    segments = plan_segments(shot.first, shot.last, keys or (shot.first,), settings.stride or 1, cuts)
    legs = [leg for segment in segments for leg in segment.legs]
    if not legs:
        return  # nothing moves

    def attempt(fit: Fit, options: Options) -> None:
        chunks = [leg.chunks(backbone.chunk_frames) for leg in legs]
        report.expect(sum(map(len, chunks)), sum(map(len, chunks)) * preparation_cost(backbone, settings))
        first = 0
        for leg, grid in zip(legs, chunks, strict=True):
            workplace = Workplace(Artifacts(artifacts), report.from_chunk(first), options, open_store(options.maps))
            Preparation(backbone, settings, grid, reader(shot, fit, leg), workplace).run()
            first += len(grid)

    carry_out_planned(shot, settings, backbone, attempt, on_event, spare_bytes)
