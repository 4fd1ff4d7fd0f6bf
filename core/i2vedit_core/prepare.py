"""Everything of a shot that does not depend on what is painted, made ahead: while the artist paints (METHOD sections 2 to 5)."""

from pathlib import Path

from i2vedit_core.artifacts import Artifacts
from i2vedit_core.backbone import Backbone
from i2vedit_core.media.fit import Fit
from i2vedit_core.method.preparation import Preparation, Workplace
from i2vedit_core.method.source_maps import open_store
from i2vedit_core.plan.options import Options
from i2vedit_core.planned import carry_out_planned, reader
from i2vedit_core.progress import CancelToken, EventCallback, Reporter, ignore
from i2vedit_core.settings import Settings
from i2vedit_core.shot import Shot


def prepare(
    shot: Shot,
    settings: Settings,
    backbone: Backbone,
    artifacts: Path,
    on_event: EventCallback = ignore,
    token: CancelToken | None = None,
    spare_bytes: int = 0,
) -> None:
    """Traces and trains every chunk of a shot, and leaves in `artifacts` what `propagate` with the same settings then finds there.

    What is there already is not made again, so a preparation that was stopped goes on where it was. `spare_bytes` of the device are left to
    others. Raises BridgeError; CANCELLED once `token` was set.
    """
    if len(shot) == 1:
        return  # nothing moves

    def attempt(fit: Fit, options: Options) -> None:
        report = Reporter(on_event, token or CancelToken())
        workplace = Workplace(Artifacts(artifacts), report, options, open_store(options.maps))
        Preparation(backbone, settings, len(shot), reader(shot, fit), workplace).run()

    carry_out_planned(shot, settings, backbone, attempt, on_event, spare_bytes)
